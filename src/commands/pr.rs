//! `k8s-ee pr`: what is to be done about the environment of a pull request.

use std::collections::HashMap;

use serde_json::json;

use crate::{
    cli::{Output, PrArgs},
    config::{Config, Source, salvage::Salvage, trigger::Rules},
    error::Failure,
    exit::Exit,
    github::{
        Client, Context, ENVIRONMENT_MARKER, Event, GithubError, Login, Repository,
        access::Permission, comments::Comment, event::WorkflowRunEvent, pulls::PullRequest,
        workflow::files::StepFiles,
    },
    model::EnvironmentKey,
    printer::Printer,
    trigger::{Asked, Cause, Decision, Situation, command::Command, decide, known::Known},
};

use super::remote;

/// Authors of comments whose permission is asked for at most, so that strangers cannot use up the requests of an hour.
const MOST_AUTHORS: usize = 30;

/// What is told in the end.
#[derive(Default)]
struct Answer {
    number: Option<u64>,
    pull: Option<PullRequest>,
    project_id: Option<String>,
    notes: Vec<String>,
}

pub(super) async fn run(args: PrArgs, printer: Printer) -> Result<Exit, Failure> {
    let run = remote::run()?;
    let repository = remote::repository(args.repository.as_deref(), run.as_ref())?;
    let mut answer = Answer::default();
    let cause = match Cause::of_event(run.as_ref().map(|run| &run.event)) {
        Ok(cause) => cause,
        Err(reason) => {
            answer.number = run.as_ref().and_then(Context::number);
            return tell(&args, &answer, &Decision::nothing(reason), printer);
        }
    };
    let client = remote::needed_client(run.as_ref(), "looking at a pull request")?;
    let Some(number) = number(&args, run.as_ref(), &repository, &client).await? else {
        let decision = Decision::nothing("no pull request has this commit");
        return tell(&args, &answer, &decision, printer);
    };
    let asker = Asker {
        client: &client,
        repository: &repository,
    };
    let (pull, comments) = futures::future::join(
        client.pull_request(&repository, number),
        asker.comments(number),
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
    let file = match asker.file(&args.config, &pull).await {
        Err(error) if !pull.open => {
            answer.notes.push(format!("the file is not known: {error}"));
            None
        }
        file => file?,
    };
    let (permission, newest) = asker
        .commands(&cause, pull.is_fork(), run.as_ref(), &comments)
        .await?;
    let known = asker.known(&comments).await?;
    if let Some(File { valid: false, .. }) = &file {
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
        rules: file.as_ref().map(|file| &file.rules),
    });
    if let (Some(reaction), Cause::Comment { id, .. }) = (decision.reaction, &cause)
        && let Err(error) = client.react(&repository, *id, reaction).await
    {
        answer
            .notes
            .push(format!("the comment was not answered: {error}"));
    }
    answer.number = Some(number);
    answer.project_id = file.and_then(|file| file.project_id);
    answer.pull = Some(pull);
    tell(&args, &answer, &decision, printer)
}

/// The pull request that is meant; none when the run is about a commit that is in none.
async fn number(
    args: &PrArgs,
    run: Option<&Context>,
    repository: &Repository,
    client: &Client,
) -> Result<Option<u64>, Failure> {
    if let Some(number) = args.pr.or_else(|| run.and_then(Context::number)) {
        return Ok(Some(number));
    }
    match run.map(|run| &run.event) {
        Some(Event::WorkflowRun(event)) => of_run(event, repository, client).await,
        Some(Event::WorkflowDispatch(inputs)) => {
            let named = inputs.get("pr-number").or_else(|| inputs.get("pr"));
            let named = named.and_then(|text| text.trim().parse().ok());
            named.filter(|number| *number > 0).map(Some).ok_or_else(|| {
                unknown("the run was started by hand without the number of a pull request")
                    .hint("give the workflow an input `pr-number`, or name it with --pr NUMBER")
            })
        }
        _ => {
            Err(unknown("which pull request is meant is not known")
                .hint("name it with --pr NUMBER"))
        }
    }
}

