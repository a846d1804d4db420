//! The status of a commit: the line with a tick or a cross under a pull request.

use http::Method;
use serde_json::json;

use super::{Client, GithubError, Repository, Sha, client::Call, deployments::short};

/// How something that is asked of a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitState {
    /// Under way.
    Pending,
    /// Well.
    Success,
    /// Not well.
    Failure,
    /// It could not be found out.
    Error,
}

/// A status of a commit.
#[derive(Clone, Copy, Debug)]
pub struct CommitStatus<'a> {
    /// What it is about, such as `k8s-ee/preview`: a later one about the same replaces it.
    pub context: &'a str,
    /// How it stands.
    pub state: CommitState,
    /// In a few words; cut at 140 characters.
    pub description: &'a str,
    /// Where there is more.
    pub url: Option<&'a str>,
}

impl Client {
    /// Sets the status of a commit.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn set_commit_status(
        &self,
        repository: &Repository,
        commit: &Sha,
        status: &CommitStatus<'_>,
    ) -> Result<(), GithubError> {
        let mut body = json!({
            "context": status.context,
            "state": match status.state {
                CommitState::Pending => "pending",
                CommitState::Success => "success",
                CommitState::Failure => "failure",
                CommitState::Error => "error",
            },
            "description": short(status.description),
        });
        if let Some(url) = status.url {
            body["target_url"] = url.into();
        }
        let url = self.repository_url(repository, &["statuses", commit.as_str()]);
        let what = format!("the status of {repository}@{}", commit.short());
        let call = Call::write(Method::POST, url, "set", what);
        self.send(&call.body(body).needs("statuses: write"))
            .await
            .map(drop)
    }
}
