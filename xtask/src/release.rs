//! `cargo xtask release`: the binary as it is handed out, linked statically, with its size, and the archive that it is
//! published in.

use std::{
    fs::{self, File},
    iter,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use crate::stamp;

/// `cargo xtask release`
#[derive(Args)]
pub struct ReleaseArgs {
    /// What to build for, in the words of Rust; this machine, with musl where that is installed, when left out.
    #[arg(long)]
    target: Option<String>,
    /// Folder to write the archive `k8s-ee-vVERSION-OS-ARCH.tar.gz` into, in the words of Go, as registries use them.
    #[arg(long)]
    dist: Option<PathBuf>,
}

/// What is handed out for Linux, where this machine can build it.
const MUSL: &str = "x86_64-unknown-linux-musl";

/// What is built where the standard library for [`MUSL`] is not installed.
const GLIBC: &str = "x86_64-unknown-linux-gnu";

/// Largest binary that is handed out, in bytes.
const LARGEST: u64 = 25 << 20;

/// What lies beside the binary in its archive.
const BESIDE: &[&str] = &["LICENSE", "README.md", "CHANGELOG.md"];

impl ReleaseArgs {
    /// Builds the binary, makes sure that it needs no shared library, and says how large it is.
    ///
    /// # Errors
    /// It does not build, is not static, or is too large.
    pub fn run(self) -> Result<ExitCode> {
        let target = match self.target {
            Some(target) => target,
            None => target()?,
        };
        build(&["--bin=k8s-ee"], &target)?;
        let binary = PathBuf::from("target").join(&target).join("release/k8s-ee");
        if target.contains("-linux-") {
            ensure_static(&binary)?;
        }
        let size = binary.metadata()?.len();
        println!(
            "{}: {:.1} MiB",
            binary.display(),
            size as f64 / f64::from(1 << 20)
        );
        ensure!(size < LARGEST, "it is larger than {} MiB", LARGEST >> 20);
        if let Some(dist) = &self.dist {
            let version = stamp::current()?;
            let name = format!("k8s-ee-v{version}-{}", platform(&target)?);
            let file = dist.join(format!("{name}.tar.gz"));
            fs::create_dir_all(dist)?;
            archive(Path::new("."), &binary, &name, &file)?;
            println!("{}", file.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is built for when nothing else is said: this machine, with musl where that is installed.
///
/// # Errors
/// There is no rustc.
pub fn target() -> Result<String> {
    Ok(if is_installed(MUSL)? { MUSL } else { GLIBC }.to_owned())
}

/// Builds what is to be handed out, linked statically, into `target/TARGET/release`.
///
/// # Errors
/// It does not build.
pub fn build(what: &[&str], target: &str) -> Result<()> {
    println!("building for {target}, linked statically; this takes some minutes");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--target", target])
        .args(what);
    // Nothing is linked statically on macOS, whose system library is the interface of its kernel.
    if target.contains("-linux-") {
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    ensure!(cargo.status()?.success(), "`cargo build` failed");
    Ok(())
}

fn ensure_static(binary: &Path) -> Result<()> {
    let ldd = Command::new("ldd")
        .arg(binary)
        .output()
        .context("cannot run ldd")?;
    let said = String::from_utf8_lossy(&ldd.stdout) + String::from_utf8_lossy(&ldd.stderr);
    ensure!(
        said.contains("statically linked") || said.contains("not a dynamic executable"),
        "{} needs shared libraries:\n{said}",
        binary.display()
    );
    Ok(())
}

/// A target in the words that archives are named by.
fn platform(target: &str) -> Result<String> {
    let machine = match target.split('-').next() {
        Some("x86_64") => "amd64",
        Some("aarch64") => "arm64",
        _ => bail!("nothing is published for {target}"),
    };
    let system = if target.contains("-linux-") {
        "linux"
    } else if target.ends_with("-apple-darwin") {
        "darwin"
    } else {
        bail!("nothing is published for {target}")
    };
    Ok(format!("{system}-{machine}"))
}

/// Writes the archive, the same for the same binary: what is in it belongs to nobody and has no date.
fn archive(root: &Path, binary: &Path, name: &str, to: &Path) -> Result<()> {
    let file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let gzip = GzBuilder::new().write(file, Compression::best());
    let mut archive = tar::Builder::new(gzip);
    let files = BESIDE.iter().map(|page| (root.join(page), 0o644));
    for (path, mode) in iter::once((binary.to_owned(), 0o755)).chain(files) {
        let mut content = File::open(&path).with_context(|| format!("no {}", path.display()))?;
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(mode);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.metadata()?.len());
        let place = Path::new(name).join(path.file_name().unwrap_or_default());
        archive.append_data(&mut header, place, &mut content)?;
    }
    archive.into_inner()?.finish()?;
    Ok(())
}

/// Whether the standard library for a target is there, with or without rustup.
fn is_installed(target: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .context("cannot run rustc")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_hold_the_program_and_come_out_the_same() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.expect("the repository");
        let binary = folder.path().join("k8s-ee");
        fs::write(&binary, "program").expect("written");
        let packed = ["one.tar.gz", "two.tar.gz"].map(|name| {
            let file = folder.path().join(name);
            archive(root, &binary, "k8s-ee-v1.2.3-linux-amd64", &file).expect("an archive");
            fs::read(&file).expect("it is there")
        });
        assert_eq!(packed[0], packed[1]);
        let mut read = tar::Archive::new(flate2::read::GzDecoder::new(packed[0].as_slice()));
        let entries = read.entries().expect("an archive").map(|entry| {
            let entry = entry.expect("an entry");
            let path = entry.path().expect("a path").display().to_string();
            (path, entry.header().mode().expect("a mode"))
        });
        assert_eq!(
            entries.collect::<Vec<_>>(),
            [
                ("k8s-ee", 0o755),
                ("LICENSE", 0o644),
                ("README.md", 0o644),
                ("CHANGELOG.md", 0o644)
            ]
            .map(|(file, mode)| (format!("k8s-ee-v1.2.3-linux-amd64/{file}"), mode))
        );
    }

    #[test]
    fn archives_are_named_by_system_and_machine() {
        for (target, name) in [
            ("x86_64-unknown-linux-musl", "linux-amd64"),
            ("aarch64-unknown-linux-musl", "linux-arm64"),
            ("x86_64-apple-darwin", "darwin-amd64"),
            ("aarch64-apple-darwin", "darwin-arm64"),
        ] {
            assert_eq!(platform(target).expect("published"), name);
        }
        assert!(platform("x86_64-pc-windows-msvc").is_err());
        assert!(platform("riscv64gc-unknown-linux-gnu").is_err());
    }
}
