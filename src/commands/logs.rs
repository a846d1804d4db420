//! `k8s-ee logs`: what the components print, one after the other or, with `-f`, together as it comes.

use std::collections::BTreeSet;

use futures::{
    AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _,
    stream::{BoxStream, SelectAll},
};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{ListParams, LogParams},
    runtime::{WatchStreamExt as _, watcher},
};

use crate::{
    cli::LogsArgs, cluster::Cluster, deploy::ready, error::Failure, exit::Exit, printer::Printer,
    signal,
};

use super::context;

pub(super) async fn run(args: LogsArgs, printer: Printer) -> Result<Exit, Failure> {
    let target = &args.target;
    let cluster = context::connect(&target.connection).await?;
    let namespace = context::namespace(&cluster, target).await?;
    // Operators put labels of their own on their pods, so that no selector means all pods of components.
    let is_meant = |pod: &Pod| match &args.component {
        Some(component) => ready::component_of(pod) == Some(component),
        None => ready::component_of(pod).is_some(),
    };
    let api: Api<Pod> = Api::namespaced(cluster.client(), &namespace);
    let mut pods = api
        .list(&ListParams::default())
        .await
        .map_err(|error| cluster.error("list", "Pod", error))?
        .items;
    pods.retain(is_meant);
    if pods.is_empty() && !args.follow {
        let what = match &args.component {
            Some(component) => format!("a component `{component}`"),
            None => "components".to_owned(),
        };
        return Err(
            Failure::new(Exit::NotFound, format!("{namespace} has no pods of {what}")).hint(
                format!(
                    "see what there is: k8s-ee status {}",
                    context::environment_key(&target.key).flag()
                ),
            ),
        );
    }
    if args.follow {
        return follow(&cluster, &api, is_meant, args.tail, printer).await;
    }
    let several = pods.len() > 1;
    for pod in &pods {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let params = LogParams {
            container: ready::main_container(pod).map(str::to_owned),
            tail_lines: Some(args.tail),
            ..LogParams::default()
        };
        match api.logs(name, &params).await {
            Ok(text) => {
                let prefix = prefix(pod, several);
                for line in text.lines() {
                    printer.data(&format!("{prefix}{line}"));
                }
            }
            // A container that has not started has no log yet; the others' are still wanted.
            Err(kube::Error::Api(status)) if status.code == 400 => {
                printer.note(&format!("note: {}", status.message));
            }
            Err(error) => return Err(cluster.error("read the log of", name, error).into()),
        }
    }
    Ok(Exit::Success)
}

/// Which component and pod a line is of, where lines of several are mixed.
fn prefix(pod: &Pod, several: bool) -> String {
    if !several {
        return String::new();
    }
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let suffix = name.rsplit('-').next().unwrap_or(name);
    format!("{}/{suffix} | ", ready::component_of(pod).unwrap_or(name))
}

type Lines = BoxStream<'static, String>;

/// Prints lines as they come, of every container that starts, until interrupted.
async fn follow(
    cluster: &Cluster,
    api: &Api<Pod>,
    is_meant: impl Fn(&Pod) -> bool,
    tail: i64,
    printer: Printer,
) -> Result<Exit, Failure> {
    let mut pods = watcher::watcher(api.clone(), watcher::Config::default())
        .default_backoff()
        .applied_objects()
        .boxed();
    let mut lines: SelectAll<Lines> = SelectAll::new();
    let mut followed: BTreeSet<(String, i32)> = BTreeSet::new();
    loop {
        tokio::select! {
            biased;
            _ = signal::next() => {
                printer.after_key();
                return Ok(Exit::Interrupted);
            }
            pod = pods.next() => match pod {
                Some(Ok(pod)) if !is_meant(&pod) => {}
                Some(Ok(pod)) => {
                    let Some(run) = running(&pod).filter(|run| !followed.contains(run)) else { continue };
                    let params = LogParams {
                        container: ready::main_container(&pod).map(str::to_owned),
                        follow: true,
                        // What starts while we look on is shown from its first line.
                        tail_lines: (run.1 == 0).then_some(tail),
                        ..LogParams::default()
                    };
                    let prefix = prefix(&pod, true);
                    let stream = api
                        .log_stream(&run.0, &params)
                        .await
                        .map_err(|error| cluster.error("read the log of", &run.0, error))?;
                    lines.push(
                        stream
                            .lines()
                            .map_ok(move |line| format!("{prefix}{line}"))
                            .filter_map(|line| async { line.ok() })
                            .boxed(),
                    );
                    followed.insert(run);
                }
                Some(Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error))) => {
                    return Err(cluster.error("watch", "Pod", error).into());
                }
                Some(Err(_)) => {}
                None => return Ok(Exit::Success),
            },
            Some(line) = lines.next(), if !lines.is_empty() => {
                printer.data(&line);
            }
        }
    }
}

/// The pod's name and the number of its run, once its container runs.
fn running(pod: &Pod) -> Option<(String, i32)> {
    let container = ready::main_container(pod)?;
    let mut statuses = pod.status.as_ref()?.container_statuses.iter().flatten();
    let status = statuses.find(|status| status.name == container)?;
    status.state.as_ref()?.running.as_ref()?;
    Some((pod.metadata.name.clone()?, status.restart_count))
}
