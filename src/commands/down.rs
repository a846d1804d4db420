//! `k8s-ee down`: everything of an environment goes.

use std::ops::ControlFlow;

use serde_json::json;

use crate::{
    cli::{DownArgs, Output},
    cluster::{Cluster, ClusterError},
    deploy::{access, live},
    desired::rfc3339,
    error::Failure,
    exit::Exit,
    lifecycle::{
        down::{self, DownError, Ended, Receipt, Request},
        preserve::Preserved,
    },
    model::{labels, object::Object},
    printer::Printer,
    progress::Progress,
    report::github::preserve::Note,
    reporter::Reporter,
};

use super::context;

pub(super) async fn run(
    args: &DownArgs,
    reporter: Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter
        .through(
            &[
                ("state", "left"),
                ("deleted", "false"),
                ("reason", "failed"),
            ],
            async |reporter| take_down(args, reporter, printer).await,
        )
        .await
}

async fn take_down(
    args: &DownArgs,
    reporter: &mut Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter.removes();
    let target = &args.target;
    let cluster = context::connect(&target.connection).await?;
    let key = context::environment_key(&target.key);
    let repository = args.repository.as_deref();
    let namespace = match context::namespace_of(&cluster, target, repository).await {
        Ok(namespace) => namespace,
        // What is not there need not be removed.
        Err(failure) if failure.exit() == Exit::NotFound => {
            reporter.removed(Ok(&Ended::Absent));
            report(args, None, &Ended::Absent, &key.flag(), printer);
            return Ok(Exit::Success);
        }
        Err(failure) => return Err(failure),
    };
    let progress = Progress::new(printer);
    let request = Request {
        namespace: &namespace,
        project: target.project.as_deref(),
        repository,
        force: args.force,
        as_found: false,
        wait: args.wait,
        timeout: args.timeout,
    };
    reporter.about_namespace(&namespace);
    let ended = match down::find(&cluster, &request).await {
        Ok(ControlFlow::Continue(found)) => {
            reporter.removing();
            let ended = remove(&cluster, &request, &found, &progress).await;
            if ended.is_ok() && Preserved::of(&found).is_some() {
                let by = reporter.asker().filter(|_| args.force);
                let note = Note::Removed { by };
                reporter.preserves(&namespace, None, &note).await;
            }
            ended
        }
        Ok(ControlFlow::Break(ended)) => Ok(ended),
        Err(error) => Err(error),
    };
    progress.clear();
    reporter.removed(ended.as_ref());
    match ended {
        Ok(ended) => {
            report(args, Some(&namespace), &ended, &key.flag(), printer);
            Ok(Exit::Success)
        }
        Err(error) => Err(failure(error, &key.flag())),
    }
}

/// Removes it, with rights that are given first where they are missing.
pub(super) async fn remove(
    cluster: &Cluster,
    request: &Request<'_>,
    found: &Object,
    progress: &Progress,
) -> Result<Ended, DownError> {
    let ended = down::remove(cluster, request, found, progress).await;
    if matches!(
        &ended,
        Err(DownError::Cluster(ClusterError::Forbidden { .. }))
    ) && admit(cluster, request.namespace).await
    {
        return down::remove(cluster, request, found, progress).await;
    }
    ended
}

/// Gives whoever deploys the rights in an environment that was made without them; `false` when that is not to be had.
async fn admit(cluster: &Cluster, namespace: &str) -> bool {
    let admitted = async {
        let id = live::namespace_id(namespace);
        let Some(there) = cluster.get(&id).await? else {
            return Ok(false);
        };
        let settings = context::settings_of_cluster(cluster).await?;
        let access = settings.unwrap_or_default().access;
        let project = there.label(labels::PROJECT_ID).unwrap_or_default();
        Ok::<_, Failure>(access::admit(cluster, namespace, project, &access).await?)
    };
    admitted.await.unwrap_or_else(|error| {
        tracing::debug!(?error, "no rights in {namespace}");
        false
    })
}

fn report(args: &DownArgs, namespace: Option<&str>, ended: &Ended, key: &str, printer: Printer) {
    let (state, receipt) = match ended {
        Ended::Absent => ("absent", None),
        Ended::Preserved(_) => ("preserved", None),
        Ended::Gone(receipt) => ("gone", Some(receipt)),
        Ended::Marked(receipt) => ("marked", Some(receipt)),
    };
    match args.output.output {
        Output::Json => {
            let seen = receipt.filter(|receipt| !receipt.unseen);
            let preserved = match ended {
                Ended::Preserved(preserved) => Some(preserved),
                _ => None,
            };
            printer.data(&format!(
                "{:#}",
                json!({
                    "version": 1,
                    "namespace": namespace,
                    "state": state,
                    "preserveUntil": preserved.and_then(|p| p.until).map(rfc3339),
                    "preservedBy": preserved.and_then(|p| p.by.as_deref()),
                    "removed": seen.map(|r| &r.objects),
                    "volumes": seen.map(|r| &r.volumes),
                    "keptVolumes": seen.map(|r| &r.kept_volumes),
                })
            ));
        }
        Output::Human => printer.note(&match ended {
            Ended::Absent => {
                format!(
                    "there is no environment {}; nothing to do",
                    namespace.unwrap_or(key)
                )
            }
            Ended::Preserved(preserved) => format!(
                "{} is {preserved}; nothing was removed\n\n\
                 hint: remove it all the same: k8s-ee down {key} --force",
                namespace.unwrap_or(key),
            ),
            Ended::Gone(receipt) => {
                format!("{} is gone: {}", receipt.namespace, receipt_text(receipt))
            }
            Ended::Marked(receipt) => format!(
                "{} is marked for deletion and going: {}",
                receipt.namespace,
                receipt_text(receipt)
            ),
        }),
    }
}

/// What was removed, in words.
pub(super) fn receipt_text(receipt: &Receipt) -> String {
    let mut parts: Vec<String> = receipt
        .objects
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if !receipt.volumes.is_empty() {
        parts.push(format!("{} PersistentVolume", receipt.volumes.len()));
    }
    let mut text = if receipt.unseen {
        "what was in it could not be looked at".to_owned()
    } else if parts.is_empty() {
        "it was empty".to_owned()
    } else {
        format!("removed {}", parts.join(", "))
    };
    if !receipt.kept_volumes.is_empty() {
        text.push_str(&format!(
            "; kept by their reclaim policy: {}",
            receipt.kept_volumes.join(", ")
        ));
    }
    text
}

fn failure(error: DownError, key: &str) -> Failure {
    let text = error.to_string();
    match error {
        DownError::Cluster(error) => error.into(),
        DownError::NotOurs(error) => {
            Failure::new(Exit::Ownership, format!("{text}; nothing was removed")).hint(error.hint())
        }
        DownError::Blocked { namespace, left } => {
            let failure = Failure::new(Exit::Timeout, text);
            let failure = if left.is_empty() {
                failure
            } else {
                failure.because(left.join("\n"))
            };
            failure.hint(format!(
                "what holds it must let go, or its finalizer be removed by whoever set it; then: k8s-ee down {key}\n\
                 see everything that is left: kubectl get namespace {namespace} -o yaml"
            ))
        }
        DownError::Changed { .. } => Failure::new(Exit::Failure, text),
        DownError::Interrupted { .. } => {
            Failure::new(Exit::Interrupted, text).hint(format!("see it go: k8s-ee down {key}"))
        }
    }
}
