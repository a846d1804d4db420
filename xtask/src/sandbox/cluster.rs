//! Brings the cluster up in namespaces of this machine, and down again.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    build,
    cgroup::Cgroups,
    daemons::{BUSYBOX, Daemons, Ports},
    images::{self, Built},
    namespaces::{self, Namespaces},
    paths,
    pki::Pki,
    process,
    run::{self, Kind, Process, Run},
    settings::{
        API_PORT, DNS_IP, INGRESS_IP, NODE, NODE_IP, POD_CIDR, PRIVATE_REGISTRY, REGISTRY,
        WORLD_IP, fill,
    },
};

/// The most that any step may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A program that ends this soon never ran properly; before that, it may not have begun.
const SETTLE: Duration = Duration::from_secs(3);

/// inotify instances that a node with many pods needs; machines often allow 128 a user.
const INOTIFY: (&str, u64) = ("fs.inotify.max_user_instances", 1024);

/// A cluster on its way up.
struct Cluster {
    state: PathBuf,
    pki: Pki,
    cgroups: Cgroups,
    namespaces: Namespaces,
    /// Programs that must be running from now on.
    started: Vec<PathBuf>,
    last_start: Instant,
    progress: Progress,
}

/// Says what is done, and when.
struct Progress(Instant);

impl Progress {
    fn done(&self, what: &str) {
        eprintln!("{:6.1} s  {what}", self.0.elapsed().as_secs_f64());
    }
}

