//! `k8s-ee list`: all environments of the cluster.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::{
    cli::{ListArgs, Output},
    cluster::{Cluster, path::Collection},
    deploy::live,
    error::Failure,
    exit::Exit,
    lifecycle::summary::Summary,
    model::object::Object,
    printer::Printer,
    report::table::table,
};

use super::context;

/// What is asked of every environment, in all namespaces at once where that is allowed.
const INGRESSES: Collection<'_> = Collection {
    api_version: "networking.k8s.io/v1",
    kind: "Ingress",
    namespace: None,
};
const QUOTAS: Collection<'_> = Collection {
    api_version: "v1",
    kind: "ResourceQuota",
    namespace: None,
};

/// How many environments are asked at a time.
const AT_A_TIME: usize = 16;

pub(super) async fn run(args: ListArgs, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.connection).await?;
    let (namespaces, ingresses, quotas) = futures::try_join!(
        context::environments(&cluster),
        list(&cluster, INGRESSES),
        list(&cluster, QUOTAS),
    )?;
    let (ingresses, quotas) = futures::try_join!(
        in_each(&cluster, &namespaces, INGRESSES, ingresses),
        in_each(&cluster, &namespaces, QUOTAS, quotas),
    )?;
    let now = jiff::Timestamp::now();
    let mut summaries: Vec<Summary> = namespaces
        .iter()
        .map(|namespace| Summary::of(namespace, &ingresses, &quotas, now))
        .filter(|summary| args.project.as_ref().is_none_or(|p| *p == summary.project))
        .collect();
    summaries
        .sort_by(|a, b| (&a.project, a.pr, &a.namespace).cmp(&(&b.project, b.pr, &b.namespace)));
    match args.output.output {
        Output::Json => {
            printer.data(&format!(
                "{:#}",
                json!({"version": 1, "environments": summaries})
            ));
        }
        Output::Human if summaries.is_empty() => printer.note("there are no environments"),
        Output::Human => {
            let percent = |summary: &Summary, resource| {
                summary
                    .percent(resource)
                    .map_or_else(|| "-".to_owned(), |p| format!("{p}%"))
            };
            let rows: Vec<Vec<String>> = summaries
                .iter()
                .map(|one| {
                    vec![
                        one.namespace.clone(),
                        one.state.clone(),
                        one.age(),
                        percent(one, "limits.cpu"),
                        percent(one, "limits.memory"),
                        one.url.clone().unwrap_or_else(|| "-".to_owned()),
                    ]
                })
                .collect();
            printer.data(&table(
                &["ENVIRONMENT", "STATE", "AGE", "CPU", "MEMORY", "URL"],
                &rows,
                printer.columns(),
            ));
        }
    }
    Ok(Exit::Success)
}

/// What there is of a kind; none for who may not see it.
async fn list(
    cluster: &Cluster,
    collection: Collection<'_>,
) -> Result<Option<Vec<Object>>, Failure> {
    let found = live::if_allowed(cluster.list(&collection, "").await)?;
    Ok(found.map(Option::unwrap_or_default))
}

/// What was found in all namespaces. Who may not look there looks into the environments one by one; those that they may
/// not look into either are shown without.
async fn in_each(
    cluster: &Cluster,
    environments: &[Object],
    kind: Collection<'_>,
    found: Option<Vec<Object>>,
) -> Result<Vec<Object>, Failure> {
    if let Some(found) = found {
        return Ok(found);
    }
    let each: Vec<Option<Vec<Object>>> = stream::iter(environments)
        .map(|environment| {
            let namespace = Some(environment.name());
            list(cluster, Collection { namespace, ..kind })
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(each.into_iter().flatten().flatten().collect())
}
