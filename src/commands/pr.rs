//! `k8s-ee pr`: what is to be done about the environment of a pull request.

mod look;

use serde_json::json;

use crate::{
    cli::{Output, PrArgs},
    error::Failure,
    exit::Exit,
    github::{Repository, pulls::PullRequest, workflow::files::StepFiles},
    model::EnvironmentKey,
    printer::Printer,
    reporter::run::Run,
    trigger::{Cause, Decision, Situation, decide, known::Known},
};

use super::file;
use look::{File, Looker};

/// What is told in the end.
#[derive(Default)]
struct Answer {
    number: Option<u64>,
    pull: Option<PullRequest>,
    project_id: Option<String>,
    notes: Vec<String>,
}

pub(super) async fn run(args: PrArgs, printer: Printer) -> Result<Exit, Failure> {
    let run = Run::find()?;
    let repository = run.repository(args.repository.as_deref())?;
    let mut answer = Answer::default();
    let event = run.context.as_ref().map(|context| &context.event);
    let cause = match Cause::of_event(event) {
        Ok(cause) => match (args.pr, run.number()) {
            // What happened, happened to another one.
            (Some(named), Some(of_event)) if named != of_event => Cause::Other,
            _ => cause,
        },
        Err(reason) => {
            answer.number = run.number();
            return tell(
                &args,
                &run.files,
                &answer,
                &Decision::nothing(reason),
                printer,
            );
        }
    };
    let path = file::in_repository(&args.config).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("`{}` is not a path of the repository", args.config),
        )
    })?;
    let client = run.needed_client("looking at a pull request")?;
    let looker = Looker {
        client,
        repository: &repository,
        run: run.context.as_ref(),
    };
    let Some(number) = looker.number(args.pr).await? else {
        let decision = Decision::nothing("no pull request has this commit");
        return tell(&args, &run.files, &answer, &decision, printer);
    };
    let (pull, comments) = futures::future::join(
        client.pull_request(&repository, number),
        client.comments(&repository, number),
    )
    .await;
    let pull = pull?;
    // Whatever cannot be known, an environment can always be removed.
    let comments = match comments {
        Err(error) if !pull.open => {
            answer
                .notes
                .push(format!("the comments are not known: {error}"));
            Vec::new()
        }
        comments => comments?,
    };
    let found = match looker.file(&path, &pull).await {
        Err(error) if !pull.open => {
            answer.notes.push(format!("the file is not known: {error}"));
            None
        }
        file => file?,
    };
    let (permission, newest) = looker
        .commands(&cause, &pull, found.as_ref(), &comments)
        .await?;
    let known = match looker.known(&comments).await {
        Err(error) if !pull.open => {
            answer
                .notes
                .push(format!("the environment is not known: {error}"));
            Known::Nothing
        }
        known => known?,
    };
    if let Some(File { valid: false, .. }) = &found {
        answer.notes.push(format!(
            "{} is not valid: k8s-ee validate says why",
            args.config
        ));
    }
    let decision = decide(&Situation {
        pull: &pull,
        cause: &cause,
        permission,
        newest,
        known: &known,
        rules: found.as_ref().map(|file| &file.rules),
    });
    if let (Some(reaction), Cause::Comment { id, .. }) = (decision.reaction, &cause)
        && let Err(error) = client.react(&repository, *id, reaction).await
    {
        answer
            .notes
            .push(format!("the comment was not answered: {error}"));
    }
    answer.number = Some(number);
    answer.project_id = found.and_then(|file| file.project_id);
    answer.pull = Some(pull);
    tell(&args, &run.files, &answer, &decision, printer)
}

/// Prints the decision, and hands it to the steps that follow.
fn tell(
    args: &PrArgs,
    files: &StepFiles,
    answer: &Answer,
    decision: &Decision,
    printer: Printer,
) -> Result<Exit, Failure> {
    let action = decision.action.name();
    let reason = one_line(&decision.reason);
    let pull = answer.pull.as_ref();
    let head = pull.map(|pull| &pull.head);
    let project = answer.project_id.as_deref();
    let namespace = answer
        .number
        .zip(project)
        .map(|(number, project)| EnvironmentKey::Pr(number).namespace(project));
    let is_fork = pull.is_some_and(PullRequest::is_fork);
    let profile = if is_fork { "fork" } else { "default" };
    let head_repository = head.and_then(|head| head.repository.as_ref());
    let shown = |value: Option<String>| value.unwrap_or_default();
    let outputs = [
        ("action", action.to_owned()),
        ("reason", reason.clone()),
        (
            "pr-number",
            shown(answer.number.map(|number| number.to_string())),
        ),
        ("head-sha", shown(head.map(|head| head.sha.to_string()))),
        ("head-ref", shown(head.map(|head| head.branch.clone()))),
        (
            "head-repository",
            shown(head_repository.map(Repository::to_string)),
        ),
        ("is-fork", is_fork.to_string()),
        ("profile", profile.to_owned()),
        ("project-id", shown(project.map(str::to_owned))),
        ("namespace", shown(namespace.clone())),
        ("waits-for-approval", decision.waits.to_string()),
        ("preserve-for", shown(decision.keep.map(|k| k.to_string()))),
        ("force", decision.force.to_string()),
    ];
    for (name, value) in &outputs {
        files.set_output(name, value).map_err(|error| {
            let hint = error.hint();
            Failure::new(Exit::Failure, "the decision cannot be handed on")
                .because(error)
                .maybe_hint(hint)
        })?;
    }
    for note in &answer.notes {
        printer.note(&format!("note: {}", one_line(note)));
    }
    match args.output.output {
        Output::Json => printer.data(&format!(
            "{:#}",
            json!({
                "version": 1,
                "action": decision.action,
                "reason": reason,
                "prNumber": answer.number,
                "headSha": head.map(|head| head.sha.as_str()),
                "headRef": head.map(|head| head.branch.as_str()),
                "headRepository": head_repository.map(Repository::to_string),
                "isFork": is_fork,
                "profile": profile,
                "projectId": project,
                "namespace": namespace,
                "waitsForApproval": decision.waits,
                "preserveFor": decision.keep.map(|keep| keep.to_string()),
                "force": decision.force,
            })
        )),
        Output::Human => {
            printer.note(&match answer.number {
                Some(number) => format!("#{number}: {reason}"),
                None => reason,
            });
            printer.data(action);
        }
    }
    Ok(Exit::Success)
}

/// A text that strangers have a part in, so that it is one line of a terminal or a log, and no more than that.
fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                ' '
            } else {
                c
            }
        })
        .take(600)
        .collect();
    line.truncate(line.trim_end().len());
    line
}
