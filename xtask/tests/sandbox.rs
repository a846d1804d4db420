//! The sandbox for real: it comes up, recovers from an `up` that was killed, and goes without a trace.
//!
//! A second sandbox with a state folder of its own, beside the one that others may be using.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Settings that change by themselves, or that only mirror another one.
const VOLATILE: [&str; 13] = [
    "fs/aio-nr",
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/quota/",
    "kernel/ns_last_pid",
    "kernel/perf_event_max_sample_rate",
    "kernel/pty/nr",
    "kernel/random/",
    "kernel/tainted",
    "net/netfilter/nf_conntrack_count",
    "vm/stat_refresh",
];

/// Folders in which programs of a node like to leave things.
const FOLDERS: [&str; 11] = [
    "/",
    "/etc",
    "/etc/cni",
    "/opt",
    "/run",
    "/run/netns",
    "/sys/fs/bpf",
    "/usr/libexec",
    "/usr/local/bin",
    "/var/lib",
    "/var/log",
];

/// A volume that is too small for what is written to it, and an image that one must log in for: once by a pod that does,
/// once by one that does not.
const WORKLOADS: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: small }
spec:
  storageClassName: small
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 8Mi } }
---
apiVersion: v1
kind: Pod
metadata: { name: fills-up }
spec:
  restartPolicy: Never
  containers:
    - name: main
      image: busybox:1.35
      command: [sh, -c, "! dd if=/dev/zero of=/data/file bs=1M count=9 && stat -c '%s bytes' /data/file"]
      volumeMounts: [{ name: data, mountPath: /data }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: small } }]
---
apiVersion: v1
kind: Pod
metadata: { name: stranger }
spec:
  containers: [{ name: main, image: "private.test/library/busybox:1.35" }]
---
apiVersion: v1
kind: Pod
metadata: { name: invited }
spec:
  restartPolicy: Never
  imagePullSecrets: [{ name: login }]
  containers: [{ name: main, image: "private.test/library/busybox:1.35", command: ["true"] }]
"#;

/// A sandbox with its own state folder; dropped, it is gone, even when the test failed.
struct Sandbox {
    state: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let state = tempfile::Builder::new()
            .prefix("k8s-ee-sandbox-test-")
            .tempdir_in("/var/tmp")
            .expect("a scratch folder");
        Self { state }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .arg("sandbox")
            .args(args)
            .env("K8S_EE_SANDBOX_STATE", self.state.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("xtask starts")
    }

