//! The run of GitHub Actions that we are in, or what takes its place where somebody types the command: which pull request
//! it is about, and the connection to GitHub.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use crate::{
    error::Failure,
    exit::Exit,
    github::{
        API_URL, Client, Context, Event, GithubError, Patience, Repository, Sha, Token,
        context::ContextError,
        pulls::{PullRequest, Side},
        token::TokenError,
        workflow::files::StepFiles,
    },
};

/// Where people look at GitHub, for somebody who types a command.
const SERVER_URL: &str = "https://github.com";

/// The run that we are in.
#[derive(Debug)]
pub struct Run {
    /// What Actions says about it; none for somebody who types.
    pub context: Option<Context>,
    /// The connection; none without a token.
    pub client: Option<Client>,
    /// Where outputs and the summary go.
    pub files: StepFiles,
    /// Where people look, such as `https://github.com`.
    pub server_url: String,
    workspace: Option<PathBuf>,
    pull: OnceCell<PullRequest>,
}

/// What a run is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The repository that the pull request would be merged into.
    pub repository: Option<Repository>,
    /// Number of the pull request.
    pub number: Option<u64>,
    /// Its commit: the head, never the trial merge that is checked out.
    pub commit: Option<String>,
    /// Its branch; any text.
    pub branch: Option<String>,
}

/// Why there is no run to report from.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What Actions says cannot be understood.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// There is something in place of a token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The client cannot be set up.
    #[error(transparent)]
    Client(#[from] GithubError),
}

impl Run {
    /// The run of the process that we are; none outside of Actions.
    ///
    /// # Errors
    /// The variables of the run, the event or the token cannot be used.
    pub fn of_process() -> Result<Option<Self>, RunError> {
        match Context::of_process()? {
            Some(context) => Self::new(Some(context)).map(Some),
            None => Ok(None),
        }
    }

    /// The same, or what takes its place where somebody types the command.
    ///
    /// # Errors
    /// The variables of the run, the event or the token cannot be used.
    pub fn find() -> Result<Self, RunError> {
        Self::new(Context::of_process()?)
    }

