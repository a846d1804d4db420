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

/// Part of the disk, in percent, below which the node says `DiskPressure` and starts no pod: `evictionHard` in
/// `config/kubelet.yaml`. It counts from the whole disk, reserved space included.
const PRESSURE_PERCENT: u64 = 1;

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
    if missing_parts.is_empty() {
        eprintln!(
            "the sandbox needs about 2 GiB of memory, {} GiB of disk and 20 seconds",
            RUN_BYTES >> 30
        );
    } else {
        // Parts differ a lot, but the whole is known: 20 minutes on two idle cores.
        let share = missing_parts.len() as u64 * 100 / all_parts.max(1) as u64;
        let bytes = BUILD_BYTES * share / 100;
        eprintln!(
            "to build first: {}\nthat takes about {} minutes on two cores and {} GiB of disk while it runs; 2 GiB stay in {}",
            missing_parts.join(", "),
            (20 * share).div_ceil(100),
            (bytes >> 30).max(1),
            paths::cache().display()
        );
        enough_space(&paths::cache(), bytes, 0)?;
    }
    enough_space(&paths::state(), RUN_BYTES, PRESSURE_PERCENT)
}

/// Whether a folder has this much room, and beyond it some percent of its disk that must stay free.
fn enough_space(folder: &Path, bytes: u64, kept_percent: u64) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut df = Command::new("df");
    df.args(["--block-size=1", "--output=avail,size"])
        .arg(folder);
    let answer = process::output(&mut df)?;
    let (free, size) = sizes(&answer).with_context(|| format!("`df` answered `{answer}`"))?;
    let kept = size / 100 * kept_percent;
    if free < bytes + kept {
        let why = match kept {
            0 => String::new(),
            kept => format!(
                ", {} of them because the node starts no pod (DiskPressure) on a disk that has less",
                gib(kept)
            ),
        };
        bail!(
            "{} has {} GiB free, {} are needed{why}\nhint: make room, or set K8S_EE_SANDBOX_CACHE and K8S_EE_SANDBOX_STATE to a larger disk",
            folder.display(),
            gib(free),
            gib(bytes + kept)
        );
    }
    Ok(())
}

/// The two numbers of the second line.
fn sizes(answer: &str) -> Option<(u64, u64)> {
    let mut words = answer.lines().nth(1)?.split_whitespace();
    let mut number = || words.next()?.parse().ok();
    Some((number()?, number()?))
}

/// Bytes as GiB, with one place.
fn gib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 30))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn df_says_what_is_free_and_how_large_the_disk_is() {
        assert_eq!(
            sizes("Avail 1B-blocks\n 32480894976 270553174016\n"),
            Some((32_480_894_976, 270_553_174_016))
        );
        assert_eq!(sizes("df: /x: No such file"), None);
    }

    #[test]
    fn too_small_a_disk_is_said_with_what_must_stay_free() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        enough_space(folder.path(), 1, 0).expect("there is a byte");
        let said = enough_space(folder.path(), u64::MAX / 2, 1).expect_err("there is not so much");
        assert!(said.to_string().contains("DiskPressure"), "{said}");
    }

    #[test]
    fn what_must_stay_free_is_what_the_node_is_told() {
        let config = include_str!("../../../sandbox/config/kubelet.yaml");
        for signal in ["nodefs.available", "imagefs.available"] {
            assert!(
                config.contains(&format!("{signal}: {PRESSURE_PERCENT}%")),
                "{signal}"
            );
        }
    }
}
