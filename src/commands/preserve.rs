//! `k8s-ee preserve`: an environment stays for a while although its pull request is closed.

use serde_json::json;

use crate::{
    cli::{Output, PreserveArgs},
    cluster::{Cluster, examine, path::Collection},
    deploy::live,
    desired::rfc3339,
    error::Failure,
    exit::Exit,
    lifecycle::{
        preserve::{self, Preserved, Refusal, allow, begin, end},
        summary::{Ingress, Summary},
    },
    model::{labels, object::Object, settings::PreserveSettings},
    printer::Printer,
    report::github::preserve::Note,
    reporter::Reporter,
};

use super::context;

/// Who asks, where nobody can tell.
const NOBODY: &str = "unknown";

/// The environment as it was found.
struct Seen {
    /// Its namespace; what it was asked for by until that is known.
    namespace: String,
    /// Until when it was preserved already.
    until: Option<jiff::Timestamp>,
}

/// What became of it.
struct Ended {
    namespace: String,
    until: Option<jiff::Timestamp>,
    by: String,
}

pub(super) async fn run(
    args: &PreserveArgs,
    reporter: Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    let unless_told = [("state", "failed"), ("preserved-until", "")];
    reporter
        .through(&unless_told, async |reporter| {
            reporter.is_beside();
            let key = context::environment_key(&args.target.key);
            let mut seen = Seen {
                namespace: key.flag(),
                until: None,
            };
            let ended = preserve(args, reporter, &mut seen).await;
            reporter.output("namespace", seen.namespace.as_str());
            match ended {
                Ok(ended) => {
                    report(args, &ended, reporter, printer);
                    Ok(Exit::Success)
                }
                Err(failure) => {
                    match failure.exit() {
                        Exit::NotFound => reporter.output("state", "absent"),
                        Exit::Denied => reporter.output("state", "refused"),
                        _ => {}
                    }
                    let Seen { namespace, until } = &seen;
                    reporter
                        .does_not_preserve(namespace, *until, &failure)
                        .await;
                    Err(failure)
                }
            }
        })
        .await
}

/// Preserves it, or ends that; `seen` tells how it was found, also when that fails.
async fn preserve(
    args: &PreserveArgs,
    reporter: &Reporter,
    seen: &mut Seen,
) -> Result<Ended, Failure> {
    let target = &args.target;
    let repository = args.repository.as_deref();
    let cluster = context::connect(&target.connection).await?;
    seen.namespace = context::namespace_of(&cluster, target, repository).await?;
    let name = seen.namespace.as_str();
    let environment = context::environment(&cluster, name).await?;
    let preserved = Preserved::now(&environment, jiff::Timestamp::now());
    seen.until = preserved.and_then(|preserved| preserved.until);
    live::check_owner(&environment, target.project.as_deref(), repository)
        .map_err(|error| Failure::new(Exit::Ownership, error.to_string()).hint(error.hint()))?;
    let by = match reporter.asker() {
        Some(login) => login.to_owned(),
        None => examine::user(&cluster)
            .await?
            .unwrap_or_else(|| NOBODY.to_owned()),
    };
    let url = url(&cluster, &environment).await;
    let until = if args.off {
        cluster.merge(&environment.id(), &end()).await?;
        None
    } else {
        Some(keep(args, &cluster, &environment, &by).await?)
    };
    let note = match until {
        Some(until) => Note::Kept { until, by: &by },
        // Where the pull request is closed, the workflow removes it instead.
        None => Note::Ended {
            by: Some(&by),
            is_open: true,
        },
    };
    reporter.preserves(name, url.as_deref(), &note).await;
    Ok(Ended {
        namespace: name.to_owned(),
        until,
        by,
    })
}

/// Preserves it, as far as the platform allows.
async fn keep(
    args: &PreserveArgs,
    cluster: &Cluster,
    environment: &Object,
    by: &str,
) -> Result<jiff::Timestamp, Failure> {
    // A file on the command line would be of whoever asks.
    let (settings, others) =
        futures::join!(context::settings_of_cluster(cluster), preserved(cluster));
    let settings = settings?.unwrap_or_default().lifecycle.preserve;
    let name = environment.name();
    let ask = |others: &[Object], settings: &PreserveSettings| {
        let now = jiff::Timestamp::now();
        allow(others, name, by, args.duration, settings, now).map_err(refusal)
    };
    let until = ask(&others?, &settings)?;
    let id = environment.id();
    let written = cluster.merge(&id, &begin(until, by)).await?;
    if written.as_ref().is_none_or(live::is_terminating) {
        return Err(context::is_going(name));
    }
    // Two who ask at the same moment both saw room for one.
    if let Err(failure) = ask(&preserved(cluster).await?, &settings) {
        cluster.merge(&id, &before(environment)).await?;
        return Err(failure);
    }
    Ok(until)
}

/// The change that makes a namespace say what it said about being preserved.
fn before(environment: &Object) -> serde_json::Value {
    match Preserved::of(environment) {
        Some(Preserved {
            until: Some(until),
            by,
            ..
        }) => begin(until, by.as_deref().unwrap_or(NOBODY)),
        _ => end(),
    }
}

/// The environments that are preserved.
async fn preserved(cluster: &Cluster) -> Result<Vec<Object>, Failure> {
    let namespaces = Collection {
        api_version: "v1",
        kind: "Namespace",
        namespace: None,
    };
    let selector = format!(
        "{}={},{}",
        labels::TYPE,
        labels::TYPE_ENVIRONMENT,
        labels::PRESERVE
    );
    let found = cluster.list_heads(&namespaces, &selector).await?;
    Ok(found.unwrap_or_default())
}

/// Where it is reached; nowhere for who may not see it.
pub(super) async fn url(cluster: &Cluster, environment: &Object) -> Option<String> {
    let ingresses = Collection {
        api_version: "networking.k8s.io/v1",
        kind: "Ingress",
        namespace: Some(environment.name()),
    };
    let found: Option<Vec<Ingress>> = cluster.list_as(&ingresses, "").await.ok()?;
    let now = jiff::Timestamp::now();
    Summary::of(environment, &found.unwrap_or_default(), &[], now).url
}

fn refusal(refusal: Refusal) -> Failure {
    let hint = refusal.hint();
    Failure::new(Exit::Denied, refusal.to_string()).hint(hint)
}

fn report(args: &PreserveArgs, ended: &Ended, reporter: &mut Reporter, printer: Printer) {
    let state = if ended.until.is_some() {
        "preserved"
    } else {
        "ended"
    };
    let until = ended.until.map(rfc3339);
    reporter.output("state", state);
    reporter.output("preserved-until", until.clone().unwrap_or_default());
    let namespace = &ended.namespace;
    match (args.output.output, ended.until) {
        (Output::Json, _) => printer.data(&format!(
            "{:#}",
            json!({
                "version": 1,
                "namespace": namespace,
                "state": state,
                "until": until,
                "by": ended.by,
            })
        )),
        (Output::Human, Some(time)) => {
            let time = preserve::shown(time);
            printer.note(&format!(
                "{namespace} is preserved until {time}, by {}",
                ended.by
            ));
            printer.data(&until.unwrap_or_default());
        }
        (Output::Human, None) => printer.note(&format!("{namespace} is not preserved")),
    }
}
