//! Deployments: what GitHub shows of an environment on the pull request, with its URL, until it is gone.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    Client, GithubError, Repository, Sha,
    client::{Call, Pages},
};

/// Most characters of a description, here and with the status of a commit.
const MOST_WORDS: usize = 140;

/// What a job needs to write deployments.
const WRITE: &str = "deployments: write";

/// A deployment of one commit to one environment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deployment {
    /// Its number; later ones have higher numbers.
    pub id: u64,
    /// What was deployed.
    pub sha: Sha,
    /// Name of the environment.
    pub environment: String,
}

/// How a deployment is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// Not begun.
    Queued,
    /// Waits for something.
    Pending,
    /// On its way.
    InProgress,
    /// It is up.
    Success,
    /// It did not come up.
    Failure,
    /// Something else went wrong.
    Error,
    /// It is gone. GitHub shows it as destroyed.
    Inactive,
}

/// What is told about a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// How it is doing.
    pub state: DeploymentState,
    /// In a few words; cut at 140 characters.
    pub description: &'a str,
    /// Where it can be seen, once it is up.
    pub environment_url: Option<&'a str>,
    /// Where it is told how it goes, such as the page of the run.
    pub log_url: Option<&'a str>,
}

impl DeploymentState {
    fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Inactive => "inactive",
        }
    }
}

impl Client {
    /// The deployment of a commit to an environment: the newest there is, else a new one.
    ///
    /// It waits for no checks, merges nothing, and is marked as one of an environment that will be gone.
    ///
    /// # Errors
    /// GitHub cannot be asked, refuses, or does not know the commit, as one that is only in a fork.
    pub async fn deployment(
        &self,
        repository: &Repository,
        environment: &str,
        commit: &Sha,
        description: &str,
    ) -> Result<Deployment, GithubError> {
        let what = format!("a deployment of {} to {environment}", commit.short());
        let create = Call::write(
            Method::POST,
            self.repository_url(repository, &["deployments"]),
            "create",
            what,
        );
        let create = create.once().needs(WRITE).body(json!({
            "ref": commit.as_str(),
            "environment": environment,
            "description": short(description),
            "auto_merge": false,
            "required_contexts": [],
            "transient_environment": true,
            "production_environment": false,
        }));
        let mut tried = false;
        loop {
            let there = self.deployments(repository, environment).await?;
            if let Some(found) = there.into_iter().find(|found| found.sha == *commit) {
                return Ok(found);
            }
            match self.send(&create).await {
                Ok(answer) => return answer.json(),
                Err(error) if error.may_have_happened() && !tried => {
                    tried = true;
                    self.pause().await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// All deployments to an environment, the newest first.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show them.
    pub async fn deployments(
        &self,
        repository: &Repository,
        environment: &str,
    ) -> Result<Vec<Deployment>, GithubError> {
        let mut url = self.repository_url(repository, &["deployments"]);
        url.query_pairs_mut()
            .append_pair("environment", environment);
        let what = format!("the deployments of {repository} to {environment}");
        let call = Call::get(url, what).needs("deployments: read");
        let mut deployments: Vec<Deployment> = self.list(call, Pages::All).await?;
        deployments.sort_by_key(|deployment| std::cmp::Reverse(deployment.id));
        Ok(deployments)
    }

    /// Tells how a deployment is doing.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn report_deployment(
        &self,
        repository: &Repository,
        deployment: u64,
        progress: &Progress<'_>,
    ) -> Result<(), GithubError> {
        let mut body = json!({
            "state": progress.state.name(),
            "description": short(progress.description),
            // It would spare deployments to environments that will be gone, which all of ours are.
            "auto_inactive": false,
        });
        if let Some(url) = progress.environment_url {
            body["environment_url"] = url.into();
        }
        if let Some(url) = progress.log_url {
            body["log_url"] = url.into();
        }
        let call = Call::write(
            Method::POST,
            self.statuses_url(repository, deployment),
            "report on",
            format!("deployment {deployment} of {repository}"),
        );
        // Told twice, it says the same.
        self.send(&call.body(body).needs(WRITE)).await.map(drop)
    }

    /// Marks the deployments to an environment as gone, and says how many were not.
    ///
    /// With `except`, the one that replaces them, it ends at the first that is gone already: those before were marked
    /// when that one was new, and asking for each would take longer with every commit.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn retire_deployments(
        &self,
        repository: &Repository,
        environment: &str,
        except: Option<u64>,
    ) -> Result<usize, GithubError> {
        let mut retired = 0;
        for deployment in self.deployments(repository, environment).await? {
            if Some(deployment.id) == except {
                continue;
            }
            let state = self.deployment_state(repository, deployment.id).await?;
            if state == Some(DeploymentState::Inactive) {
                if except.is_some() {
                    break;
                }
                continue;
            }
            let gone = Progress {
                state: DeploymentState::Inactive,
                description: match except {
                    Some(_) => "A newer commit was deployed",
                    None => "The environment was removed",
                },
                environment_url: None,
                log_url: None,
            };
            self.report_deployment(repository, deployment.id, &gone)
                .await?;
            retired += 1;
        }
        Ok(retired)
    }

    /// How a deployment was doing last; none when nothing was told yet.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show it.
    pub async fn deployment_state(
        &self,
        repository: &Repository,
        deployment: u64,
    ) -> Result<Option<DeploymentState>, GithubError> {
        #[derive(Deserialize)]
        struct Status {
            state: DeploymentState,
        }
        let url = self.statuses_url(repository, deployment);
        let what = format!("the state of deployment {deployment} of {repository}");
        let call = Call::get(url, what).needs("deployments: read");
        // The newest comes first.
        let newest: Vec<Status> = self.list(call, Pages::First(1)).await?;
        Ok(newest.first().map(|status| status.state))
    }

    fn statuses_url(&self, repository: &Repository, deployment: u64) -> reqwest::Url {
        let path = ["deployments", &deployment.to_string(), "statuses"];
        self.repository_url(repository, &path)
    }
}

/// A description as long as GitHub takes it.
pub(super) fn short(text: &str) -> String {
    if text.chars().count() <= MOST_WORDS {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MOST_WORDS - 1).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_cut_where_github_would_refuse_them() {
        assert_eq!(short("up"), "up");
        assert_eq!(short(&"ä".repeat(140)), "ä".repeat(140));
        let long = short(&format!("{} x", "ä".repeat(138)).repeat(2));
        assert!(
            long.chars().count() <= 140 && long.ends_with("ä…"),
            "{long}"
        );
    }
}
