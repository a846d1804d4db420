//! `k8s-ee list`: all environments of the cluster.

use std::collections::HashMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    cli::{ListArgs, Output},
    cluster::{Cluster, path::Collection},
    deploy::live,
    error::Failure,
    exit::Exit,
    lifecycle::summary::{Ingress, ResourceQuota, Summary},
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
        context::environments(&cluster, args.project.as_deref(), None),
        list(&cluster, INGRESSES),
        list(&cluster, QUOTAS),
    )?;
    let (ingresses, quotas) = futures::try_join!(
        in_each(&cluster, &namespaces, INGRESSES, ingresses),
        in_each(&cluster, &namespaces, QUOTAS, quotas),
    )?;
    let ingresses = by_namespace(ingresses, Ingress::namespace);
    let quotas = by_namespace(quotas, ResourceQuota::namespace);
    let now = jiff::Timestamp::now();
    let mut summaries: Vec<Summary> = namespaces
        .iter()
        .map(|namespace| {
            let name = namespace.name();
            let ingresses = ingresses.get(name).map_or(&[][..], Vec::as_slice);
            let quotas = quotas.get(name).map_or(&[][..], Vec::as_slice);
            Summary::of(namespace, ingresses, quotas, now)
        })
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
                        match one.preserved {
                            true => format!("{}, preserved", one.state),
                            false => one.state.clone(),
                        },
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
async fn list<T: DeserializeOwned>(
    cluster: &Cluster,
    collection: Collection<'_>,
) -> Result<Option<Vec<T>>, Failure> {
    let found = live::if_allowed(cluster.list_as(&collection, "").await)?;
    Ok(found.map(Option::unwrap_or_default))
}

/// What was found in all namespaces. Who may not look there looks into the environments one by one; those that they may
/// not look into either are shown without.
async fn in_each<T: DeserializeOwned>(
    cluster: &Cluster,
    environments: &[Object],
    kind: Collection<'_>,
    found: Option<Vec<T>>,
) -> Result<Vec<T>, Failure> {
    if let Some(found) = found {
        return Ok(found);
    }
    let each: Vec<Option<Vec<T>>> = stream::iter(environments)
        .map(|environment| {
            let namespace = Some(environment.name());
            list(cluster, Collection { namespace, ..kind })
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(each.into_iter().flatten().flatten().collect())
}

fn by_namespace<T>(found: Vec<T>, namespace: impl Fn(&T) -> &str) -> HashMap<String, Vec<T>> {
    let mut all: HashMap<String, Vec<T>> = HashMap::new();
    for one in found {
        all.entry(namespace(&one).to_owned()).or_default().push(one);
    }
    all
}
