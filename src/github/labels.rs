//! Labels of a pull request.

use http::Method;
use serde_json::json;

use super::{Client, GithubError, Repository, client::Call, error::Doing};

/// What a job needs to change them.
const WRITE: &str = "pull-requests: write";

impl Client {
    /// Gives a pull request a label; nothing changes when it has it.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn add_label(
        &self,
        repository: &Repository,
        number: u64,
        label: &str,
    ) -> Result<(), GithubError> {
        let url = self.repository_url(repository, &["issues", &number.to_string(), "labels"]);
        let what = format!("label `{label}` to {repository}#{number}");
        let call = Call::write(Method::POST, url, "add", what);
        let call = call.body(json!({ "labels": [label] })).needs(WRITE);
        self.send(&call).await.map(drop)
    }

    /// Takes a label from a pull request; `false` when it does not have it.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn remove_label(
        &self,
        repository: &Repository,
        number: u64,
        label: &str,
    ) -> Result<bool, GithubError> {
        let what = format!("label `{label}` from {repository}#{number}");
        // In a URL these would leave nothing but the path of all labels.
        if matches!(label, "" | "." | "..") {
            return Err(GithubError::Unusable {
                doing: Doing {
                    verb: "remove",
                    what,
                },
                why: "a URL cannot name it".to_owned(),
            });
        }
        let path = ["issues", &number.to_string(), "labels", label];
        let url = self.repository_url(repository, &path);
        let call = Call::write(Method::DELETE, url, "remove", what).needs(WRITE);
        match self.send(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
