//! `cargo xtask charts`: the charts as packages, and into a registry. The program of the same version knows the digest of the
//! package that `k8s-ee up --chart oci://…` must get back.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};

use crate::{sandbox, stamp};

/// `cargo xtask charts …`
#[derive(Args)]
pub struct ChartsArgs {
    #[command(subcommand)]
    command: ChartsCommand,
}

#[derive(Subcommand)]
enum ChartsCommand {
    /// Write the package of every chart that makes objects, and print their digests as `sha256sum` does.
    Package {
        /// Folder to write them into.
        #[arg(default_value = "dist")]
        to: PathBuf,
    },
    /// Package the charts, push them, and print each as `oci://…/NAME:VERSION@sha256:…`.
    Push {
        /// Where they belong, such as `oci://ghcr.io/koder-cat/charts`.
        to: String,
        /// The registry has no TLS.
        #[arg(long)]
        plain_http: bool,
    },
}

impl ChartsArgs {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// A package cannot be written, or the registry does not take it.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            ChartsCommand::Package { to } => {
                for package in packages(&to)? {
                    println!("{}  {}", package.sha256, package.file.display());
                }
            }
            ChartsCommand::Push { to, plain_http } => {
                let folder = tempfile::tempdir()?;
                for package in packages(folder.path())? {
                    let digest = push(&package.file, &to, plain_http)?;
                    let (to, version) = (to.trim_end_matches('/'), stamp::current()?);
                    println!("{to}/{}:{version}@{digest}", package.chart);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

struct Package {
    chart: String,
    file: PathBuf,
    sha256: String,
}

/// Packages every chart that is not only a library of others.
fn packages(to: &Path) -> Result<Vec<Package>> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let version = stamp::current()?;
    let mut folders = Vec::new();
    for entry in fs::read_dir("charts").context("run it from the root of the repository")? {
        folders.push(entry?.path());
    }
    folders.sort();
    let mut packages = Vec::new();
    for folder in folders {
        let text = fs::read_to_string(folder.join("Chart.yaml"))?;
        if !text.lines().any(|line| line == "type: application") {
            continue;
        }
        let of_version = format!("version: {version}");
        ensure!(
            text.lines().any(|line| line == of_version),
            "{} is not of version {version}; run: cargo xtask stamp {version}",
            folder.display()
        );
        let chart = folder.file_name().unwrap_or_default().to_string_lossy();
        let content = chart_package::pack_folder(&folder)
            .with_context(|| format!("cannot package {}", folder.display()))?;
        let file = to.join(format!("{chart}-{version}.tgz"));
        fs::write(&file, &content).with_context(|| format!("cannot write {}", file.display()))?;
        // Helm notes it in the registry, as the time at which the chart was made: without this, no digest there would come
        // out twice.
        File::options()
            .write(true)
            .open(&file)?
            .set_modified(SystemTime::UNIX_EPOCH)?;
        packages.push(Package {
            sha256: chart_package::sha256(&content),
            chart: chart.into_owned(),
            file,
        });
    }
    Ok(packages)
}

/// Pushes a package, and returns the digest that the registry knows it by.
fn push(package: &Path, to: &str, plain_http: bool) -> Result<String> {
    // The built one where there is one, else the machine's.
    let built = sandbox::bin_dir().join("helm");
    let program = if built.is_file() {
        built
    } else {
        "helm".into()
    };
    let mut helm = Command::new(program);
    helm.arg("push").arg(package).arg(to);
    if plain_http {
        helm.arg("--plain-http");
    }
    let output = helm.output().context("cannot run helm")?;
    // Which of the two it writes to differs between its versions.
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`helm push` failed:\n{said}");
    digest_in(&said)
        .map(str::to_owned)
        .with_context(|| format!("`helm push` says no digest:\n{said}"))
}

fn digest_in(said: &str) -> Option<&str> {
    said.lines()
        .find_map(|line| line.strip_prefix("Digest: "))
        .map(str::trim)
        .filter(|digest| digest.starts_with("sha256:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_what_helm_says() {
        let said = "Pushed: host/charts/x:0.1.0\nDigest: sha256:00ff\n";
        assert_eq!(digest_in(said), Some("sha256:00ff"));
        assert_eq!(digest_in("Pushed: host/charts/x:0.1.0\n"), None);
    }
}
