//! What can go wrong with the cluster, in words that say who must do what.

use std::{error::Error as _, io, path::PathBuf};

use kube::client::AuthError;
use tokio::time::error::Elapsed;

use super::connect::CONNECT_TIMEOUT;
use crate::{config::nearest, exit::Exit};

/// Why the cluster did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is neither a kubeconfig nor a service account.
    #[error("no cluster is configured: there is no kubeconfig{}", shown(.path.as_ref()))]
    NoKubeconfig {
        /// Where it was looked for.
        path: Option<PathBuf>,
    },
    /// A kubeconfig, or a context of it, cannot be used.
    #[error("{what} cannot be used")]
    BadKubeconfig {
        /// Which one, in words.
        what: String,
        /// Why.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// The context that was asked for is not in the kubeconfig.
    #[error("{}", no_context(.file, .name, .available))]
    NoContext {
        /// The kubeconfig, in words.
        file: String,
        /// What was asked for.
        name: String,
        /// What there is.
        available: Vec<String>,
    },
    /// The program that the context logs in with did not do so.
    #[error("context `{context}` cannot log in with `{program}`: {why}")]
    Login {
        /// Context.
        context: String,
        /// Program.
        program: String,
        /// What went wrong, or what it said.
        why: String,
    },
    /// The client could not be set up, as when a certificate is not one.
    #[error("the connection to the cluster of context `{context}` cannot be set up")]
    Setup {
        /// Context.
        context: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The API server does not answer.
    #[error("cannot reach the API server {server} of context `{context}`")]
    Unreachable {
        /// Context.
        context: String,
        /// URL.
        server: String,
        /// Why.
        why: String,
    },
    /// What answers cannot prove that it is the API server.
    #[error(
        "the certificate of the API server {server} is not one that context `{context}` trusts"
    )]
    Untrusted {
        /// Context.
        context: String,
        /// URL.
        server: String,
        /// Why.
        why: String,
    },
    /// What answers is something else.
    #[error(
        "what answers at {server} of context `{context}` is no API server of Kubernetes: it knows no {kind}"
    )]
    NotKubernetes {
        /// Context.
        context: String,
        /// URL.
        server: String,
        /// A kind that every API server has.
        kind: String,
    },
    /// The API server does not know who we are.
    #[error("the API server {server} does not accept the credentials of context `{context}`")]
    Unauthorized {
        /// Context.
        context: String,
        /// URL.
        server: String,
    },
    /// The API server knows who we are, and we may not.
    #[error("not allowed to {verb} {what}: {message}")]
    Forbidden {
        /// What was tried.
        verb: &'static str,
        /// On what.
        what: String,
        /// What the API server said.
        message: String,
    },
    /// The API server, or an admission rule, refused.
    #[error("the API server refused to {verb} {what}: {message}")]
    Refused {
        /// What was tried.
        verb: &'static str,
        /// On what.
        what: String,
        /// HTTP status.
        code: u16,
        /// Machine-readable reason.
        reason: String,
        /// What the API server said.
        message: String,
    },
    /// The API server itself is not well.
    #[error("the API server failed to {verb} {what}: {message}")]
    Failed {
        /// What was tried.
        verb: &'static str,
        /// On what.
        what: String,
        /// What the API server said.
        message: String,
        /// Context.
        context: String,
    },
    /// An answer that makes no sense.
    #[error("the API server gave an answer about {what} that cannot be understood")]
    Unexpected {
        /// About what.
        what: String,
    },
    /// Everything else.
    #[error("failed to {verb} {what}")]
    Other {
        /// What was tried.
        verb: &'static str,
        /// On what.
        what: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
}

fn shown(path: Option<&PathBuf>) -> String {
    path.map_or_else(String::new, |path| format!(" at {}", path.display()))
}

fn no_context(file: &str, name: &str, available: &[String]) -> String {
    match (name, available) {
        (_, []) => format!("{file} has no contexts"),
        ("", _) => format!("{file} names no current context"),
        _ => format!("{file} has no context `{name}`"),
    }
}

/// Most contexts that are listed.
const LISTED: usize = 10;

