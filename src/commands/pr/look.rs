//! What has to be known of a pull request before anything is decided, from GitHub's API.

use std::collections::HashMap;

use crate::{
    config::{
        Config, Source,
        salvage::Salvage,
        trigger::{Rules, When},
    },
    error::Failure,
    exit::Exit,
    github::{
        Client, Context, ENVIRONMENT_MARKER, Event, GithubError, Login, Repository,
        access::Permission, comments::Comment, event::WorkflowRunEvent, pulls::PullRequest,
    },
    trigger::{Asked, Cause, command::Command, known::Known},
};

/// Authors of comments whose permission is asked for at most, so that strangers cannot use up the requests of an hour.
const MOST_AUTHORS: usize = 30;

/// Looks at one repository.
pub(super) struct Looker<'a> {
    pub(super) client: &'a Client,
    pub(super) repository: &'a Repository,
    /// The run that we are part of, if we are.
    pub(super) run: Option<&'a Context>,
}

/// What the file at the head says.
pub(super) struct File {
    pub(super) project_id: Option<String>,
    pub(super) rules: Rules,
    pub(super) valid: bool,
}

impl Looker<'_> {
    /// The pull request that is meant; none when the run is about a commit that is in none.
    pub(super) async fn number(&self, named: Option<u64>) -> Result<Option<u64>, Failure> {
        if let Some(number) = named.or_else(|| self.run.and_then(Context::number)) {
            return Ok(Some(number));
        }
        match self.run.map(|run| &run.event) {
            Some(Event::WorkflowRun(event)) => self.of_run(event).await,
            Some(Event::WorkflowDispatch(inputs)) => {
                let named = inputs.get("pr-number").or_else(|| inputs.get("pr"));
                let named = named.and_then(|text| text.trim().parse().ok());
                named.filter(|number| *number > 0).map(Some).ok_or_else(|| {
                    unknown("the run was started by hand without the number of a pull request")
                        .hint("give the workflow an input `pr-number`, or name it with --pr NUMBER")
                })
            }
            _ => Err(unknown("which pull request is meant is not known")
                .hint("name it with --pr NUMBER")),
        }
    }

    /// The pull request of a run: GitHub names none where the commit is in a fork.
    async fn of_run(&self, event: &WorkflowRunEvent) -> Result<Option<u64>, Failure> {
        let Some(from) = &event.head.repository else {
            return Ok(None);
        };
        let branch = &event.head.branch;
        let mut pulls = self
            .client
            .pull_requests_from(self.repository, from.owner(), branch)
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

    /// The file at the head. The base has the commits of its pull requests too, those of forks included.
    pub(super) async fn file(
        &self,
        path: &str,
        pull: &PullRequest,
    ) -> Result<Option<File>, GithubError> {
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

    /// What the author of the comment that is the cause may do, and the newest command by somebody who may push that has a
    /// say. Nobody is asked about where it does not matter.
    pub(super) async fn commands(
        &self,
        cause: &Cause,
        pull: &PullRequest,
        file: Option<&File>,
        comments: &[Comment],
    ) -> Result<(Permission, Option<Asked>), GithubError> {
        let author = match self.run.map(|run| &run.event) {
            Some(Event::IssueComment(event)) => event.author(),
            _ => None,
        };
        let is_command = matches!(cause, Cause::Comment { .. });
        let on_demand = file.is_some_and(|file| file.rules.on == When::OnDemand);
        if !is_command && !(pull.open && (pull.is_fork() || on_demand)) {
            return Ok((Permission::None, None));
        }
        let mut permissions = Permissions {
            looker: self,
            known: HashMap::new(),
        };
        let permission = match author {
            Some(author) if is_command => permissions.of(author).await?,
            _ => Permission::None,
        };
        if is_command && permission < Permission::Write {
            return Ok((permission, None));
        }
        for comment in comments.iter().rev() {
            let Some(author) = comment.author.as_ref().filter(|author| !author.is_bot()) else {
                continue;
            };
            let Ok(Some(command)) = Command::of_comment(&comment.body) else {
                continue;
            };
            if !cause.heeds(&command) {
                continue;
            }
            if permissions.of(author).await? >= Permission::Write {
                let comment = comment.id;
                return Ok((permission, Some(Asked { comment, command })));
            }
        }
        Ok((permission, None))
    }

    /// What our own comment says of the environment.
    pub(super) async fn known(&self, comments: &[Comment]) -> Result<Known, GithubError> {
        let is_marked = |comment: &&Comment| {
            let first = comment.body.trim_start().lines().next();
            first.is_some_and(|line| line.trim_end() == ENVIRONMENT_MARKER)
        };
        let mut marked = comments.iter().filter(is_marked).peekable();
        if marked.peek().is_none() {
            return Ok(Known::Nothing);
        }
        let me = self.client.viewer().await?;
        // Where each push gets a comment of its own, the newest tells.
        let ours = marked
            .rev()
            .find(|comment| comment.author.as_ref() == Some(me));
        Ok(ours.map_or(Known::Nothing, |ours| Known::of_comment(&ours.body)))
    }
}

/// What people may do, each asked for once.
struct Permissions<'a> {
    looker: &'a Looker<'a>,
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
        let looker = self.looker;
        let permission = looker.client.permission(looker.repository, login).await?;
        self.known.insert(key, permission);
        Ok(permission)
    }
}

fn unknown(message: &str) -> Failure {
    Failure::new(Exit::Usage, message)
}
