//! A control plane without a machine under it: etcd, API server, controller manager and scheduler, and kwok, which plays the
//! nodes. For measuring what many environments do to the API, where containers would only be in the way.
//!
//! It has a folder and ports of its own, knows nothing of the sandbox, and ends with the thread that started it, whatever
//! ends that.

use std::{
    fs::{self, File, TryLockError},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{
    build,
    daemons::{Daemons, Ports},
    paths,
    pki::{ADMIN, Pki},
    process, run,
};

/// The most that any step may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(120);

/// What its programs may ask of the API server a second. They are used to so little that they would be what is measured.
const QPS: [&str; 2] = ["--kube-api-qps=1000", "--kube-api-burst=2000"];

/// A control plane that runs.
pub struct ControlPlane {
    folder: PathBuf,
    port: u16,
    plain: u16,
    programs: Vec<(&'static str, Child)>,
    /// Keeps others out of the folder.
    _lock: File,
}

impl ControlPlane {
    /// Starts it with this many nodes, which take any number of pods.
    ///
    /// # Errors
    /// A program cannot be built or does not come up; another control plane of this repository runs.
    pub fn start(nodes: usize) -> Result<Self> {
        build::ensure_binaries(&["etcd", "kube-apiserver", "kubectl", "kwok"])?;
        let folder = paths::repository().join("target/control-plane");
        fs::create_dir_all(paths::repository().join("target"))?;
        let lock = File::create(folder.with_extension("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another one runs in {}", folder.display()),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Of one that was killed.
        run::remove(&folder)?;
        fs::create_dir_all(folder.join("log"))?;
        let [api, etcd, etcd_peers, kwok, plain] = free_ports()?;
        let pki = Pki::ensure(folder.join("pki"), &format!("https://127.0.0.1:{api}"))?;
        let daemons = Daemons {
            state: &folder,
            pki: &pki,
            ports: Ports {
                api,
                etcd,
                etcd_peers,
            },
        };
        let mut plane = Self {
            folder: folder.clone(),
            port: api,
            plain,
            programs: Vec::new(),
            _lock: lock,
        };
        plane.boot(&daemons, kwok)?;
        plane.make_nodes(nodes)?;
        Ok(plane)
    }

    fn boot(&mut self, daemons: &Daemons<'_>, kwok: u16) -> Result<()> {
        let policy = self.folder.join("audit.json");
        fs::write(&policy, audit_policy())?;
        self.spawn("etcd", &daemons.etcd())?;
        let mut api_server = daemons.api_server();
        api_server
            .arg("--bind-address=127.0.0.1")
            // Nobody reaches it by its service.
            .arg("--endpoint-reconciler-type=none")
            .arg(format!("--audit-policy-file={}", policy.display()))
            .arg(format!("--audit-log-path={}", self.audit_log().display()));
        self.spawn("kube-apiserver", &api_server)?;
        self.wait_for("the API server", |plane| {
            plane.kubectl(&["get", "--raw", "/readyz"]).is_ok()
        })?;
        let mut manager = daemons.controller_manager();
        manager.args(QPS).args([
            "--secure-port=0",
            "--concurrent-deployment-syncs=20",
            "--concurrent-replicaset-syncs=20",
            "--concurrent-statefulset-syncs=20",
            "--concurrent-resource-quota-syncs=20",
        ]);
        self.spawn("kube-controller-manager", &manager)?;
        let mut scheduler = daemons.scheduler();
        scheduler.args(QPS).arg("--secure-port=0");
        self.spawn("kube-scheduler", &scheduler)?;
        self.spawn("kwok", &daemons.kwok(kwok))?;
        let priorities = paths::sources().join("manifests/priorities.yaml");
        self.kubectl(&["apply", "--filename", &priorities.to_string_lossy()])?;
        let mut proxy = self.kubectl_with(&["proxy"]);
        proxy.arg(format!("--port={}", self.plain));
        self.spawn("kubectl-proxy", &proxy)?;
        self.wait_for("`kubectl proxy`", |plane| {
            TcpStream::connect(("127.0.0.1", plane.plain)).is_ok()
        })
    }

    fn make_nodes(&mut self, count: usize) -> Result<()> {
        let room = json!({"cpu": "1000", "memory": "4Ti", "pods": "1000"});
        let nodes: Vec<_> = (0..count)
            .map(|number| {
                let name = format!("fake-{number}");
                json!({
                    "apiVersion": "v1", "kind": "Node",
                    "metadata": {"name": name, "labels": {
                        "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
                    }},
                    "status": {"allocatable": room, "capacity": room},
                })
            })
            .collect();
        let file = self.folder.join("nodes.json");
        fs::write(
            &file,
            json!({"apiVersion": "v1", "kind": "List", "items": nodes}).to_string(),
        )?;
        self.kubectl(&["create", "--filename", &file.to_string_lossy()])?;
        self.wait_for("the nodes", |plane| {
            let wait = [
                "wait",
                "--for=condition=Ready",
                "node",
                "--all",
                "--timeout=60s",
            ];
            plane.kubectl(&wait).is_ok()
        })
    }

    /// Its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Port of the API server, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port` where the API answers without encryption and login, to an administrator who is not seen.
    pub fn plain_address(&self) -> String {
        format!("127.0.0.1:{}", self.plain)
    }

    /// An administrator whose requests the API server writes into [`audit_log`](Self::audit_log).
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("pki/admin.kubeconfig")
    }

    /// An administrator whose requests it does not write down.
    pub fn unseen_kubeconfig(&self) -> PathBuf {
        self.folder.join("pki/fleet.kubeconfig")
    }

    /// What was asked by the administrator who is seen: an event of `audit.k8s.io/v1` a line.
    pub fn audit_log(&self) -> PathBuf {
        self.folder.join("log/audit.log")
    }

    /// A file of its certificates.
    pub fn pki(&self, name: &str) -> PathBuf {
        self.folder.join("pki").join(name)
    }

    /// Ends all of it and removes what it wrote. When it is dropped instead, its logs stay.
    ///
    /// # Errors
    /// Something stays.
    pub fn stop(mut self) -> Result<()> {
        self.kill();
        run::remove(&self.folder)
    }

    fn spawn(&mut self, name: &'static str, program: &Command) -> Result<()> {
        // The kernel ends it when this thread does, however that happens.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        command.arg(program.get_program()).args(program.get_args());
        let child = process::detached(&mut command, &log_of(&self.folder, name))?;
        self.programs.push((name, child));
        Ok(())
    }

    /// Waits as long as everything that was started still runs.
    fn wait_for(&mut self, what: &str, ready: impl Fn(&Self) -> bool) -> Result<()> {
        let in_time = process::wait_until(LIMIT, || {
            for (name, child) in &mut self.programs {
                if let Some(status) = child.try_wait()? {
                    let log = log_of(&self.folder, name);
                    bail!(
                        "{name} has ended ({status})\n{}\nhint: the whole log is {}",
                        process::tail(&fs::read_to_string(&log).unwrap_or_default()),
                        log.display()
                    );
                }
            }
            Ok(ready(self))
        })
        .with_context(|| format!("while waiting for {what}"))?;
        if !in_time {
            bail!(
                "{what} was not ready after {} s\nhint: look at the logs in {}",
                LIMIT.as_secs(),
                self.folder.join("log").display()
            );
        }
        Ok(())
    }

    fn kubectl(&self, args: &[&str]) -> Result<String> {
        process::output(&mut self.kubectl_with(args))
    }

    fn kubectl_with(&self, args: &[&str]) -> Command {
        let mut kubectl = Command::new(paths::bin_dir().join("kubectl"));
        kubectl
            .arg("--kubeconfig")
            .arg(self.unseen_kubeconfig())
            .args(args);
        kubectl
    }

    fn kill(&mut self) {
        for (_, child) in self.programs.iter_mut().rev() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log_of(folder: &Path, program: &str) -> PathBuf {
    folder.join("log").join(format!("{program}.log"))
}

/// Ports of loopback that nobody uses.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        // Held until all are found, so that none is found twice.
        listeners.push(listener);
    }
    Ok(ports)
}

/// Who asked for what, of one user only. JSON is YAML too.
fn audit_policy() -> String {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata", "users": [ADMIN]}, {"level": "None"}],
    })
    .to_string()
}
