//! The programs that make up the cluster, with their arguments: one function each.

use std::{path::Path, process::Command};

use super::{
    paths,
    pki::Pki,
    settings::{API_PORT, METADATA_IP, NODE, NODE_IP, POD_CIDR, SERVICE_CIDR, WORLD_IP},
};

/// Debian's busybox is static, and is the web server of the "internet" too.
pub(super) const BUSYBOX: &str = "/bin/busybox";

/// Ports of a control plane.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    /// The API server's.
    pub(super) api: u16,
    /// etcd's for the API server, on loopback.
    pub(super) etcd: u16,
    /// etcd's for other members, of which there are none.
    pub(super) etcd_peers: u16,
}

impl Ports {
    /// Those of the sandbox.
    pub(super) const SANDBOX: Self = Self {
        api: API_PORT,
        etcd: 2379,
        etcd_peers: 2380,
    };
}

/// Where the programs are, and what they need to know of the folders.
pub(super) struct Daemons<'a> {
    pub(super) state: &'a Path,
    pub(super) pki: &'a Pki,
    pub(super) ports: Ports,
}

impl Daemons<'_> {
    /// The web servers at [`WORLD_IP`] and [`METADATA_IP`]: each serves a folder of the state folder.
    pub(super) fn world(&self) -> [Command; 2] {
        [(WORLD_IP, "world"), (METADATA_IP, "metadata")].map(|(address, folder)| {
            let mut command = Command::new("nsenter");
            command
                .args(["--net=/run/netns/world", BUSYBOX, "httpd", "-f", "-p"])
                .arg(format!("{address}:80"))
                .arg("-h")
                .arg(self.state.join(folder));
            command
        })
    }

    pub(super) fn etcd(&self) -> Command {
        let clients = loopback(self.ports.etcd);
        let peers = loopback(self.ports.etcd_peers);
        let mut command = built("etcd");
        command
            .arg(option("data-dir", self.state.join("etcd/data").display()))
            .arg(option("listen-client-urls", &clients))
            .arg(option("advertise-client-urls", &clients))
            .arg(option("listen-peer-urls", &peers))
            .arg(option("initial-advertise-peer-urls", &peers))
            .arg(option("initial-cluster", format!("default={peers}")))
            .args(["--unsafe-no-fsync", "--log-level=warn"]);
        command
    }

    pub(super) fn api_server(&self) -> Command {
        let mut command = built("kube-apiserver");
        command
            .arg(option("etcd-servers", loopback(self.ports.etcd)))
            .arg(option("advertise-address", NODE_IP))
            .arg(option("secure-port", self.ports.api))
            .arg(option("service-cluster-ip-range", SERVICE_CIDR))
            .args([
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
            ])
            .args([
                "--allow-privileged=true",
                "--kubelet-preferred-address-types=InternalIP",
            ])
            // Its end must not wait for load balancers that are not there.
            .args([
                "--shutdown-delay-duration=0",
                "--endpoint-reconciler-type=lease",
                "--profiling=false",
            ]);
        for (name, file) in [
            ("client-ca-file", "ca.crt"),
            ("tls-cert-file", "apiserver.crt"),
            ("tls-private-key-file", "apiserver.key"),
            ("kubelet-certificate-authority", "ca.crt"),
            ("kubelet-client-certificate", "apiserver-kubelet.crt"),
            ("kubelet-client-key", "apiserver-kubelet.key"),
            ("service-account-key-file", "service-accounts.pub"),
            ("service-account-signing-key-file", "service-accounts.key"),
            ("requestheader-client-ca-file", "front-proxy-ca.crt"),
            ("proxy-client-cert-file", "front-proxy-client.crt"),
            ("proxy-client-key-file", "front-proxy-client.key"),
        ] {
            command.arg(self.file(name, file));
        }
        command
            .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
            .args([
                "--requestheader-allowed-names=front-proxy-client",
                "--enable-aggregator-routing=true",
            ])
            .args([
                "--requestheader-username-headers=X-Remote-User",
                "--requestheader-group-headers=X-Remote-Group",
            ])
            .arg("--requestheader-extra-headers-prefix=X-Remote-Extra-");
        command
    }

    pub(super) fn controller_manager(&self) -> Command {
        let mut command = built("kube-controller-manager");
        for name in [
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
        ] {
            command.arg(self.file(name, "controller-manager.kubeconfig"));
        }
        command
            .arg(self.file("service-account-private-key-file", "service-accounts.key"))
            .arg(self.file("root-ca-file", "ca.crt"))
            .arg(self.file("cluster-signing-cert-file", "ca.crt"))
            .arg(self.file("cluster-signing-key-file", "ca.key"))
            .arg(option("cluster-cidr", POD_CIDR))
            .arg(option("service-cluster-ip-range", SERVICE_CIDR))
            .arg(option(
                "flex-volume-plugin-dir",
                self.state.join("kubelet/volume-plugins").display(),
            ))
            .args([
                "--allocate-node-cidrs=true",
                "--use-service-account-credentials=true",
            ])
            .args([
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                "--profiling=false",
            ]);
        command
    }

    pub(super) fn scheduler(&self) -> Command {
        let mut command = built("kube-scheduler");
        for name in [
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
        ] {
            command.arg(self.file(name, "scheduler.kubeconfig"));
        }
        command.args([
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--profiling=false",
        ]);
        command
    }

    pub(super) fn containerd(&self) -> Command {
        let mut command = Command::new("/usr/bin/containerd");
        command
            .arg("--config")
            .arg(self.state.join("config/containerd.toml"));
        command
    }

    /// The registry, and the one that asks for a login.
    pub(super) fn registries(&self) -> [Command; 2] {
        ["registry.yaml", "registry-private.yaml"].map(|config| {
            let mut command = built("registry");
            command
                .arg("serve")
                .arg(self.state.join("config").join(config))
                .env("OTEL_TRACES_EXPORTER", "none");
            command
        })
    }

    pub(super) fn kubelet(&self) -> Command {
        let mut command = built("kubelet");
        command
            .arg(option(
                "config",
                self.state.join("config/kubelet.yaml").display(),
            ))
            .arg(self.file("kubeconfig", "kubelet.kubeconfig"))
            .arg(option("root-dir", self.state.join("kubelet").display()))
            .arg(option("cert-dir", self.state.join("kubelet/pki").display()))
            .arg(option("hostname-override", NODE))
            .arg(option("node-ip", NODE_IP));
        command
    }

    pub(super) fn kube_proxy(&self) -> Command {
        let mut command = built("kube-proxy");
        command
            .arg(self.file("kubeconfig", "kube-proxy.kubeconfig"))
            .arg(option("cluster-cidr", POD_CIDR))
            .arg(option("hostname-override", NODE))
            .args(["--proxy-mode=nftables", "--nodeport-addresses=primary"])
            // The machine's connection table is not the sandbox's to size, nor is its own OOM score.
            .args(["--conntrack-max-per-core=0", "--oom-score-adj=0"]);
        command
    }

    pub(super) fn cilium_operator(&self) -> Command {
        self.cilium("cilium-operator")
    }

    pub(super) fn cilium_agent(&self) -> Command {
        let mut command = self.cilium("cilium-agent");
        // It compiles its data path with the `clang` it finds first.
        let clang = paths::sources().join("clang");
        command.env(
            "PATH",
            format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", clang.display()),
        );
        command
    }

    fn cilium(&self, program: &str) -> Command {
        let mut command = built(program);
        command
            .arg(option(
                "config",
                self.state.join("config/cilium.yaml").display(),
            ))
            .arg(self.file("k8s-kubeconfig-path", "admin.kubeconfig"))
            .env("K8S_NODE_NAME", NODE)
            .env("CILIUM_K8S_NAMESPACE", "kube-system");
        command
    }

    /// Plays nodes, and the pods on them: there are no containers.
    pub(super) fn kwok(&self, port: u16) -> Command {
        let mut command = built("kwok");
        command
            .arg(self.file("kubeconfig", "fleet.kubeconfig"))
            .arg(option(
                "config",
                paths::sources().join("config/kwok.yaml").display(),
            ))
            .arg(option("server-address", format!("127.0.0.1:{port}")))
            .args([
                "--manage-all-nodes=true",
                "--node-lease-duration-seconds=40",
            ]);
        command
    }

    /// `--name=<file of the PKI>`
    fn file(&self, name: &str, file: &str) -> String {
        option(name, self.pki.path(file).display())
    }
}

fn built(program: &str) -> Command {
    Command::new(paths::bin_dir().join(program))
}

fn loopback(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn option(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}
