//! `k8s-ee comment`: the comment on the pull request, when nothing else has made it right.

use serde_json::json;

use crate::{
    cli::{CommentArgs, Output},
    error::Failure,
    exit::Exit,
    printer::Printer,
    report::github::facts::State,
    reporter::Reporter,
};

pub(super) async fn run(
    args: &CommentArgs,
    mut reporter: Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    let word = args.state.as_deref();
    let (namespace, url) = (args.namespace.clone(), args.preview_url.clone());
    if args.dry_run {
        printer.data(&reporter.preview(&args.jobs, word, namespace, url)?);
        return Ok(Exit::Success);
    }
    reporter.deploys();
    let settled = reporter.settle(&args.jobs, word, namespace, url).await?;
    let state = settled.state.map(State::name);
    reporter.output(
        "comment-id",
        settled.id.map(|id| id.to_string()).unwrap_or_default(),
    );
    reporter.output("comment-url", settled.url.clone().unwrap_or_default());
    reporter.output("state", state.unwrap_or_default());
    reporter.write_outputs();
    match args.output.output {
        Output::Json => printer.data(&format!(
            "{:#}",
            json!({
                "version": 1,
                "commentId": settled.id,
                "commentUrl": settled.url,
                "state": state,
                "left": settled.left,
            })
        )),
        Output::Human => match (settled.left, settled.url) {
            (Some(why), _) => printer.note(&format!("the comment is left: {why}")),
            (None, url) => printer.data(&url.unwrap_or_default()),
        },
    }
    Ok(Exit::Success)
}