/// What to write in place of a context that is not there.
fn other_context(name: &str, available: &[String]) -> String {
    let mut all = available.to_vec();
    all.sort();
    let more = all.len().saturating_sub(LISTED);
    all.truncate(LISTED);
    let mut list = all.join(", ");
    if more > 0 {
        list.push_str(&format!(
            " and {more} more: kubectl config get-contexts --output=name"
        ));
    }
    match nearest(name, available.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`? the contexts are {list}"),
        None => format!("choose one with --context: {list}"),
    }
}

impl ClusterError {
    /// Why the client could not be set up. `program` is what the context logs in with.
    pub(super) fn setup(context: &str, program: Option<String>, error: kube::Error) -> Self {
        let why = match &error {
            kube::Error::Auth(AuthError::AuthExecStart(error)) => error.to_string(),
            // What it printed on stdout may be a token.
            kube::Error::Auth(AuthError::AuthExecRun { out, .. }) => {
                String::from_utf8_lossy(&out.stderr).trim().to_owned()
            }
            _ => {
                return Self::Setup {
                    context: context.to_owned(),
                    source: Box::new(error),
                };
            }
        };
        Self::Login {
            context: context.to_owned(),
            program: program.unwrap_or_default(),
            why,
        }
    }

    pub(super) fn of(
        verb: &'static str,
        what: &str,
        context: &str,
        server: &str,
        error: kube::Error,
    ) -> Self {
        let status = match error {
            kube::Error::Api(status) => status,
            other => match connection(&other) {
                Some(Connection::Untrusted(why)) => {
                    return Self::Untrusted {
                        context: context.to_owned(),
                        server: server.to_owned(),
                        why,
                    };
                }
                Some(Connection::Failed(why)) => {
                    return Self::Unreachable {
                        context: context.to_owned(),
                        server: server.to_owned(),
                        why,
                    };
                }
                None => {
                    return Self::Other {
                        verb,
                        what: what.to_owned(),
                        source: Box::new(other),
                    };
                }
            },
        };
        match status.code {
            401 => Self::Unauthorized {
                context: context.to_owned(),
                server: server.to_owned(),
            },
            // Admission and quota refuse with 403 as well; only RBAC says who cannot do what.
            403 if status.message.contains(" cannot ") => Self::Forbidden {
                verb,
                what: what.to_owned(),
                // What follows is who cannot do what; what comes before says the same in other words.
                message: match status.message.find("User ") {
                    Some(at) => status.message[at..].to_owned(),
                    None => status.message,
                },
            },
            500.. => Self::Failed {
                verb,
                what: what.to_owned(),
                message: status.message,
                context: context.to_owned(),
            },
            code => Self::Refused {
                verb,
                what: what.to_owned(),
                code,
                reason: status.reason,
                message: status.message,
            },
        }
    }

    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Cluster
    }

    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKubeconfig { .. } => {
                "pass --kubeconfig FILE, or set KUBECONFIG; without a cluster, `k8s-ee plan --offline` and \
                 `k8s-ee render` still work"
                    .to_owned()
            }
            Self::BadKubeconfig { .. } => "check it: kubectl config view".to_owned(),
            Self::NoContext { available, .. } if available.is_empty() => {
                "log in to a cluster, which writes one, or pass --kubeconfig FILE".to_owned()
            }
            Self::Login { program, .. } => {
                format!("see that `{program}` is installed and that you are logged in with it")
            }
            Self::NoContext { name, available, .. } => other_context(name, available),
            Self::Setup { .. } => "check the certificates and keys of the context: kubectl config view".to_owned(),
            Self::Unreachable { context, .. } => {
                format!("check that it runs and can be reached from here: kubectl --context {context} get --raw /readyz")
            }
            Self::Untrusted { .. } => {
                "see that `certificate-authority` of the context's cluster is that of this cluster, and not of one before it: \
                 kubectl config view; a proxy between may show a certificate of its own"
                    .to_owned()
            }
            Self::NotKubernetes { .. } => "check the `server` of the context's cluster: kubectl config view".to_owned(),
            Self::Unauthorized { context, .. } => {
                format!("the token or certificate may have expired; log in again, then check: kubectl --context {context} auth whoami")
            }
            Self::Forbidden { .. } => {
                "ask whoever runs the cluster for that right (`deployers` of the chart k8s-ee-platform gives what k8s-ee needs), \
                 or use another context"
                    .to_owned()
            }
            Self::Failed { context, .. } => {
                format!("try again; whether it is well: kubectl --context {context} get --raw /readyz")
            }
            Self::Refused { message, .. } if message.contains("ValidatingAdmissionPolicy") => {
                "that is a policy of whoever runs the cluster; `deployers` of the chart k8s-ee-platform says which account may \
                 deploy what"
                    .to_owned()
            }
            Self::Refused { .. } | Self::Unexpected { .. } | Self::Other { .. } => return None,
        })
    }
}

/// Why the API server did not answer.
enum Connection {
    /// It cannot be reached.
    Failed(String),
    /// What answers is not it, as far as we know.
    Untrusted(String),
}

/// Why the API server did not answer, if that is what an error of the client means.
fn connection(error: &kube::Error) -> Option<Connection> {
    let mut is_connection = matches!(
        error,
        kube::Error::HyperError(_) | kube::Error::ReadEvents(_)
    );
    if !is_connection && !matches!(error, kube::Error::Service(_)) {
        return None;
    }
    // The innermost says why; those around it, in which part of which library it came up.
    let mut why = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        why = cause.to_string();
        let io = cause.downcast_ref::<io::Error>();
        is_connection |= io.is_some() || why.contains("connect");
        if let Some(certificate) = why.strip_prefix("invalid peer certificate: ") {
            return Some(Connection::Untrusted(match certificate {
                "UnknownIssuer" => "an authority that is not known here has signed it".to_owned(),
                certificate => certificate.to_owned(),
            }));
        }
        if io
            .and_then(io::Error::get_ref)
            .is_some_and(|inner| inner.is::<Elapsed>())
        {
            why = format!("no connection within {} seconds", CONNECT_TIMEOUT.as_secs());
        }
        next = cause.source();
    }
    is_connection.then_some(Connection::Failed(why))
}