/// The pull request of a run: GitHub names none where the commit is in a fork.
async fn of_run(
    event: &WorkflowRunEvent,
    repository: &Repository,
    client: &Client,
) -> Result<Option<u64>, Failure> {
    let Some(from) = &event.head.repository else {
        return Ok(None);
    };
    let branch = &event.head.branch;
    let mut pulls = client
        .pull_requests_from(repository, from.owner(), branch)
        .await?;
    pulls.retain(|pull| pull.head.repository.as_ref() == Some(from));
    // The newest comes first; that of the commit is meant, else an open one, which has moved on.
    let commit = &event.head.sha;
    for fits in [
        |pull: &PullRequest, same: bool| pull.open && same,
        |pull: &PullRequest, _| pull.open,
        |_: &PullRequest, same| same,
    ] {
        let mut found = pulls
            .iter()
            .filter(|pull| fits(pull, pull.head.sha == *commit));
        match (found.next(), found.next()) {
            (None, _) => {}
            (Some(one), None) => return Ok(Some(one.number)),
            (Some(one), Some(other)) => {
                return Err(unknown(&format!(
                    "the commit {} is in several pull requests, #{} and #{} among them",
                    commit.short(),
                    one.number,
                    other.number
                ))
                .hint("name the one that is meant with --pr NUMBER"));
            }
        }
    }
    Ok(None)
}

fn unknown(message: &str) -> Failure {
    Failure::new(Exit::Usage, message)
}

/// What the file at the head says.
struct File {
    project_id: Option<String>,
    rules: Rules,
    valid: bool,
}

/// Asks GitHub about one repository.
struct Asker<'a> {
    client: &'a Client,
    repository: &'a Repository,
}

impl Asker<'_> {
    async fn comments(&self, number: u64) -> Result<Vec<Comment>, GithubError> {
        self.client.comments(self.repository, number).await
    }

    /// The file at the head. The base has the commits of its pull requests too, those of forks included.
    async fn file(&self, path: &str, pull: &PullRequest) -> Result<Option<File>, GithubError> {
        let head = &pull.head.sha;
        let bytes = match self.client.file(self.repository, path, head).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            // It is there, but no file that could be read: as wrong as one with mistakes.
            Err(GithubError::Unusable { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let source = Source::new(path, String::from_utf8_lossy(&bytes));
        let Salvage { project_id, rules } = Salvage::of(&source);
        let valid = Config::parse(source).is_ok();
        Ok(Some(File {
            project_id,
            rules,
            valid,
        }))
    }

    /// What the author of the comment that is the cause may do, and the newest command by somebody who may push. Nobody is
    /// asked about where it does not matter.
    async fn commands(
        &self,
        cause: &Cause,
        is_fork: bool,
        run: Option<&Context>,
        comments: &[Comment],
    ) -> Result<(Permission, Option<Asked>), GithubError> {
        let author = match run.map(|run| &run.event) {
            Some(Event::IssueComment(event)) => event.author(),
            _ => None,
        };
        let is_command = matches!(cause, Cause::Comment { .. });
        if !is_command && !is_fork {
            return Ok((Permission::None, None));
        }
        let mut permissions = Permissions {
            asker: self,
            known: HashMap::new(),
        };
        let permission = match author {
            Some(author) if is_command => permissions.of(author).await?,
            _ => Permission::None,
        };
        for comment in comments.iter().rev() {
            let Some(author) = comment.author.as_ref().filter(|author| !author.is_bot()) else {
                continue;
            };
            let Ok(Some(command)) = Command::of_comment(&comment.body) else {
                continue;
            };
            if permissions.of(author).await? >= Permission::Write {
                let comment = comment.id;
                return Ok((permission, Some(Asked { comment, command })));
            }
        }
        Ok((permission, None))
    }

    /// What our own comment says of the environment.
    async fn known(&self, comments: &[Comment]) -> Result<Known, GithubError> {
        let mut candidates = comments
            .iter()
            .filter(|comment| {
                let first = comment.body.trim_start().lines().next().unwrap_or_default();
                first.trim_end() == ENVIRONMENT_MARKER
            })
            .peekable();
        if candidates.peek().is_none() {
            return Ok(Known::Nothing);
        }
        let me = self.client.viewer().await?;
        let ours = candidates
            .filter(|comment| comment.author.as_ref() == Some(me))
            .last();
        Ok(ours.map_or(Known::Nothing, |ours| Known::of_comment(&ours.body)))
    }
}

/// What people may do, each asked for once.
struct Permissions<'a> {
    asker: &'a Asker<'a>,
    known: HashMap<String, Permission>,
}

impl Permissions<'_> {
    async fn of(&mut self, login: &Login) -> Result<Permission, GithubError> {
        let key = login.as_str().to_ascii_lowercase();
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if self.known.len() == MOST_AUTHORS {
            return Ok(Permission::None);
        }
        let asker = self.asker;
        let permission = asker.client.permission(asker.repository, login).await?;
        self.known.insert(key, permission);
        Ok(permission)
    }
}

/// Prints the decision, and hands it to the steps that follow.
fn tell(
    args: &PrArgs,
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
    ];
    let files = StepFiles::of_process();
    for (name, value) in &outputs {
        files.set_output(name, value).map_err(|error| {
            Failure::new(Exit::Failure, "the decision cannot be handed on").because(error)
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
