//! `k8s-ee list`: all environments of the cluster.

use futures::TryFutureExt as _;
use serde_json::json;

use crate::{
    cli::{ListArgs, Output},
    cluster::path::Collection,
    error::Failure,
    exit::Exit,
    lifecycle::summary::Summary,
    printer::Printer,
    report::table::table,
};

use super::context;

pub(super) async fn run(args: ListArgs, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.connection).await?;
    let ingresses = Collection {
        api_version: "networking.k8s.io/v1",
        kind: "Ingress",
        namespace: None,
    };
    let quotas = Collection {
        api_version: "v1",
        kind: "ResourceQuota",
        namespace: None,
    };
    let (namespaces, ingresses, quotas) = futures::try_join!(
        context::environments(&cluster),
        cluster.list(&ingresses, "").map_err(Failure::from),
        cluster.list(&quotas, "").map_err(Failure::from),
    )?;
    let now = jiff::Timestamp::now();
    let mut summaries: Vec<Summary> = namespaces
        .iter()
        .map(|namespace| {
            Summary::of(
                namespace,
                ingresses.as_deref().unwrap_or_default(),
                quotas.as_deref().unwrap_or_default(),
                now,
            )
        })
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
            ));
        }
    }
    Ok(Exit::Success)
}
