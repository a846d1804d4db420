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
    report::table::table,
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
        Output::Human => printer.data(&human(&summary, &components)),
    }
    Ok(Exit::Success)
}

fn human(summary: &Summary, components: &[ComponentStatus]) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut lines = vec![
        format!(
            "{}  {}  {}",
            summary.namespace,
            summary.state,
            or_none(&summary.url)
        ),
        format!(
            "commit {}  branch {}  repository {}  age {}{}",
            or_none(&summary.commit),
            or_none(&summary.branch),
            or_none(&summary.repository),
            summary.age(),
            if summary.preserved { "  preserved" } else { "" },
        ),
        String::new(),
    ];
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
    ));
    let rows: Vec<Vec<String>> = summary
        .quota
        .iter()
        .map(|(resource, usage)| vec![resource.clone(), usage.used.clone(), usage.hard.clone()])
        .collect();
    lines.push(table(&["QUOTA", "USED", "GRANTED"], &rows));
    lines.join("\n")
}
