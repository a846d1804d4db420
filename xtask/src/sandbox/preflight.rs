//! What the machine must have before anything is started, each with one clear message.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use super::{cgroup::Cgroups, parts::Table, paths, process};

/// Disk that a running sandbox may fill with images and volumes.
const RUN_BYTES: u64 = 3 << 30;

/// Disk that building every part needs while it runs, most of it for Go's caches.
const BUILD_BYTES: u64 = 35 << 30;

/// Checks all that can be checked without changing anything; installs missing Debian packages after saying so.
///
/// # Errors
/// The first thing that is missing.
pub(super) fn check(table: &Table, cgroup_name: &str) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "the sandbox needs Linux\nhint: elsewhere, install Docker and k3d, and `up` uses those"
    );
    ensure!(
        fs::metadata("/proc/self")?.uid() == 0,
        "the sandbox needs root: it makes namespaces, mounts and network devices\nhint: sudo --preserve-env cargo xtask sandbox up"
    );
    Cgroups::detect(cgroup_name)?;
    let filesystems = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    for name in ["overlay", "bpf", "tmpfs"] {
        ensure!(
            filesystems.split_whitespace().any(|word| word == name),
            "the kernel has no `{name}` file system\nhint: modprobe {name}"
        );
    }
    install(&table.debian.cluster)?;
    let try_out = "ip link add a0 type veth peer name b0";
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "sh", "-c", try_out,
    ]);
    process::output(&mut unshare).context(
        "namespaces with a network of their own cannot be made\nhint: run on the machine itself or in a privileged container, with the kernel module `veth`",
    )?;
    Ok(())
}

/// Installs what building database images needs beyond [`check`].
///
/// # Errors
/// A package cannot be installed.
pub(super) fn install_database_builders(table: &Table) -> Result<()> {
    install(&table.debian.databases)
}

/// Installs packages that bring a program of the package's own name.
///
/// # Errors
/// A package cannot be installed.
pub(super) fn install_programs(names: &[&str]) -> Result<()> {
    let files = names
        .iter()
        .map(|name| ((*name).to_owned(), Path::new("/usr/bin").join(name)));
    install(&files.collect())
}

/// Says what `up` is going to need, and refuses where the disk is too small.
///
/// # Errors
/// There is too little space.
pub(super) fn announce(missing_parts: &[&str], all_parts: usize) -> Result<()> {
    let gib = |bytes: u64| bytes >> 30;
    if missing_parts.is_empty() {
        eprintln!(
            "the sandbox needs about 2 GiB of memory, {} GiB of disk and 20 seconds",
            gib(RUN_BYTES)
        );
    } else {
        // Parts differ a lot, but the whole is known: 20 minutes on two idle cores.
        let share = missing_parts.len() as u64 * 100 / all_parts.max(1) as u64;
        let bytes = BUILD_BYTES * share / 100;
        eprintln!(
            "to build first: {}\nthat takes about {} minutes on two cores and {} GiB of disk while it runs; 2 GiB stay in {}",
            missing_parts.join(", "),
            (20 * share).div_ceil(100),
            gib(bytes).max(1),
            paths::cache().display()
        );
        enough_space(&paths::cache(), bytes)?;
    }
    enough_space(&paths::state(), RUN_BYTES)
}

fn enough_space(folder: &Path, bytes: u64) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut df = Command::new("df");
    df.args(["--block-size=1", "--output=avail"]).arg(folder);
    let answer = process::output(&mut df)?;
    let free: u64 = answer
        .lines()
        .nth(1)
        .and_then(|line| line.trim().parse().ok())
        .with_context(|| format!("`df` answered `{answer}`"))?;
    if free < bytes {
        bail!(
            "{} has {} GiB free, {} are needed\nhint: make room, or set K8S_EE_SANDBOX_CACHE and K8S_EE_SANDBOX_STATE to a larger disk",
            folder.display(),
            free >> 30,
            bytes >> 30
        );
    }
    Ok(())
}

fn install(wanted: &BTreeMap<String, PathBuf>) -> Result<()> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(_, file)| !file.exists())
        .map(|(package, _)| package.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    ensure!(
        Path::new("/usr/bin/apt-get").exists(),
        "these Debian packages are missing, and there is no apt-get: {}\nhint: install the same programs by hand",
        missing.join(", ")
    );
    eprintln!("installing Debian packages: {}", missing.join(", "));
    let mut update = Command::new("apt-get");
    process::output(update.args(["--quiet", "update"]))
        .context("hint: check the package sources")?;
    let mut install = Command::new("apt-get");
    install
        .args(["--quiet", "--yes", "--no-install-recommends", "install"])
        .args(&missing)
        .env("DEBIAN_FRONTEND", "noninteractive");
    process::output(&mut install).with_context(|| format!("hint: try `{by_hand}`"))?;
    Ok(())
}
