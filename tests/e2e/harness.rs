//! One environment on the cluster for one test.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Image of the test application.
pub(crate) const TESTAPP: &str = "registry.test/testapp:1";
/// The same, to redeploy.
pub(crate) const TESTAPP_2: &str = "registry.test/testapp:2";

/// How long anything on the cluster may take before a test gives up on it: generous, because machines differ.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: end-to-end tests run only on a cluster named for them; use `cargo xtask test e2e`")
    })
}

/// The context of the cluster that was named for the tests.
pub(crate) fn context() -> String {
    required("K8S_EE_E2E_CONTEXT")
}

/// `host:port` of the cluster's ingress controller.
pub(crate) fn ingress() -> String {
    required("K8S_EE_E2E_INGRESS")
}

/// Domain of the environments' hosts.
pub(crate) const DOMAIN: &str = "preview.test";

/// A `projectId` that nobody else has.
pub(crate) fn random_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let random = jiff::Timestamp::now().subsec_nanosecond() as u32 ^ std::process::id();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("e{:x}-{next}", random & 0xff_ffff)
}

/// The platform settings that suit the cluster.
pub(crate) fn platform_settings() -> String {
    let controller =
        std::env::var("K8S_EE_E2E_INGRESS_NAMESPACE").unwrap_or_else(|_| "traefik".to_owned());
    format!(
        "domain: {DOMAIN}\ningress:\n  tls: false\n  address: {}\n  controller:\n    namespaceLabels: {{kubernetes.io/metadata.name: {controller}}}\n    podLabels: {{app.kubernetes.io/name: traefik}}\n",
        ingress()
    )
}

/// A project of its own, with a directory that holds its file.
pub(crate) struct Project {
    /// `projectId`.
    pub(crate) id: String,
    dir: TempDir,
    created: Vec<u64>,
}

impl Project {
    /// A project whose file has this text after its `projectId`.
    pub(crate) fn new(yaml: &str) -> Self {
        Self::with_id(random_id(), yaml)
    }

    /// The same with a `projectId` that somebody else has to know too.
    pub(crate) fn with_id(id: String, yaml: &str) -> Self {
        let project = Self {
            dir: TempDir::new().expect("a temporary directory"),
            id,
            created: Vec::new(),
        };
        project.write(yaml);
        std::fs::write(
            project.dir.path().join("platform.yaml"),
            platform_settings(),
        )
        .expect("the settings are written");
        project
    }

    /// Replaces the file.
    pub(crate) fn write(&self, yaml: &str) {
        let text = format!("projectId: {}\n{yaml}", self.id);
        std::fs::write(self.dir.path().join("k8s-ee.yaml"), text).expect("the file is written");
    }

    /// Adds to the platform settings.
    pub(crate) fn platform(&self, yaml: &str) {
        let path = self.dir.path().join("platform.yaml");
        let text = std::fs::read_to_string(&path).expect("written by `new`");
        std::fs::write(path, text + yaml).expect("the settings are written");
    }

    /// Where the project's files are.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Namespace of a pull request's environment.
    pub(crate) fn namespace(&self, pr: u64) -> String {
        format!("{}-pr-{pr}", self.id)
    }

    /// Host of a pull request's environment.
    pub(crate) fn host(&self, pr: u64) -> String {
        format!("{}.{DOMAIN}", self.namespace(pr))
    }

