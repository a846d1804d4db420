//! The sandbox's corner of the machine's control groups.
//!
//! Machines differ: version 1 has a hierarchy for each controller, version 2 a single one, and "hybrid" machines have
//! the version 1 hierarchies with an empty version 2 beside them. All that is decided here, from the mounts.
//!
//! Everything the sandbox starts lives below one folder in each hierarchy, so whatever is found there was started by
//! the sandbox and may be ended, even when nothing else is known about it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::process;

/// What the kubelet needs to run pods.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// The folder, below the sandbox's, for its own programs; pods get theirs from the kubelet.
const SYSTEM: &str = "system";

/// The machine's hierarchies, and the name of the sandbox's folder in each.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Cgroups {
    name: String,
    layout: Layout,
}

#[derive(Debug, Eq, PartialEq)]
enum Layout {
    /// Version 1: mount points, with the unified one of a hybrid machine if it has one.
    V1 {
        hierarchies: Vec<PathBuf>,
        unified: Option<PathBuf>,
    },
    /// Version 2: one mount point.
    V2(PathBuf),
}

impl Cgroups {
    /// The layout of this machine. `name` is the sandbox's folder in each hierarchy.
    ///
    /// # Errors
    /// No usable control groups are mounted.
    pub(super) fn detect(name: &str) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/mounts").context("cannot read /proc/mounts")?;
        Self::from_mounts(name, &mounts)
    }

    fn from_mounts(name: &str, mounts: &str) -> Result<Self> {
        let mut hierarchies = Vec::new();
        let mut controllers = BTreeSet::new();
        let mut unified = None;
        for line in mounts.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let [_, place, kind, options, ..] = fields[..] else {
                continue;
            };
            match kind {
                "cgroup" => {
                    hierarchies.push(PathBuf::from(place));
                    controllers.extend(options.split(','));
                }
                "cgroup2" => unified = Some(PathBuf::from(place)),
                _ => {}
            }
        }
        let layout = if hierarchies.is_empty() {
            let root = unified.context(
                "no control groups are mounted\nhint: run on a machine with /sys/fs/cgroup, not in a restricted container",
            )?;
            Layout::V2(root)
        } else {
            if let Some(missing) = CONTROLLERS.iter().find(|name| !controllers.contains(*name)) {
                bail!(
                    "the cgroup controller `{missing}` is not mounted\nhint: the kubelet needs cpu, cpuset, memory and pids"
                );
            }
            hierarchies.sort();
            Layout::V1 {
                hierarchies,
                unified,
            }
        };
        Ok(Self {
            name: name.to_owned(),
            layout,
        })
    }

    /// The kubelet's `cgroupRoot`.
    pub(super) fn kubelet_root(&self) -> String {
        format!("/{}", self.name)
    }

    /// The folder in the version 2 hierarchy, which Cilium asks for, as seen in the sandbox: `init.sh` moves the one of
    /// a hybrid machine. A pure version 1 machine has none, and Cilium then mounts one at the place given here.
    pub(super) fn unified_folder(&self) -> PathBuf {
        match &self.layout {
            Layout::V1 {
                unified: Some(_), ..
            } => Path::new("/run/cgroup2").join(&self.name),
            Layout::V1 { unified: None, .. } => PathBuf::from("/run/cilium/cgroup2"),
            Layout::V2(root) => root.join(&self.name),
        }
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// One cannot be made, or (version 2) a controller cannot be handed down.
    pub(super) fn create(&self) -> Result<()> {
        for folder in self.folders() {
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the cgroup {}", folder.display()))?;
            if let Layout::V1 { .. } = self.layout {
                inherit_cpuset(&folder)?;
            }
            fs::create_dir_all(folder.join(SYSTEM))?;
        }
        if let Layout::V2(root) = &self.layout {
            hand_down(root)?;
            hand_down(&root.join(&self.name))?;
        }
        Ok(())
    }

    /// `command`, but in the folder of the sandbox's own programs from its first instruction on.
    pub(super) fn join(&self, command: &Command) -> Command {
        // A shell, because a child cannot be moved safely after it has forked children of its own.
        const JOIN: &str = "while [ \"$1\" != -- ]; do echo $$ > \"$1/cgroup.procs\" || exit; shift; done; shift; exec \"$@\"";
        let mut joined = Command::new("sh");
        joined.args(["-c", JOIN, "join"]);
        joined.args(self.folders().iter().map(|folder| folder.join(SYSTEM)));
        joined.arg("--").arg(command.get_program());
        joined.args(command.get_args());
        joined
    }

    /// Every process in the sandbox, as this namespace numbers them.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mut pids = BTreeSet::new();
        for folder in self.tree() {
            // A folder may vanish while its pod ends.
            let procs = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            pids.extend(procs.lines().filter_map(|line| line.parse::<u32>().ok()));
        }
        pids.into_iter().filter(|pid| *pid != 0).collect()
    }

    /// Ends every process in the sandbox and removes the folders. Nothing to do is fine.
    ///
    /// # Errors
    /// Something is still there after half a minute.
    pub(super) fn remove(&self) -> Result<()> {
        let ended = process::wait_until(Duration::from_secs(30), || {
            let pids = self.processes();
            if !pids.is_empty() {
                // A process that ended meanwhile makes `kill` fail: the next look decides.
                let mut kill = Command::new("kill");
                kill.arg("-KILL").args(pids.iter().map(u32::to_string));
                let _ = process::output(&mut kill);
            }
            Ok(pids.is_empty())
        })?;
        if !ended {
            bail!("processes {:?} of the sandbox do not end", self.processes());
        }
        let removed = process::wait_until(Duration::from_secs(30), || {
            let tree = self.tree();
            for folder in tree.iter().rev() {
                // Busy for a moment after the last process: the next look decides.
                let _ = fs::remove_dir(folder);
            }
            Ok(self.tree().is_empty())
        })?;
        if !removed {
            bail!("cannot remove the cgroups {:?}", self.tree());
        }
        Ok(())
    }

    /// The sandbox's folder in each hierarchy.
    fn folders(&self) -> Vec<PathBuf> {
        let roots = match &self.layout {
            Layout::V1 {
                hierarchies,
                unified,
            } => hierarchies.iter().chain(unified).collect(),
            Layout::V2(root) => vec![root],
        };
        roots.iter().map(|root| root.join(&self.name)).collect()
    }

    /// Every folder of the sandbox that exists, parents before children.
    fn tree(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = self.folders();
        while let Some(folder) = open.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            open.extend(
                entries
                    .flatten()
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .map(|entry| entry.path()),
            );
            found.push(folder);
        }
        found
    }
}

