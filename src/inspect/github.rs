//! What GitHub says of the token that a run would use.

use std::time::Duration;

use crate::{
    doctor::facts::{Access, Github},
    github::{
        API_URL, Client, Context, GithubError, Login, Patience, Repository, Token,
        access::Permission,
    },
};

/// Somebody waits for it: it is asked once, and not for long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks about the token of the environment and what it may do in this repository, else in that of the workflow; none
/// without a token.
pub async fn github(repository: Option<Repository>) -> Option<Github> {
    let token = Token::find(None, |name| std::env::var(name).ok()).transpose()?;
    let context = Context::of_process().ok().flatten();
    let url = std::env::var("GITHUB_API_URL").unwrap_or_else(|_| API_URL.to_owned());
    let patience = Patience {
        tries: 1,
        answer: PATIENCE,
        ..Patience::default()
    };
    let client = token
        .map_err(|error| error.to_string())
        .and_then(|token| Client::new(&url, &token, patience).map_err(|error| error.to_string()));
    Some(match client {
        Ok(client) => {
            of(
                &client,
                repository.or_else(|| context.map(|context| context.repository)),
            )
            .await
        }
        Err(why) => Github {
            login: Err(why),
            repository: None,
        },
    })
}

async fn of(client: &Client, repository: Option<Repository>) -> Github {
    let login = match client.viewer().await {
        Ok(login) => login,
        Err(error) => {
            return Github {
                login: Err(error.to_string()),
                repository: None,
            };
        }
    };
    let repository = match repository {
        Some(repository) => {
            let access = access(client, &repository, login).await;
            Some((
                repository.to_string(),
                access.map_err(|error| error.to_string()),
            ))
        }
        None => None,
    };
    Github {
        login: Ok(login.to_string()),
        repository,
    }
}

async fn access(
    client: &Client,
    repository: &Repository,
    login: &Login,
) -> Result<Access, GithubError> {
    client.repository(repository).await?;
    // Of a bot, GitHub does not tell it.
    if login.is_bot() {
        return Ok(Access::Sees);
    }
    let permission = client.permission(repository, login).await?;
    Ok(match permission >= Permission::Write {
        true => Access::Writes,
        false => Access::Reads,
    })
}