    /// The binary with arguments, in the project's directory and a scrubbed environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.command_on(Path::new(&required("KUBECONFIG")), args);
        if matches!(args[0], "up" | "plan" | "prepare" | "doctor") {
            command.args(["--platform", "platform.yaml"]);
        }
        command
    }

    /// The same with this kubeconfig, and with the settings that the cluster has.
    fn command_on(&self, kubeconfig: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_k8s-ee"));
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", required("PATH"))
            .env("HOME", self.dir.path())
            .env("KUBECONFIG", kubeconfig)
            .env("K8S_EE_PLAIN_HTTP", "1")
            .args(args)
            .args(["--context", &context()])
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary as an account that has this kubeconfig, with the settings that the cluster has.
    pub(crate) fn run_as(&mut self, kubeconfig: &Path, args: &[&str]) -> Ran {
        self.remember(args);
        let output = self.command_on(kubeconfig, args).output();
        Ran::of(output.expect("the binary starts"), args)
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&mut self, args: &[&str]) -> Ran {
        self.remember(args);
        Ran::of(
            self.command(args).output().expect("the binary starts"),
            args,
        )
    }

    /// Runs the binary to its end with more variables.
    pub(crate) fn run_with(&mut self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        self.remember(args);
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        Ran::of(command.output().expect("the binary starts"), args)
    }

    /// Runs a verb that looks at no cluster.
    pub(crate) fn run_offline(&self, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        // These verbs take no context; the rest of the scrubbed environment is the same.
        let mut plain = Command::new(command.get_program());
        plain
            .current_dir(self.dir.path())
            .env_clear()
            .args(args)
            .stdin(Stdio::null());
        for (key, value) in command.get_envs() {
            plain.env(key, value.unwrap_or_default());
        }
        command = plain;
        Ran::of(command.output().expect("the binary starts"), args)
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&mut self, args: &[&str]) -> Child {
        self.remember(args);
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    /// Its environment of this pull request is removed in the end, however it was made.
    pub(crate) fn remembers(&mut self, pr: u64) {
        self.created.push(pr);
    }

    fn remember(&mut self, args: &[&str]) {
        if let Some(at) = args.iter().position(|arg| *arg == "--pr")
            && matches!(args[0], "up" | "prepare")
        {
            let number = args[at + 1].parse().expect("a number");
            if !self.created.contains(&number) {
                self.created.push(number);
            }
        }
    }

    /// `up` of pull request 1 with the test application; must succeed.
    pub(crate) fn up(&mut self, more: &[&str]) -> Ran {
        let mut args = vec!["up", "--pr", "1"];
        if !more.contains(&"--image") {
            args.extend(["--image", TESTAPP]);
        }
        args.extend(more);
        self.run(&args).ok()
    }

    /// An object of pull request 1's namespace, as JSON.
    pub(crate) fn get(&self, what: &str) -> Value {
        kubectl_json(&["get", "-n", &self.namespace(1), what])
    }

    /// A page of pull request 1's environment, through the ingress controller; the status must be 200.
    pub(crate) fn page(&self, path: &str) -> String {
        let host = self.host(1);
        match http(&host, path) {
            Ok((200, body)) => body,
            other => panic!("http://{host}{path}: {other:?}"),
        }
    }

    /// The same, as JSON.
    pub(crate) fn page_json(&self, path: &str) -> Value {
        let page = self.page(path);
        serde_json::from_str(&page).unwrap_or_else(|error| panic!("{path}: {error}: {page}"))
    }

    /// Waits until the application answers with this variable: an ingress controller may ask a pod of the version
    /// before for as long as it takes to hear that the pod is going.
    pub(crate) fn answers(&self, variable: &str, value: &str) {
        eventually(&format!("{variable}={value}"), || {
            (self.page_json("/env")[variable] == value).then_some(())
        });
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        for pr in self.created.clone() {
            if std::thread::panicking() {
                let namespace = self.namespace(pr);
                for what in ["pods,deployments,resourcequotas,ingresses", "events"] {
                    let shown = kubectl(&["get", "-n", &namespace, what, "-o", "wide"]);
                    eprintln!(
                        "--- {namespace}: {what}\n{}",
                        String::from_utf8_lossy(&shown.stdout)
                    );
                }
                let logs = kubectl(&[
                    "logs",
                    "-n",
                    &namespace,
                    "-l",
                    "k8s-ee/component",
                    "--tail=20",
                    "--prefix",
                ]);
                eprintln!(
                    "--- {namespace}: logs\n{}",
                    String::from_utf8_lossy(&logs.stdout)
                );
                if std::env::var_os("K8S_EE_E2E_KEEP").is_some() {
                    eprintln!("--- {namespace} is kept");
                    continue;
                }
            }
            let number = pr.to_string();
            let args = [
                "down",
                "--pr",
                number.as_str(),
                "--project",
                self.id.as_str(),
                "--wait=false",
                // Whoever preserves one here does not mean to keep it.
                "--force",
            ];
            let removed = self.command(&args).output();
            if let Ok(output) = removed
                && !output.status.success()
            {
                eprintln!("down: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

/// A finished run of the binary.
#[derive(Debug)]
pub(crate) struct Ran {
    args: String,
    /// Exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    /// What it printed for programs.
    pub(crate) stdout: String,
    /// What it printed for people.
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output, args: &[&str]) -> Self {
        Self {
            args: args.join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It ended with 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exit(0)
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "k8s-ee {}\n--- stdout\n{}\n--- stderr\n{}",
            self.args, self.stdout, self.stderr
        );
        self
    }

    /// It said all of this to people.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "`{text}` is not in what k8s-ee {} said:\n{}",
                self.args,
                self.stderr
            );
        }
        self
    }

    /// What it printed for programs, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("k8s-ee {}: {error}: {}", self.args, self.stdout))
    }
}

/// `kubectl` on the tests' cluster.
pub(crate) fn kubectl(args: &[&str]) -> Output {
    Command::new("kubectl")
        .args(["--context", &context()])
        .args(args)
        .output()
        .expect("kubectl starts")
}

/// `kubectl` on the tests' cluster, given something to read.
pub(crate) fn kubectl_with(args: &[&str], input: &str) -> Output {
    let mut child = Command::new("kubectl")
        .args(["--context", &context()])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("kubectl reads");
    drop(stdin);
    child.wait_with_output().expect("kubectl ends")
}

/// `kubectl … -o json`, which must succeed.
#[track_caller]
pub(crate) fn kubectl_json(args: &[&str]) -> Value {
    let output = kubectl(&[args, &["-o", "json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {args:?}: {stderr}");
    serde_json::from_slice(&output.stdout).expect("kubectl prints JSON")
}

/// `kubectl apply` of a manifest, which must succeed.
#[track_caller]
pub(crate) fn apply(manifest: &Value) {
    let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    let output = kubectl_with(&args, &manifest.to_string());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Puts an object into a namespace that keeps it from going, until [`let_go`].
pub(crate) fn hold(namespace: &str) {
    apply(&json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "stuck", "namespace": namespace, "finalizers": ["example.com/hold"]}}));
}

/// Lets a namespace go that was [held](hold).
pub(crate) fn let_go(namespace: &str) {
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let args = [
        "patch",
        "-n",
        namespace,
        "configmap/stuck",
        "--type=merge",
        "-p",
        patch,
    ];
    assert!(kubectl(&args).status.success());
}

/// Waits until something is so; the condition is looked at again and again, with a generous limit.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < limit,
            "{what} did not come true within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One GET through the ingress controller.
pub(crate) fn http(host: &str, path: &str) -> std::io::Result<(u16, String)> {
    request("GET", host, path)
}

/// One request without a body through the ingress controller.
pub(crate) fn request(method: &str, host: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(ingress())?;
    // Longer than an ingress controller tries to connect before it says that it could not.
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\nAccept-Encoding: identity\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
        unchunk(body)
    } else {
        body.to_owned()
    };
    Ok((status, body))
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || !rest.is_char_boundary(size) {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// Percent-encodes a query value.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
