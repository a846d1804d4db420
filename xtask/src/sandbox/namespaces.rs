//! The namespaces that the sandbox lives in: made by `unshare`, held open by one process, entered by `nsenter`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{
    cgroup::Cgroups,
    paths, process,
    run::Process,
    settings::{GATEWAY_IP, METADATA_IP, NODE, NODE_IP, POD_CIDR, WORLD_IP},
};

/// Programs of the sandbox find each other here; nothing else comes from the developer's environment.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The sandbox's namespaces, by the process that holds them open.
#[derive(Clone, Copy)]
pub(super) struct Namespaces {
    init: Process,
}

impl Namespaces {
    /// Makes them, with everything in them that `sandbox/init.sh` does. `pause` is the program that stays.
    ///
    /// # Errors
    /// `init.sh` fails: with its last words.
    pub(super) fn create(cgroups: &Cgroups, state: &Path, pause: &Path) -> Result<Self> {
        let log = state.join("log/init.log");
        let mut unshare = Command::new("setsid");
        unshare
            .args([
                "unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
            ])
            .arg(paths::sources().join("init.sh"));
        let mut joined = cgroups.join(&unshare);
        joined
            .env_clear()
            .env("PATH", SYSTEM_PATH)
            .env("STATE", state)
            .env("PAUSE", pause)
            .env("NODE", NODE)
            .env("NODE_IP", NODE_IP)
            .env("GATEWAY_IP", GATEWAY_IP)
            .env("WORLD_IP", WORLD_IP)
            .env("METADATA_IP", METADATA_IP)
            .env("POD_CIDR", POD_CIDR);
        let mut parent = process::detached(&mut joined, &log)?;
        let mut init = None;
        process::wait_until(Duration::from_secs(20), || {
            if parent.try_wait()?.is_some() {
                return Ok(true);
            }
            // The script is done when it has become the program.
            init = child_of(parent.id()).and_then(Process::find);
            Ok(init.is_some_and(|init| program_of(init.pid).as_deref() == Some(pause)))
        })?;
        match init.filter(|init| program_of(init.pid).as_deref() == Some(pause)) {
            Some(init) => Ok(Self { init }),
            None => bail!(
                "the sandbox's namespaces cannot be made\n{}\nhint: the whole log is {}",
                process::tail(&fs::read_to_string(&log).unwrap_or_default()),
                log.display()
            ),
        }
    }

    /// Those of a sandbox that runs.
    pub(super) fn of(init: Process) -> Self {
        Self { init }
    }

    /// The process that holds them open.
    pub(super) fn init(self) -> Process {
        self.init
    }

    /// `command`, in the sandbox's network with the host's files.
    pub(super) fn enter_network(self, command: &Command) -> Command {
        let mut enter = Command::new("nsenter");
        enter.arg(format!("--net=/proc/{}/ns/net", self.init.pid));
        append(&mut enter, command);
        enter
    }

    /// `command`, in all namespaces of the sandbox.
    pub(super) fn enter(self, command: &Command) -> Command {
        let mut enter = Command::new("nsenter");
        enter
            .arg(format!("--target={}", self.init.pid))
            .args(["--mount", "--pid", "--net", "--ipc", "--uts"]);
        append(&mut enter, command);
        enter
    }

    /// Starts `command` as one of the sandbox's own programs: in all its namespaces and its cgroup, cut loose from
    /// this process, with its output in `log`.
    ///
    /// # Errors
    /// It cannot be started. That it ends at once is seen later.
    pub(super) fn start(self, cgroups: &Cgroups, command: &Command, log: &Path) -> Result<()> {
        let mut cut_loose = Command::new("setsid");
        cut_loose
            .arg("--fork")
            .arg(command.get_program())
            .args(command.get_args());
        let mut joined = cgroups.join(&self.enter(&cut_loose));
        joined
            .env_clear()
            .env("PATH", SYSTEM_PATH)
            .env("HOME", "/root");
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                joined.env(name, value);
            }
        }
        let status = process::detached(&mut joined, log)?.wait()?;
        if !status.success() {
            bail!(
                "`{}` cannot be started in the sandbox ({status})\n{}",
                process::name(command),
                process::tail(&fs::read_to_string(log).unwrap_or_default())
            );
        }
        Ok(())
    }
}

/// Appends a command with its arguments, environment and folder to the one that will run it.
fn append(outer: &mut Command, command: &Command) {
    outer.arg("--").arg(command.get_program());
    outer.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        outer.current_dir(folder);
    }
}

/// The only child of a process.
fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    children.ok()?.split_whitespace().next()?.parse().ok()
}

/// The program file that a process runs.
fn program_of(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// The programs among `expected` (paths as they were started) that no process of the sandbox runs.
///
/// # Errors
/// `/proc` cannot be read.
pub(super) fn missing<'a>(cgroups: &Cgroups, expected: &'a [PathBuf]) -> Result<Vec<&'a Path>> {
    let mut running = Vec::new();
    for pid in cgroups.processes() {
        // It may end meanwhile.
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else {
            continue;
        };
        let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
        running.push(PathBuf::from(
            String::from_utf8(program.to_vec()).context("a program's name is no UTF-8")?,
        ));
    }
    Ok(expected
        .iter()
        .filter(|program| !running.contains(program))
        .map(PathBuf::as_path)
        .collect())
}