    fn new(context: Option<Context>) -> Result<Self, RunError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let of = |url: Option<&String>, name: &str, default: &str| {
            let named = url.cloned().or_else(|| variable(name));
            named.unwrap_or_else(|| default.to_owned())
        };
        let api = of(
            context.as_ref().map(|c| &c.api_url),
            "GITHUB_API_URL",
            API_URL,
        );
        let server = of(
            context.as_ref().map(|c| &c.server_url),
            "GITHUB_SERVER_URL",
            SERVER_URL,
        );
        let token = Token::find(None, variable)?;
        let client = token.map(|token| Client::new(&api, &token, Patience::default()));
        Ok(Self {
            client: client.transpose()?,
            files: match &context {
                Some(_) => StepFiles::of_process(),
                None => StepFiles::default(),
            },
            context,
            server_url: server.trim_end_matches('/').to_owned(),
            workspace: variable("GITHUB_WORKSPACE").map(PathBuf::from),
            pull: OnceCell::new(),
        })
    }

    /// The repository that is named, else that of the run.
    ///
    /// # Errors
    /// It is no name of a repository, or there is neither.
    pub fn repository(&self, named: Option<&str>) -> Result<Repository, Failure> {
        match (named, &self.context) {
            (Some(named), _) => named.parse().map_err(|error| {
                Failure::new(Exit::Usage, "the repository cannot be used").because(error)
            }),
            (None, Some(context)) => Ok(context.repository.clone()),
            (None, None) => Err(Failure::new(
                Exit::Usage,
                "which repository is meant is not known",
            )
            .hint("name it with --repository OWNER/REPO")),
        }
    }

    /// The connection, for `what`, which nothing else can stand in for.
    ///
    /// # Errors
    /// There is no token.
    pub fn needed_client(&self, what: &str) -> Result<&Client, Failure> {
        self.client.as_ref().ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{what} takes a token for GitHub, and there is none"))
                .hint("set GITHUB_TOKEN; in Actions: `env: { GITHUB_TOKEN: ${{ github.token }} }` at the step")
        })
    }

    /// Number of the pull request that the event is about, where it tells of exactly one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.context.as_ref().and_then(Context::number)
    }

    /// Whether GitHub lets the run read only, whatever its workflow says: one of `pull_request` from a fork.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.context
            .as_ref()
            .is_some_and(|context| match &context.event {
                Event::PullRequest(event) => !event.target && event.pull_request.is_fork(),
                _ => false,
            })
    }

    /// The pull request that it is about, as far as flags and the event say, and GitHub where they do not.
    ///
    /// # Errors
    /// GitHub was asked, and does not tell; what is known without it is in the second part.
    pub async fn subject(&self, flags: Subject) -> (Subject, Result<(), GithubError>) {
        let context = self.context.as_ref();
        let of_event = self.number();
        let mut subject = Subject {
            repository: flags
                .repository
                .or_else(|| context.map(|context| context.repository.clone())),
            number: flags.number.or(of_event),
            commit: flags.commit,
            branch: flags.branch,
        };
        // What the event says of another pull request is not about this one.
        let is_of_event = subject.number.is_none() || subject.number == of_event;
        if let (true, Some(context)) = (is_of_event, context) {
            let head = context.head().map(|sha| sha.as_str().to_owned());
            subject.commit = subject.commit.or(head);
            let branch = context.pull_request().map(|pull| pull.head.branch.clone());
            subject.branch = subject.branch.or(branch);
        }
        if subject.commit.is_some() && subject.branch.is_some() {
            return (subject, Ok(()));
        }
        let head = match (&subject.repository, subject.number) {
            (Some(repository), Some(number)) => self.pull(repository, number).await,
            _ => return (subject, Ok(())),
        };
        match head {
            Ok(Some(pull)) => {
                let Side { sha, branch, .. } = &pull.head;
                let is_head = subject
                    .commit
                    .as_deref()
                    .is_none_or(|commit| sha.as_str().starts_with(commit));
                subject
                    .commit
                    .get_or_insert_with(|| sha.as_str().to_owned());
                if is_head {
                    subject.branch.get_or_insert_with(|| branch.clone());
                }
                (subject, Ok(()))
            }
            Ok(None) => (subject, Ok(())),
            Err(error) => (subject, Err(error)),
        }
    }

    /// A pull request as GitHub has it, asked once; none without a token.
    async fn pull(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<Option<&PullRequest>, GithubError> {
        let Some(client) = &self.client else {
            return Ok(None);
        };
        let ask = || client.pull_request(repository, number);
        self.pull.get_or_try_init(ask).await.map(Some)
    }

    /// The path of a file from the root of the repository, as links and annotations have it.
    #[must_use]
    pub fn in_repository(&self, path: &Path) -> String {
        let whole = std::env::current_dir().map(|here| here.join(path));
        let below = self
            .workspace
            .as_ref()
            .zip(whole.ok())
            .and_then(|(root, whole)| {
                let below = whole.strip_prefix(root).ok()?;
                Some(below.to_path_buf())
            });
        let path = below.unwrap_or_else(|| path.to_path_buf());
        let text = path.display().to_string();
        text.strip_prefix("./").unwrap_or(&text).to_owned()
    }
}

impl Subject {
    /// The commit, if all of it is known.
    #[must_use]
    pub fn sha(&self) -> Option<Sha> {
        self.commit.as_deref()?.parse().ok()
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Context(error) => {
                let hint = error.hint();
                Self::new(
                    Exit::Usage,
                    "the run of GitHub Actions cannot be understood",
                )
                .because(error)
                .maybe_hint(hint)
            }
            RunError::Token(error) => {
                let hint = error.hint();
                Self::new(Exit::Usage, "the token for GitHub cannot be used")
                    .because(error)
                    .hint(hint)
            }
            RunError::Client(error) => error.into(),
        }
    }
}