/// A fresh version 1 cpuset has no processors and takes no process: it gets its parent's.
fn inherit_cpuset(folder: &Path) -> Result<()> {
    let Some(parent) = folder
        .parent()
        .filter(|parent| parent.join("cpuset.cpus").exists())
    else {
        return Ok(());
    };
    for file in ["cpuset.cpus", "cpuset.mems"] {
        fs::write(folder.join(file), fs::read(parent.join(file))?)
            .with_context(|| format!("cannot set {file} of {}", folder.display()))?;
    }
    fs::write(folder.join("cgroup.clone_children"), "1")?;
    Ok(())
}

/// Lets the children of a version 2 folder have the controllers that the kubelet needs.
fn hand_down(folder: &Path) -> Result<()> {
    let file = folder.join("cgroup.subtree_control");
    let all = fs::read_to_string(folder.join("cgroup.controllers"))
        .with_context(|| format!("cannot read the controllers of {}", folder.display()))?;
    let given = fs::read_to_string(&file)?;
    let has = |list: &str, name: &str| list.split_whitespace().any(|word| word == name);
    for name in CONTROLLERS {
        if !has(&all, name) {
            bail!(
                "{} does not have the cgroup controller `{name}`\nhint: the kubelet needs cpu, cpuset, memory and pids",
                folder.display()
            );
        }
        if !has(&given, name) {
            fs::write(&file, format!("+{name}")).with_context(|| {
                format!(
                    "cannot hand the cgroup controller `{name}` down from {}",
                    folder.display()
                )
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
";

    #[test]
    fn a_hybrid_machine_is_version_1_with_a_unified_hierarchy_beside() {
        let cgroups = Cgroups::from_mounts("box", HYBRID).expect("usable");
        assert_eq!(cgroups.folders().len(), 5);
        assert_eq!(cgroups.unified_folder(), PathBuf::from("/run/cgroup2/box"));
    }

    #[test]
    fn one_unified_mount_is_version_2() {
        let mounts = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev 0 0\nproc /proc proc rw 0 0\n";
        let cgroups = Cgroups::from_mounts("box", mounts).expect("usable");
        assert_eq!(cgroups.folders(), [PathBuf::from("/sys/fs/cgroup/box")]);
        assert_eq!(cgroups.kubelet_root(), "/box");
    }

    #[test]
    fn a_missing_controller_is_named() {
        let mounts = HYBRID.replace("pids", "devices");
        let error = Cgroups::from_mounts("box", &mounts).expect_err("unusable");
        assert!(error.to_string().contains("`pids`"), "{error}");
    }

    #[test]
    fn no_control_groups_at_all_is_an_error() {
        assert!(Cgroups::from_mounts("box", "proc /proc proc rw 0 0\n").is_err());
    }
}
