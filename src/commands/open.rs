//! `k8s-ee open`: the URL of an environment, in the browser where there is one.

use std::io::IsTerminal as _;

use serde_json::json;

use crate::{
    cli::{OpenArgs, Output},
    cluster::path::Collection,
    deploy::live,
    error::Failure,
    exit::Exit,
    lifecycle::{components::typed, summary::Summary},
    printer::Printer,
    process,
};

use super::context;

pub(super) async fn run(args: OpenArgs, printer: Printer) -> Result<Exit, Failure> {
    let target = &args.target;
    let cluster = context::connect(&target.connection).await?;
    let name = context::namespace(&cluster, target).await?;
    let ingresses = Collection {
        api_version: "networking.k8s.io/v1",
        kind: "Ingress",
        namespace: Some(&name),
    };
    let id = live::namespace_id(&name);
    let (namespace, ingresses) =
        futures::try_join!(cluster.get(&id), cluster.list(&ingresses, ""))?;
    let Some(namespace) = namespace.filter(live::is_environment) else {
        return Err(
            Failure::new(Exit::NotFound, format!("there is no environment {name}"))
                .hint("list them: k8s-ee list"),
        );
    };
    let ingresses = typed(&ingresses.unwrap_or_default());
    let summary = Summary::of(&namespace, &ingresses, &[], jiff::Timestamp::now());
    let key = context::environment_key(&target.key).flag();
    let Some(url) = &summary.url else {
        return Err(Failure::new(
            Exit::NotFound,
            format!("{name} has no URL: no service of it is public, or it has not been up yet"),
        )
        .hint(format!(
            "see what there is: k8s-ee status {key}; reach a service that is not public: k8s-ee port-forward {key} SERVICE"
        )));
    };
    match args.output.output {
        Output::Json => printer.data(
            &json!({"version": 1, "namespace": name, "url": url, "state": summary.state})
                .to_string(),
        ),
        Output::Human => {
            printer.data(url);
            // Whoever takes the URL from here wants no window.
            if std::io::stdout().is_terminal() && !process::open_in_browser(url) {
                printer.note("note: no browser was found; open the URL by hand");
            }
        }
    }
    Ok(Exit::Success)
}
