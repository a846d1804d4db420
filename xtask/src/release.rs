//! `cargo xtask release`: the binary as it is handed out, linked statically, with its size.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

/// `cargo xtask release`
#[derive(Args)]
pub struct ReleaseArgs {}

/// What is handed out is built for.
const MUSL: &str = "x86_64-unknown-linux-musl";

/// What is built where the standard library for [`MUSL`] is not installed.
const GLIBC: &str = "x86_64-unknown-linux-gnu";

/// Largest binary that is handed out, in bytes.
const LARGEST: u64 = 25 << 20;

impl ReleaseArgs {
    /// Builds the binary, makes sure that it needs no shared library, and says how large it is.
    ///
    /// # Errors
    /// It does not build, is not static, or is too large.
    pub fn run(self) -> Result<ExitCode> {
        let target = if is_installed(MUSL)? { MUSL } else { GLIBC };
        println!("building for {target}, linked statically; this takes some minutes");
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--bin", "k8s-ee", "--target", target])
            .env("RUSTFLAGS", "-C target-feature=+crt-static");
        ensure!(cargo.status()?.success(), "`cargo build` failed");
        let binary = PathBuf::from("target").join(target).join("release/k8s-ee");

        let ldd = Command::new("ldd")
            .arg(&binary)
            .output()
            .context("cannot run ldd")?;
        let said = String::from_utf8_lossy(&ldd.stdout) + String::from_utf8_lossy(&ldd.stderr);
        ensure!(
            said.contains("statically linked") || said.contains("not a dynamic executable"),
            "{} needs shared libraries:\n{said}",
            binary.display()
        );
        let size = binary.metadata()?.len();
        println!(
            "{}: static, {:.1} MiB",
            binary.display(),
            size as f64 / f64::from(1 << 20)
        );
        ensure!(size < LARGEST, "it is larger than {} MiB", LARGEST >> 20);
        Ok(ExitCode::SUCCESS)
    }
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
