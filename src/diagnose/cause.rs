//! What a diagnosis says: a cause, the lines that prove it, and what to change.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One reason why an environment does not come up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Which kind of cause, for programs.
    pub code: CauseCode,
    /// The component it was found at; none when it concerns the whole environment.
    pub component: Option<String>,
    /// One sentence without a full stop that names the object.
    pub summary: String,
    /// The lines that prove it: at most 10 of at most 300 characters, secrets masked.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub fix: Fix,
}

/// What to do about a cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// One sentence without a full stop.
    pub text: String,
    /// JSON pointer into `k8s-ee.yaml` of what to change; it need not exist yet.
    pub pointer: Option<String>,
    /// The line to write at that pointer, key included, such as `port: 8080`.
    pub change: Option<String>,
    /// A command that repairs it, or shows more.
    pub command: Option<String>,
}

impl Fix {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    pub(super) fn at(mut self, pointer: Option<String>) -> Self {
        self.pointer = pointer;
        self
    }

    pub(super) fn write(mut self, change: impl Into<String>) -> Self {
        self.change = Some(change.into());
        self
    }

    pub(super) fn run(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The change as it stands in the file: under all the keys that lead to it, from the root; of lists the one item.
    #[must_use]
    pub fn yaml(&self) -> Option<String> {
        let (pointer, change) = (self.pointer.as_ref()?, self.change.as_ref()?);
        let mut parents: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
        parents.pop();
        let is_index = |token: &String| token.bytes().all(|b| b.is_ascii_digit());
        let indent = |depth: usize| match depth.checked_sub(1).map(|before| &parents[before]) {
            Some(item) if is_index(item) => format!("{:width$}- ", "", width = depth * 2 - 2),
            _ => " ".repeat(depth * 2),
        };
        let mut text = String::new();
        for (depth, key) in parents.iter().enumerate() {
            if !is_index(key) {
                text.push_str(&format!("{}{key}:\n", indent(depth)));
            }
        }
        let depth = parents.len();
        let lines: Vec<String> = change
            .lines()
            .enumerate()
            .map(|(n, line)| match n {
                0 => format!("{}{line}", indent(depth)),
                _ => format!("{}{line}", " ".repeat(depth * 2)),
            })
            .collect();
        Some(text + &lines.join("\n"))
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The kinds of causes. Their names in kebab case are part of the interface: a name keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseCode {
    /// The registry has no such image.
    ImageNotFound,
    /// The registry, or the node's policy, does not hand the image out.
    ImageNotAllowed,
    /// The image reference is not one.
    ImageInvalid,
    /// The registry cannot be reached, or not now.
    ImageUnreachable,
    /// The image was built for another processor architecture.
    WrongArchitecture,
    /// A container ends by itself.
    ContainerExited,
    /// A container needs more memory than its limit.
    OutOfMemory,
    /// The program to start is not in the image.
    CommandNotFound,
    /// The program to start may not be executed.
    CommandNotExecutable,
    /// The image wants to run as root.
    RunsAsRoot,
    /// Something cannot be written because the root file system is read-only.
    ReadOnlyFileSystem,
    /// The container's user may not use a file or directory.
    PermissionDenied,
    /// Two processes of the container want the same port.
    AddressInUse,
    /// A port below 1024 is wanted without the right to it.
    PrivilegedPort,
    /// An environment variable is missing.
    MissingVariable,
    /// A library, module, class or file is not in the image.
    MissingModule,
    /// A disk or volume is full.
    DiskFull,
    /// A database refuses user and password.
    DatabaseLogin,
    /// A table is missing.
    DatabaseSchema,
    /// The database user lacks a right.
    DatabasePermission,
    /// A statement that prepares a database fails.
    DatabaseBootstrap,
    /// An extension of the database is missing, in its image or in itself.
    DatabaseExtension,
    /// The program cannot read a connection string in URL form.
    ConnectionString,
    /// The program looks for a component where it is not.
    DependencyAddress,
    /// A server elsewhere does not answer, or the network policies close the way to it.
    ConnectionTimedOut,
    /// A seed, which runs once, ended with an error.
    SeedFailed,
    /// A component it needs is not up.
    DependencyFailed,
    /// Nothing listens on the port.
    PortClosed,
    /// A probe got an HTTP status that says unhealthy.
    ProbeStatus,
    /// A probe got no answer in time.
    ProbeTimeout,
    /// A probe got an answer that is not HTTP, or another failure.
    ProbeFailed,
    /// A Secret, or a key of it, is missing.
    MissingSecret,
    /// A ConfigMap, or a key of it, is missing.
    MissingConfigMap,
    /// The container cannot be created from its description.
    ContainerConfig,
    /// No node takes the pod.
    Unschedulable,
    /// A volume claim is not bound.
    VolumePending,
    /// A volume cannot be attached or mounted.
    VolumeNotMounted,
    /// The volume of a claim is gone.
    VolumeLost,
    /// A node stopped the pod.
    Evicted,
    /// A node cannot make the pod's sandbox.
    SandboxFailed,
    /// A pod reached its own deadline.
    DeadlineExceeded,
    /// The quota of the namespace is used up.
    QuotaExceeded,
    /// The LimitRange of the namespace forbids a size.
    LimitRangeRefused,
    /// Pod Security or an admission webhook says no.
    AdmissionRefused,
    /// An admission webhook does not answer.
    WebhookUnavailable,
    /// The service account of a pod is missing.
    MissingServiceAccount,
    /// The PriorityClass of a pod is missing.
    MissingPriorityClass,
    /// `k8s-ee` itself lacks a right in the cluster.
    PermissionMissing,
    /// The API server finds an object invalid.
    ObjectInvalid,
    /// The cluster does not know a kind of object.
    KindUnknown,
    /// The API server did not take an object for another reason.
    ApplyFailed,
    /// The ingress controller does not know the URL.
    UrlNotRouted,
    /// The URL answers with a status that is neither 2xx nor 3xx.
    UrlStatus,
    /// Nothing answers at the URL's address.
    UrlUnreachable,
    /// The URL's host has no address.
    DnsFailed,
    /// The URL has no certificate that is trusted.
    TlsFailed,
    /// Not ready, and nothing says why.
    Timeout,
}

impl fmt::Display for CauseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl CauseCode {
    /// Whether it follows from something else that failed, so that it is printed after that.
    #[must_use]
    pub const fn is_consequence(self) -> bool {
        matches!(self, Self::DependencyFailed | Self::Timeout)
    }
}

/// A cause with what follows from it for a rollout that still runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The cause.
    pub(super) cause: Cause,
    /// Whether waiting longer cannot heal it.
    pub(super) fatal: bool,
}

impl Finding {
    pub(super) fn new(
        code: CauseCode,
        component: Option<&str>,
        summary: impl Into<String>,
        evidence: Vec<String>,
        fix: Fix,
    ) -> Self {
        Self {
            cause: Cause {
                code,
                component: component.map(str::to_owned),
                summary: summary.into(),
                evidence,
                fix,
            },
            fatal: false,
        }
    }

    pub(super) fn fatal(mut self, fatal: bool) -> Self {
        self.fatal = fatal;
        self
    }
}