    /// What `kubectl ARGS` prints; it must succeed.
    fn kubectl(&self, args: &[&str]) -> String {
        let output = self.run(&[&["enter", "kubectl"], args].concat());
        assert_success(&output);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn name(&self) -> &str {
        let name = self.state.path().file_name().and_then(|name| name.to_str());
        name.expect("a name")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

/// What a machine looks like from outside.
#[derive(Debug)]
struct Machine {
    mounts: BTreeSet<String>,
    cgroups: BTreeSet<PathBuf>,
    interfaces: BTreeSet<PathBuf>,
    sysctls: BTreeSet<String>,
    files: BTreeSet<PathBuf>,
}

impl Machine {
    fn look() -> Self {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
        // Numbers of mounts are not theirs to keep; the place and what is there are.
        let mount = |line: &str| line.split(' ').skip(2).collect::<Vec<_>>().join(" ");
        let mut cgroups = BTreeSet::new();
        folders_below(Path::new("/sys/fs/cgroup"), &mut cgroups);
        let mut sysctls = BTreeSet::new();
        settings_below(Path::new("/proc/sys"), &mut sysctls);
        Self {
            mounts: mountinfo.lines().map(mount).collect(),
            cgroups,
            interfaces: names_in(Path::new("/sys/class/net")),
            sysctls,
            files: FOLDERS
                .iter()
                .flat_map(|folder| names_in(Path::new(folder)))
                .collect(),
        }
    }

    fn assert_same(&self, after: &Self) {
        same("mounts", &self.mounts, &after.mounts);
        // Others on the machine come and go with theirs; what the sandbox would leave is new and has no process.
        let left: Vec<_> = after.cgroups.difference(&self.cgroups).collect();
        let left: Vec<_> = left.into_iter().filter(|group| is_idle(group)).collect();
        assert!(left.is_empty(), "control groups left behind: {left:#?}");
        same("network interfaces", &self.interfaces, &after.interfaces);
        same("settings", &self.sysctls, &after.sysctls);
        same("files", &self.files, &after.files);
    }
}

fn same<T: Ord + std::fmt::Debug>(what: &str, before: &BTreeSet<T>, after: &BTreeSet<T>) {
    let gone: Vec<_> = before.difference(after).collect();
    let left: Vec<_> = after.difference(before).collect();
    assert!(
        gone.is_empty() && left.is_empty(),
        "{what}: left behind {left:#?}, gone {gone:#?}"
    );
}

fn names_in(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Is there a control group without a process of its own?
fn is_idle(group: &Path) -> bool {
    fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|processes| processes.is_empty())
}

fn folders_below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for path in names_in(folder) {
        // Another sandbox may be up, and its pods come and go.
        if path.is_dir() && path.file_name().is_none_or(|name| name != "k8s-ee-sandbox") {
            folders_below(&path, found);
            found.insert(path);
        }
    }
}

fn settings_below(folder: &Path, found: &mut BTreeSet<String>) {
    for path in names_in(folder) {
        let name = path
            .strip_prefix("/proc/sys")
            .expect("below it")
            .to_string_lossy()
            .into_owned();
        if VOLATILE.iter().any(|volatile| name.starts_with(volatile)) {
            continue;
        }
        if path.is_dir() {
            settings_below(&path, found);
        } else if let Ok(value) = fs::read_to_string(&path) {
            found.insert(format!("{name} = {}", value.trim()));
        }
    }
}

/// Processes whose control group or command line names the sandbox. Dead ones that the machine's own init has not
/// buried yet do not count.
fn processes_of(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in names_in(Path::new("/proc")) {
        let read = |file: &str| {
            let bytes = fs::read(folder.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let dead = read("status").contains("\nState:\tZ");
        if !dead && (read("cgroup").contains(name) || read("cmdline").contains(name)) {
            found.push(format!("{} {}", folder.display(), read("cmdline")));
        }
    }
    found
}

/// Why the test cannot run here, if it cannot.
fn obstacle() -> Option<&'static str> {
    let uid = Command::new("id").arg("-u").output().expect("`id` starts");
    if uid.stdout != b"0\n" {
        return Some("the sandbox needs root");
    }
    let bin = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["sandbox", "bin"])
        .output()
        .expect("xtask starts");
    let bin = String::from_utf8(bin.stdout).expect("a path");
    if !Path::new(bin.trim()).join("kube-apiserver").exists() {
        return Some("the parts are not built: cargo xtask sandbox build");
    }
    if Command::new("docker")
        .arg("info")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return Some("a Docker engine runs the sandbox here");
    }
    None
}

fn assert_success(output: &Output) {
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn volumes_fill_up_and_private_images_ask_for_a_login(sandbox: &Sandbox) {
    let file = tempfile::NamedTempFile::new().expect("a scratch file");
    fs::write(file.path(), WORKLOADS).expect("a file");
    let file = file.path().to_str().expect("a path");
    sandbox.kubectl(&[
        "create",
        "secret",
        "docker-registry",
        "login",
        "--docker-server=private.test",
        "--docker-username=puller",
        "--docker-password=only-for-tests",
    ]);
    sandbox.kubectl(&["apply", "--filename", file]);
    let succeeded = "--for=jsonpath={.status.phase}=Succeeded";
    sandbox.kubectl(&[
        "wait",
        succeeded,
        "pod/fills-up",
        "pod/invited",
        "--timeout=120s",
    ]);
    let log = sandbox.kubectl(&["logs", "fills-up"]);
    assert!(
        log.contains("No space left on device") && log.contains("8388608 bytes"),
        "{log}"
    );
    let refused = "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull";
    sandbox.kubectl(&["wait", refused, "pod/stranger", "--timeout=120s"]);
    let events = sandbox.kubectl(&["get", "events", "--output=jsonpath={..message}"]);
    assert!(events.contains("no basic auth credentials"), "{events}");

    // A volume that goes takes its mount with it.
    sandbox.kubectl(&["delete", "--filename", file, "--wait"]);
    sandbox.kubectl(&["wait", "--for=delete", "pv", "--all", "--timeout=120s"]);
}

#[test]
fn comes_up_recovers_and_goes_without_a_trace() {
    if let Some(why) = obstacle() {
        eprintln!("skipped: {why}");
        return;
    }
    let sandbox = Sandbox::new();
    let state = sandbox.state.path();
    let before = Machine::look();

    // An `up` that is killed half-way: as soon as there is something to clean up.
    let mut up = sandbox
        .command(&["up"])
        .stderr(Stdio::null())
        .spawn()
        .expect("xtask starts");
    let start = Instant::now();
    while !state.join("run.json").exists() {
        assert!(
            up.try_wait().expect("a child").is_none(),
            "`up` has ended early"
        );
        assert!(
            start.elapsed() < Duration::from_secs(300),
            "`up` does not begin"
        );
        thread::sleep(Duration::from_millis(10));
    }
    up.kill().expect("it runs");
    up.wait().expect("a child");
    let status = sandbox.run(&["status"]);
    assert!(!status.status.success());
    assert!(
        String::from_utf8_lossy(&status.stdout).starts_with("half"),
        "{status:?}"
    );
    assert!(
        !processes_of(sandbox.name()).is_empty(),
        "there is nothing to recover from"
    );

    assert_success(&sandbox.run(&["up"]));
    assert_success(&sandbox.run(&["status"]));
    let again = sandbox.run(&["up"]);
    assert_success(&again);
    assert!(
        String::from_utf8_lossy(&again.stdout).contains("up already"),
        "{again:?}"
    );
    let nodes = sandbox.kubectl(&["get", "nodes", "--output=name"]);
    assert_eq!(nodes, "node/k8s-ee-sandbox\n");
    volumes_fill_up_and_private_images_ask_for_a_login(&sandbox);

    assert_success(&sandbox.run(&["down"]));
    let left = processes_of(sandbox.name());
    assert!(left.is_empty(), "processes left behind: {left:#?}");
    before.assert_same(&Machine::look());
    let kept: BTreeSet<_> = names_in(state);
    let expected = ["lock", "log.previous", "pki", "registry"].map(|name| state.join(name));
    assert_eq!(kept, BTreeSet::from(expected));
    let entered = sandbox.run(&["enter", "true"]);
    assert!(
        String::from_utf8_lossy(&entered.stderr).contains("not up"),
        "{entered:?}"
    );
    assert_success(&sandbox.run(&["down"]));
}
