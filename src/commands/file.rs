//! The configuration file and those of its seeds: from the checkout, or from GitHub as data, with nothing checked out.

use std::{collections::BTreeMap, path::Path};

use futures::{StreamExt as _, stream};

use crate::{
    cli::ConfigArgs,
    config::{
        Config, Invalid, ReadError, Source,
        problem::Problem,
        seed::{Content, Refusal},
    },
    error::Failure,
    exit::Exit,
    github::{Client, GithubError, Repository, Sha},
    reporter::run::Run,
};

/// Requests for the files of seeds at the same time.
const AT_ONCE: usize = 8;

/// Files of seeds that are asked for at most: whoever writes the file is not to use up the requests of an hour.
const MOST_FILES: usize = 50;

/// Reads a file, at a commit of the repository if one is named; what is wrong with it is in the second part.
pub(super) async fn read(
    args: &ConfigArgs,
    at: Option<&Sha>,
    repository: Option<&str>,
) -> Result<Result<Config, Invalid>, Failure> {
    match at {
        None => read_checkout(&args.config),
        Some(commit) => {
            let run = Run::find()?;
            let there = There {
                repository: run.repository(repository)?,
                client: run.needed_client("--config-at")?,
                commit,
            };
            there.read(&args.config).await
        }
    }
}

fn read_checkout(path: &Path) -> Result<Result<Config, Invalid>, Failure> {
    let source = Source::read(path).map_err(unreadable)?;
    Ok(Config::parse(source).and_then(|mut config| {
        let directory = path.parent().unwrap_or(Path::new("."));
        let read = config.read_seeds(directory);
        finished(config, read)
    }))
}

fn unreadable(error: ReadError) -> Failure {
    let hint = error.hint();
    Failure::new(Exit::Config, error.to_string()).maybe_hint(hint)
}

fn finished(config: Config, read: Result<(), Vec<Problem>>) -> Result<Config, Invalid> {
    match read {
        Ok(()) => Ok(config),
        Err(problems) => Err(Invalid {
            source: config.source().clone(),
            problems,
        }),
    }
}

/// A commit of a repository on GitHub.
struct There<'a> {
    client: &'a Client,
    repository: Repository,
    commit: &'a Sha,
}

impl There<'_> {
    async fn read(&self, path: &Path) -> Result<Result<Config, Invalid>, Failure> {
        let name = path.display().to_string();
        let place = format!("{name} of {}@{}", self.repository, self.commit.short());
        let path = in_repository(&name).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("`{name}` is not a path of the repository"),
            )
            .hint("with --config-at the path is that from the root of the repository")
        })?;
        let bytes = match self.client.file(&self.repository, &path, self.commit).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let hint = "is it committed, and may the token read contents? `contents: read`";
                let message = format!("{place} does not exist");
                return Err(Failure::new(Exit::Config, message).hint(hint));
            }
            Err(error @ GithubError::Unusable { .. }) => {
                return Err(Failure::new(Exit::Config, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(Exit::Config, format!("{place} is not UTF-8 text"))
                .hint("save it as plain text in the encoding UTF-8")
        })?;
        let mut config = match Config::parse(Source::new(name, text)) {
            Ok(config) => config,
            Err(invalid) => return Ok(Err(invalid)),
        };
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let contents = self.seeds(&config, directory).await?;
        let read = config.take_seeds(&contents);
        Ok(finished(config, read))
    }

    /// The files of seeds, by the names that the configuration has for them. The loader has refused absolute paths and
    /// those that climb.
    async fn seeds(
        &self,
        config: &Config,
        directory: &str,
    ) -> Result<BTreeMap<String, Result<Content, Refusal>>, Failure> {
        let names: Vec<String> = config.seed_files().collect();
        if names.len() > MOST_FILES {
            let message = format!(
                "the seeds name {} files; {MOST_FILES} are possible",
                names.len()
            );
            let hint = "put them into one, or into an image and run that with `image`";
            return Err(Failure::new(Exit::Config, message).hint(hint));
        }
        let read = stream::iter(names).map(|name| async move {
            let path = in_repository(&format!("{directory}/{name}"));
            let read = match path {
                Some(path) => self.client.file(&self.repository, &path, self.commit).await,
                None => Ok(None),
            };
            match read {
                Ok(Some(bytes)) => Ok((name, Content::of_file(bytes))),
                Ok(None) => Ok((name, Err(Refusal::Missing))),
                Err(GithubError::Unusable { why, .. }) => Ok((name, Err(Refusal::Unusable(why)))),
                Err(error) => Err(Failure::from(error)),
            }
        });
        let read: Vec<Result<_, Failure>> = read.buffered(AT_ONCE).collect().await;
        read.into_iter().collect()
    }
}

/// A path from the root of the repository, without the parts that lead nowhere; none when it climbs out of it.
pub(super) fn in_repository(path: &str) -> Option<String> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    (!parts.is_empty() && !path.contains('\\') && !parts.contains(&"..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(in_repository("k8s-ee.yaml").as_deref(), Some("k8s-ee.yaml"));
        assert_eq!(in_repository("./a//b/./c").as_deref(), Some("a/b/c"));
        assert_eq!(in_repository("/db/x.sql").as_deref(), Some("db/x.sql"));
        for out in ["", "/", ".", "../x", "a/../../x", "a\\..\\x"] {
            assert_eq!(in_repository(out), None, "{out}");
        }
    }
}