/// The name of the sandbox's control groups: two state folders give two sandboxes.
pub(super) fn cgroup_name() -> String {
    let state = paths::state();
    let name = state.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Starts a cluster where none is. The parts are built.
///
/// # Errors
/// A step fails or takes too long; what runs by then stays to be looked at, until the next `up` or `down`.
pub(super) fn up(images: &[Built], pause: &Path) -> Result<()> {
    let state = paths::state();
    let progress = Progress(Instant::now());
    for folder in [
        "log",
        "config",
        "cni/bin",
        "cni/net.d",
        "cilium",
        "certs.d/_default",
        "certs.d/private.test",
        "registry",
    ] {
        fs::create_dir_all(state.join(folder))
            .with_context(|| format!("cannot make {folder} in {}", state.display()))?;
    }
    let server = format!("https://{NODE_IP}:{API_PORT}");
    let pki = Pki::ensure(state.join("pki"), &server)?;
    let cgroups = Cgroups::detect(&cgroup_name())?;
    cgroups.create()?;
    // A copy: `cargo` may replace the original while the sandbox runs.
    let init = state.join("pause");
    fs::copy(pause, &init).with_context(|| format!("cannot copy {}", pause.display()))?;
    let namespaces = Namespaces::create(&cgroups, &state, &init)?;
    let run = Run {
        cluster: Kind::Bare {
            init: namespaces.init(),
            sysctls: too_low_inotify()?,
        },
        ready: false,
    };
    // Before the change, so that it is undone even when this program is killed right after.
    run.save()?;
    allow_inotify(&run)?;
    fs::copy(pki.path("admin.kubeconfig"), run::kubeconfig())?;
    progress.done("namespaces");
    let mut cluster = Cluster {
        state,
        pki,
        cgroups,
        namespaces,
        started: Vec::new(),
        last_start: Instant::now(),
        progress,
    };
    cluster.configure()?;
    cluster.boot(images)?;
    Run { ready: true, ..run }.save()?;
    cluster.progress.done("the sandbox is up");
    Ok(())
}

/// Ends everything that the sandbox started and removes what it wrote, except certificates, logs and the registry's
/// images, which the next `up` uses again. Works on halves and on nothing.
///
/// # Errors
/// Something does not go away.
pub(super) fn down(run: Option<&Run>) -> Result<()> {
    let cgroups = Cgroups::detect(&cgroup_name())?;
    cgroups.remove()?;
    if let Some(Run {
        cluster: Kind::Bare { sysctls, .. },
        ..
    }) = run
    {
        for (name, value) in sysctls {
            fs::write(sysctl(name), value).with_context(|| format!("cannot restore {name}"))?;
        }
    }
    let state = paths::state();
    for name in [
        "certs.d",
        "cgroups",
        "cilium",
        "cni",
        "config",
        "containerd",
        "etcd",
        "kubeconfig",
        "kubelet",
        "metadata",
        "pause",
        "pod-logs",
        "resolv.conf",
        "volumes",
        "world",
    ] {
        run::remove(&state.join(name))?;
    }
    run::remove(&state.join("log.previous"))?;
    if state.join("log").exists() {
        fs::rename(state.join("log"), state.join("log.previous"))?;
    }
    Run::forget()
}

/// Programs of a running sandbox that have ended.
///
/// # Errors
/// `/proc` cannot be read.
pub(super) fn ended_programs() -> Result<Vec<String>> {
    let expected: Vec<PathBuf> = [
        "cilium-agent",
        "cilium-operator",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubelet",
        "registry",
    ]
    .iter()
    .map(|name| paths::bin_dir().join(name))
    .chain([PathBuf::from("/usr/bin/containerd")])
    .collect();
    let cgroups = Cgroups::detect(&cgroup_name())?;
    let missing = namespaces::missing(&cgroups, &expected)?;
    Ok(missing.into_iter().map(file_name).collect())
}

/// Puts images into the running sandbox's registry; tells how many it did not have.
///
/// # Errors
/// The registry does not take one.
pub(super) fn push(init: Process, images: &[Built]) -> Result<usize> {
    let pushed = paths::state().join("registry/pushed.json");
    // In the mount namespace too: skopeo leaves a cache in /var/lib.
    images::push(images, &pushed, REGISTRY, |command| {
        Namespaces::of(init).enter(&command)
    })
}

/// Wraps `command` so that it runs in the sandbox's network, as its administrator.
pub(super) fn enter(init: Process, command: &Command) -> Command {
    Namespaces::of(init).enter_network(command)
}

impl Cluster {
    /// Writes the configuration files.
    fn configure(&self) -> Result<()> {
        let state = self.state.to_string_lossy();
        let cgroup_folder = self.cgroups.unified_folder();
        let values = [
            ("state", &*state),
            ("pause", "sandbox.test/pause:1"),
            ("registry", REGISTRY),
            ("private_registry", PRIVATE_REGISTRY),
            ("node_ip", NODE_IP),
            ("dns_ip", DNS_IP),
            ("pod_cidr", POD_CIDR),
            ("world_ip", WORLD_IP),
            ("ingress_ip", INGRESS_IP),
            ("traefik", "sandbox.test/traefik:3.7.13"),
            ("cgroup_root", &self.cgroups.kubelet_root()),
            ("cgroup_folder", &cgroup_folder.to_string_lossy()),
        ];
        for (source, target) in [
            ("config/cilium.yaml", "config/cilium.yaml"),
            ("config/containerd.toml", "config/containerd.toml"),
            ("config/hosts.toml", "certs.d/_default/hosts.toml"),
            (
                "config/hosts-private.toml",
                "certs.d/private.test/hosts.toml",
            ),
            ("config/htpasswd", "config/htpasswd"),
            ("config/kubelet.yaml", "config/kubelet.yaml"),
            ("config/registry.yaml", "config/registry.yaml"),
            (
                "config/registry-private.yaml",
                "config/registry-private.yaml",
            ),
            ("manifests/priorities.yaml", "config/priorities.yaml"),
            ("manifests/system.yaml", "config/system.yaml"),
            ("manifests/traefik.yaml", "config/traefik.yaml"),
        ] {
            let source = paths::sources().join(source);
            let text = fs::read_to_string(&source)
                .with_context(|| format!("cannot read {}", source.display()))?;
            fs::write(self.state.join(target), fill(&text, &values))
                .with_context(|| format!("cannot write {target}"))?;
        }
        fs::write(self.state.join("resolv.conf"), "nameserver 127.0.0.1\n")?;
        for (page, text) in [
            ("world/index.html", "hello from the world\n"),
            ("metadata/index.html", "latest/\n"),
            (
                "metadata/latest/meta-data/index.html",
                "sandbox metadata service\n",
            ),
        ] {
            let page = self.state.join(page);
            fs::create_dir_all(page.parent().expect("a page lies in a folder"))?;
            fs::write(page, text)?;
        }
        symlink("/usr/lib/cni/loopback", self.state.join("cni/bin/loopback"))?;
        let plugin = paths::bin_dir().join("cilium-cni");
        symlink(plugin, self.state.join("cni/bin/cilium-cni"))?;
        symlink(
            build::kept_folder("cilium", "bpf")?,
            self.state.join("cilium/bpf"),
        )?;
        Ok(())
    }

    /// Starts everything, each thing as soon as what it needs is there.
    fn boot(&mut self, images: &[Built]) -> Result<()> {
        let state = self.state.clone();
        let pki = self.pki.clone();
        let daemons = Daemons {
            state: &state,
            pki: &pki,
            ports: Ports::SANDBOX,
        };
        let [world, metadata] = daemons.world();
        self.start_as("world", &world, BUSYBOX.into())?;
        self.start_as("metadata", &metadata, BUSYBOX.into())?;
        self.start("etcd", &daemons.etcd())?;
        self.start("kube-apiserver", &daemons.api_server())?;
        let [registry, private] = daemons.registries();
        self.start("registry", &registry)?;
        self.start("registry-private", &private)?;
        self.start("containerd", &daemons.containerd())?;
        self.push(images)?;
        self.wait_for("the API server", |cluster| {
            Ok(cluster.kubectl(&["get", "--raw", "/readyz"]).is_ok())
        })?;

        // Only now: the controller manager ends for good when the API server has no roles for it yet.
        self.start("kube-controller-manager", &daemons.controller_manager())?;
        self.start("kube-scheduler", &daemons.scheduler())?;
        self.start("kubelet", &daemons.kubelet())?;
        self.start("kube-proxy", &daemons.kube_proxy())?;
        self.start("cilium-operator", &daemons.cilium_operator())?;
        self.start("cilium-agent", &daemons.cilium_agent())?;
        for manifest in ["priorities.yaml", "system.yaml", "traefik.yaml"] {
            let file = state.join("config").join(manifest);
            self.kubectl(&[
                "apply",
                "--server-side",
                "--filename",
                &file.to_string_lossy(),
            ])?;
        }
        self.progress.done("manifests");

        // containerd 1.6 does not notice the rename by which Cilium puts its file in place: it is copied there.
        let written = state.join("cilium/05-cilium.conflist");
        self.wait_for("Cilium", |_| {
            Ok(fs::metadata(&written).is_ok_and(|file| file.len() > 0))
        })?;
        fs::copy(&written, state.join("cni/net.d/05-cilium.conflist"))?;
        self.wait_for("the node", |cluster| {
            let ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
            Ok(cluster
                .kubectl(&["get", "node", NODE, "--output", ready])
                .is_ok_and(|status| status == "True"))
        })?;
        for (what, namespace, name) in [
            ("DNS", "kube-system", "coredns"),
            ("storage", "local-path-storage", "local-path-provisioner"),
            ("ingress", "traefik", "traefik"),
        ] {
            self.wait_for(what, |cluster| {
                let ready = "jsonpath={.status.readyReplicas}";
                let get = [
                    "--namespace",
                    namespace,
                    "get",
                    "deployment",
                    name,
                    "--output",
                    ready,
                ];
                Ok(cluster.kubectl(&get).is_ok_and(|count| count == "1"))
            })?;
        }
        Ok(())
    }

    /// Fills the registry, once it answers.
    fn push(&self, images: &[Built]) -> Result<()> {
        self.wait_for("the registry", |cluster| {
            let mut get = Command::new(BUSYBOX);
            get.args(["wget", "-q", "-O", "/dev/null"])
                .arg(format!("http://{REGISTRY}/v2/"));
            Ok(process::output(&mut cluster.namespaces.enter_network(&get)).is_ok())
        })?;
        let count = push(self.namespaces.init(), images)?;
        if count > 0 {
            self.progress.done(&format!("{count} images pushed"));
        }
        Ok(())
    }

    fn start(&mut self, name: &str, command: &Command) -> Result<()> {
        self.start_as(name, command, command.get_program().into())
    }

    /// Starts a program of the sandbox; `program` is what it ends up as.
    fn start_as(&mut self, name: &str, command: &Command, program: PathBuf) -> Result<()> {
        let log = self.state.join("log").join(format!("{name}.log"));
        self.namespaces.start(&self.cgroups, command, &log)?;
        self.started.push(program);
        self.last_start = Instant::now();
        Ok(())
    }

    /// Waits for `ready`, as long as everything that was started still runs.
    fn wait_for(&self, what: &str, mut ready: impl FnMut(&Self) -> Result<bool>) -> Result<()> {
        let logs = self.state.join("log");
        let in_time = process::wait_until(LIMIT, || {
            if ready(self)? {
                return Ok(true);
            }
            if self.last_start.elapsed() > SETTLE
                && let Some(ended) = namespaces::missing(&self.cgroups, &self.started)?.first()
            {
                let name = file_name(ended);
                let log = logs.join(format!("{name}.log"));
                bail!(
                    "{name} has ended\n{}\nhint: the whole log is {}",
                    process::tail(&fs::read_to_string(&log).unwrap_or_default()),
                    log.display()
                );
            }
            Ok(false)
        })
        .with_context(|| format!("while waiting for {what}"))?;
        if !in_time {
            bail!(
                "{what} was not ready after {} s\nhint: look at the logs in {}, and `cargo xtask sandbox enter kubectl get events -A`",
                LIMIT.as_secs(),
                logs.display()
            );
        }
        self.progress.done(&format!("{what} ready"));
        Ok(())
    }

    fn kubectl(&self, args: &[&str]) -> Result<String> {
        let mut kubectl = Command::new(paths::bin_dir().join("kubectl"));
        kubectl
            .arg("--kubeconfig")
            .arg(run::kubeconfig())
            .args(args);
        process::output(&mut self.namespaces.enter_network(&kubectl))
    }
}

/// The limit of [`INOTIFY`] as it is, if it has to be raised.
fn too_low_inotify() -> Result<Vec<(String, String)>> {
    let (name, wanted) = INOTIFY;
    let text = fs::read_to_string(sysctl(name)).with_context(|| format!("cannot read {name}"))?;
    let enough = text
        .trim()
        .parse::<u64>()
        .is_ok_and(|value| value >= wanted);
    Ok(match enough {
        true => Vec::new(),
        false => vec![(name.to_owned(), text.trim().to_owned())],
    })
}

/// Raises the limit, if the record says that it was too low.
fn allow_inotify(run: &Run) -> Result<()> {
    let (name, wanted) = INOTIFY;
    match &run.cluster {
        Kind::Bare { sysctls, .. } if !sysctls.is_empty() => {
            fs::write(sysctl(name), wanted.to_string())
                .with_context(|| format!("cannot set {name}"))
        }
        _ => Ok(()),
    }
}

fn sysctl(name: &str) -> PathBuf {
    Path::new("/proc/sys").join(name.replace('.', "/"))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
