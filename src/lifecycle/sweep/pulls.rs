//! What GitHub says of the pull requests that environments are of, with few requests: the open ones of each repository
//! are one list, and only those that are not in it are asked for one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use futures::{StreamExt as _, stream};

use super::Pull;
use crate::github::{Client, GithubError, Repository};

/// How many questions are on their way at a time.
const AT_A_TIME: usize = 8;

/// What GitHub says.
#[derive(Debug, Default)]
pub struct Answers(BTreeMap<Key, Pull>);

/// A repository without its capitals, and a number.
type Key = (String, u64);

impl Answers {
    /// What was said of one. All that matter are asked for, wherever there is a token.
    #[must_use]
    pub fn of(&self, repository: &Repository, number: u64) -> Pull {
        let state = self.0.get(&(key(repository), number)).cloned();
        state.unwrap_or_else(|| Pull::Unknown("there is no token for GitHub".to_owned()))
    }
}

/// Asks for pull requests. Where a repository does not show its open ones, nothing is known of any of it; once GitHub asks
/// for a pause that is longer than the client's patience, nothing more is asked. What kept something from being said is the
/// second part, once for all that is not known by it.
pub async fn ask(client: &Client, wanted: &[(Repository, u64)]) -> (Answers, Vec<GithubError>) {
    let mut repositories: BTreeMap<String, (&Repository, BTreeSet<u64>)> = BTreeMap::new();
    for (repository, number) in wanted {
        let (_, numbers) = repositories
            .entry(key(repository))
            .or_insert_with(|| (repository, BTreeSet::new()));
        numbers.insert(*number);
    }
    let asking = Asking {
        client,
        limited: OnceLock::new(),
    };
    let listed: Vec<_> = stream::iter(repositories.values())
        .map(|(repository, _)| asking.ask(client.open_pull_requests(repository)))
        .buffered(AT_A_TIME)
        .collect()
        .await;
    let mut states = BTreeMap::new();
    let mut troubles = Vec::new();
    let mut singles = Vec::new();
    for ((key, (repository, numbers)), open) in repositories.iter().zip(listed) {
        let why = match open {
            Ok(open) => {
                for number in numbers {
                    if open.contains(number) {
                        states.insert((key.clone(), *number), Pull::Open);
                    } else {
                        singles.push((key, *repository, *number));
                    }
                }
                continue;
            }
            Err(why) => why,
        };
        let unknown = Pull::Unknown(why.text);
        let numbers = numbers.iter().map(|number| (key.clone(), *number));
        states.extend(numbers.map(|key| (key, unknown.clone())));
        troubles.extend(why.error);
    }
    let asked: Vec<(Key, Result<Pull, Trouble>)> = stream::iter(singles)
        .map(|(key, repository, number)| {
            let asking = &asking;
            async move {
                let state = asking.single(repository, number).await;
                ((key.clone(), number), state)
            }
        })
        .buffered(AT_A_TIME)
        .collect()
        .await;
    for (key, state) in asked {
        let state = state.unwrap_or_else(|trouble| {
            troubles.extend(trouble.error);
            Pull::Unknown(trouble.text)
        });
        states.insert(key, state);
    }
    (Answers(states), troubles)
}

/// Why something is not known.
struct Trouble {
    text: String,
    /// What GitHub did; none when that has been told already.
    error: Option<GithubError>,
}

impl From<GithubError> for Trouble {
    fn from(error: GithubError) -> Self {
        Self {
            text: error.to_string(),
            error: Some(error),
        }
    }
}

struct Asking<'a> {
    client: &'a Client,
    /// Set once GitHub has asked for a pause that is too long: what it said.
    limited: OnceLock<String>,
}

impl Asking<'_> {
    /// Asks, unless nothing more is to be asked.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, GithubError>>,
    ) -> Result<T, Trouble> {
        let told = |text: &String| Trouble {
            text: text.clone(),
            error: None,
        };
        if let Some(text) = self.limited.get() {
            return Err(told(text));
        }
        match question.await {
            Ok(answer) => Ok(answer),
            Err(error @ GithubError::RateLimited { .. }) => {
                let text = error.to_string();
                match self.limited.set(text) {
                    Ok(()) => Err(error.into()),
                    Err(text) => Err(told(&text)),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for a pull request of a repository that shows those that it has.
    async fn single(&self, repository: &Repository, number: u64) -> Result<Pull, Trouble> {
        let asked = async {
            match self.client.pull_request(repository, number).await {
                Err(error) if error.is_not_found() => Ok(None),
                other => other.map(Some),
            }
        };
        Ok(match self.ask(asked).await? {
            None => Pull::NoSuch,
            Some(pull) if pull.open => Pull::Open,
            Some(pull) => match pull.closed_at {
                Some(at) => Pull::Closed(at),
                None => Pull::Unknown("GitHub does not say when it was closed".to_owned()),
            },
        })
    }
}

fn key(repository: &Repository) -> String {
    repository.to_string().to_ascii_lowercase()
}
