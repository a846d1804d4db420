//! `k8s-ee status`: one environment, component by component.

use serde_json::json;

use crate::{
    cli::{Output, StatusArgs},
    error::Failure,
    exit::Exit,
    lifecycle::{
        components::{ComponentStatus, look},
        summary::Summary,
    },
    printer::Printer,
    report::table::{line, table},
};

use super::context;

pub(super) async fn run(args: StatusArgs, printer: Printer) -> Result<Exit, Failure> {
    let target = &args.target;
    let cluster = context::connect(&target.connection).await?;
    let name = context::namespace(&cluster, target).await?;
    let Some((summary, components)) = look(&cluster, &name).await? else {
        return Err(
            Failure::new(Exit::NotFound, format!("there is no environment {name}"))
                .hint("list them: k8s-ee list"),
        );
    };
    match args.output.output {
        Output::Json => {
            let mut json = json!(summary);
            json["version"] = 1.into();
            json["components"] = json!(components);
            printer.data(&format!("{json:#}"));
        }
        Output::Human => printer.data(&human(&summary, &components, printer.columns())),
    }
    Ok(Exit::Success)
}

fn human(summary: &Summary, components: &[ComponentStatus], width: Option<usize>) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let title = [
        summary.namespace.clone(),
        summary.state.clone(),
        or_none(&summary.url),
    ];
    let mut about = vec![
        format!("commit {}", or_none(&summary.commit)),
        format!("branch {}", or_none(&summary.branch)),
        format!("repository {}", or_none(&summary.repository)),
        format!("age {}", summary.age()),
    ];
    about.extend(summary.preservation().map(|kept| kept.to_string()));
    let mut lines = vec![line(&title, width), line(&about, width), String::new()];
    let rows: Vec<Vec<String>> = components
        .iter()
        .map(|one| {
            vec![
                one.name.clone(),
                one.state.clone(),
                one.pods.to_string(),
                one.restarts.to_string(),
                or_none(&one.image),
            ]
        })
        .collect();
    lines.push(table(
        &["COMPONENT", "STATE", "PODS", "RESTARTS", "IMAGE"],
        &rows,
        width,
    ));
    let rows: Vec<Vec<String>> = summary
        .quota
        .iter()
        .map(|(resource, usage)| vec![resource.clone(), usage.used.clone(), usage.hard.clone()])
        .collect();
    lines.push(table(&["QUOTA", "USED", "GRANTED"], &rows, width));
    lines.join("\n")
}
