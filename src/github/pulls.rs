//! Pull requests, as events and the API describe them alike.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Client, GithubError, Login, Repository, Sha,
    client::{Call, Pages},
};

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "raw::PullRequest")]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its title; any text.
    pub title: String,
    /// Whether it is open.
    pub open: bool,
    /// When it was closed; none while it is open.
    pub closed_at: Option<Timestamp>,
    /// Whether it was merged.
    pub merged: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// Names of its labels; any texts.
    pub labels: Vec<String>,
    /// Who opened it; none when that account is gone, or its name is not one of GitHub's.
    pub author: Option<Login>,
    /// What the author is to the repository.
    pub association: Association,
    /// What is to be merged.
    pub head: Side,
    /// What it is to be merged into.
    pub base: Side,
    /// Its page.
    pub url: String,
}

/// One side of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "raw::Side")]
pub struct Side {
    /// The commit: of the head its newest, never the one that GitHub makes to try the merge.
    pub sha: Sha,
    /// The branch; any text that git takes.
    pub branch: String,
    /// The repository; none when it is gone, as that of a deleted fork.
    pub repository: Option<Repository>,
}

/// What somebody is to a repository, as GitHub says it with what that person wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Association {
    /// Owns it.
    Owner,
    /// Is in the organization that owns it.
    Member,
    /// Was invited to it.
    Collaborator,
    /// Has had something merged.
    Contributor,
    /// None of these, or nothing we know.
    #[default]
    Outsider,
}

impl PullRequest {
    /// Whether the head is in another repository than the base, or in one that cannot be told.
    #[must_use]
    pub fn is_fork(&self) -> bool {
        match (&self.head.repository, &self.base.repository) {
            (Some(head), Some(base)) => head != base,
            _ => true,
        }
    }

    /// Whether it has a label, capitals aside.
    #[must_use]
    pub fn has_label(&self, name: &str) -> bool {
        self.labels
            .iter()
            .any(|label| label.to_lowercase() == name.to_lowercase())
    }
}

impl From<String> for Association {
    fn from(text: String) -> Self {
        match text.as_str() {
            "OWNER" => Self::Owner,
            "MEMBER" => Self::Member,
            "COLLABORATOR" => Self::Collaborator,
            "CONTRIBUTOR" => Self::Contributor,
            _ => Self::Outsider,
        }
    }
}

impl Client {
    /// Reads a pull request.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show it.
    pub async fn pull_request(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<PullRequest, GithubError> {
        let what = format!("pull request {repository}#{number}");
        let url = self.repository_url(repository, &["pulls", &number.to_string()]);
        self.send(&Call::get(url, what).needs("pull-requests: read"))
            .await?
            .json()
    }

    /// The numbers of all open pull requests. Who is shown them would be shown any other one of the repository too.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show them.
    pub async fn open_pull_requests(
        &self,
        repository: &Repository,
    ) -> Result<BTreeSet<u64>, GithubError> {
        #[derive(Deserialize)]
        struct Numbered {
            number: u64,
        }
        let mut url = self.repository_url(repository, &["pulls"]);
        url.query_pairs_mut().append_pair("state", "open");
        let what = format!("the open pull requests of {repository}");
        let call = Call::get(url, what).needs("pull-requests: read");
        let open: Vec<Numbered> = self.list(call, Pages::All).await?;
        Ok(open.into_iter().map(|pull| pull.number).collect())
    }

    /// The pull requests, open and closed, from a branch that is in the repository of `owner`.
    ///
    /// Asking by branch finds those of forks too, whose commits the repository itself does not know: compare the head's
    /// commit with the one that is meant.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show them.
    pub async fn pull_requests_from(
        &self,
        repository: &Repository,
        owner: &str,
        branch: &str,
    ) -> Result<Vec<PullRequest>, GithubError> {
        let mut url = self.repository_url(repository, &["pulls"]);
        url.query_pairs_mut()
            .append_pair("head", &format!("{owner}:{branch}"))
            .append_pair("state", "all");
        let what = format!("the pull requests of {repository} from {owner}:{branch}");
        self.list(
            Call::get(url, what).needs("pull-requests: read"),
            Pages::All,
        )
        .await
    }

    /// The pull requests that have a commit, if the repository itself has it.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show them.
    pub async fn pull_requests_with(
        &self,
        repository: &Repository,
        commit: &Sha,
    ) -> Result<Vec<PullRequest>, GithubError> {
        let url = self.repository_url(repository, &["commits", commit.as_str(), "pulls"]);
        let what = format!("the pull requests of {repository} with {}", commit.short());
        self.list(
            Call::get(url, what).needs("pull-requests: read"),
            Pages::All,
        )
        .await
    }
}

/// The same as GitHub writes it.
mod raw {
    use serde::Deserialize;

    use super::{Association, Repository, Sha};

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum State {
        Open,
        Closed,
    }

    #[derive(Deserialize)]
    pub(super) struct PullRequest {
        number: u64,
        #[serde(default)]
        title: String,
        state: State,
        closed_at: Option<String>,
        merged: Option<bool>,
        merged_at: Option<String>,
        #[serde(default)]
        draft: bool,
        #[serde(default)]
        labels: Vec<Label>,
        user: Option<User>,
        #[serde(default)]
        author_association: Association,
        head: super::Side,
        base: super::Side,
        #[serde(default)]
        html_url: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Side {
        sha: Sha,
        #[serde(rename = "ref")]
        branch: String,
        repo: Option<Repo>,
    }

    #[derive(Deserialize)]
    struct Label {
        name: String,
    }

    #[derive(Deserialize)]
    struct User {
        login: String,
    }

    #[derive(Deserialize)]
    struct Repo {
        full_name: Repository,
    }

    impl From<PullRequest> for super::PullRequest {
        fn from(raw: PullRequest) -> Self {
            Self {
                number: raw.number,
                title: raw.title,
                open: matches!(raw.state, State::Open),
                closed_at: raw.closed_at.and_then(|time| time.parse().ok()),
                // Lists have only the time.
                merged: raw.merged.unwrap_or(raw.merged_at.is_some()),
                draft: raw.draft,
                labels: raw.labels.into_iter().map(|label| label.name).collect(),
                author: raw.user.and_then(|user| user.login.parse().ok()),
                association: raw.author_association,
                head: raw.head,
                base: raw.base,
                url: raw.html_url,
            }
        }
    }

    impl From<Side> for super::Side {
        fn from(raw: Side) -> Self {
            Self {
                sha: raw.sha,
                branch: raw.branch,
                repository: raw.repo.map(|repo| repo.full_name),
            }
        }
    }
}
