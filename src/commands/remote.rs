//! GitHub as the verbs reach it: the run that they are part of, the repository that is meant, a client with the token.

use crate::{
    error::Failure,
    exit::Exit,
    github::{Client, Context, Patience, Repository, Token},
};

/// Where GitHub's API is when nothing says otherwise.
const API: &str = "https://api.github.com";

/// The run of Actions that we are part of, if we are.
pub(super) fn run() -> Result<Option<Context>, Failure> {
    Context::of_process().map_err(|error| {
        let hint = error.hint();
        let message = "the run of GitHub Actions cannot be understood";
        Failure::new(Exit::Usage, message)
            .because(error)
            .maybe_hint(hint)
    })
}

/// The repository that is named, else that of the run.
pub(super) fn repository(
    named: Option<&str>,
    run: Option<&Context>,
) -> Result<Repository, Failure> {
    match (named, run) {
        (Some(named), _) => named.parse().map_err(|error| {
            Failure::new(Exit::Usage, "the repository cannot be used").because(error)
        }),
        (None, Some(run)) => Ok(run.repository.clone()),
        (None, None) => Err(
            Failure::new(Exit::Usage, "which repository is meant is not known")
                .hint("name it with --repository OWNER/REPO"),
        ),
    }
}

/// A client with the token of the environment; none without a token.
pub(super) fn client(run: Option<&Context>) -> Result<Option<Client>, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let token = Token::find(None, variable).map_err(|error| {
        let hint = error.hint();
        Failure::new(Exit::Usage, "the token for GitHub cannot be used")
            .because(error)
            .hint(hint)
    })?;
    let Some(token) = token else {
        return Ok(None);
    };
    let api = variable("GITHUB_API_URL").filter(|url| !url.is_empty());
    let url = run.map(|run| run.api_url.clone()).or(api);
    let url = url.as_deref().unwrap_or(API);
    Ok(Some(Client::new(url, &token, Patience::default())?))
}

/// The same where nothing can be done without.
pub(super) fn needed_client(run: Option<&Context>, what: &str) -> Result<Client, Failure> {
    client(run)?.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{what} takes a token for GitHub, and there is none"))
            .hint(
                "set GITHUB_TOKEN; in Actions: `env: { GITHUB_TOKEN: ${{ github.token }} }` at the step",
            )
    })
}
