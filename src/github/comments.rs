//! Comments under a pull request, and reactions to them.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    Client, GithubError, Login, Repository,
    client::{Call, Pages},
    pulls::Association,
};

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "raw::Comment")]
pub struct Comment {
    /// Its number; later ones have higher numbers.
    pub id: u64,
    /// What GraphQL calls it.
    pub node: String,
    /// Who wrote it; none when that account is gone, or its name is not one of GitHub's.
    pub author: Option<Login>,
    /// What the author is to the repository.
    pub association: Association,
    /// Its text; any text.
    pub body: String,
    /// Where it is shown.
    pub url: String,
}

/// A reaction to a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Eyes: seen, at work.
    Eyes,
    /// A rocket: done.
    Rocket,
    /// Thumbs up: agreed.
    ThumbsUp,
    /// Thumbs down: refused.
    ThumbsDown,
    /// A confused face: not understood, or failed.
    Confused,
}

impl Reaction {
    fn name(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::ThumbsUp => "+1",
            Self::ThumbsDown => "-1",
            Self::Confused => "confused",
        }
    }
}

/// What a job needs to write comments under pull requests.
const WRITE: &str = "pull-requests: write";

impl Client {
    /// All comments under a pull request, the oldest first.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show them.
    pub async fn comments(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<Vec<Comment>, GithubError> {
        let what = format!("the comments on {repository}#{number}");
        let url = self.repository_url(repository, &["issues", &number.to_string(), "comments"]);
        let call = Call::get(url, what).needs("pull-requests: read");
        let mut comments: Vec<Comment> = self.list(call, Pages::All).await?;
        comments.sort_by_key(|comment| comment.id);
        Ok(comments)
    }

    /// Writes a comment under a pull request. Not repeated when it is not known whether it was written: see
    /// [`GithubError::may_have_happened`].
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn create_comment(
        &self,
        repository: &Repository,
        number: u64,
        body: &str,
    ) -> Result<Comment, GithubError> {
        let what = format!("a comment on {repository}#{number}");
        let url = self.repository_url(repository, &["issues", &number.to_string(), "comments"]);
        let call = Call::write(Method::POST, url, "write", what)
            .body(json!({ "body": body }))
            .once()
            .needs(WRITE);
        self.send(&call).await?.json()
    }

    /// Replaces the text of a comment; none when it is gone.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn update_comment(
        &self,
        repository: &Repository,
        id: u64,
        body: &str,
    ) -> Result<Option<Comment>, GithubError> {
        let call = Call::write(
            Method::PATCH,
            self.comment_url(repository, id, &[]),
            "change",
            format!("comment {id} of {repository}"),
        );
        let call = call.body(json!({ "body": body })).needs(WRITE);
        match self.send(&call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a comment; `false` when it is gone already.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn delete_comment(
        &self,
        repository: &Repository,
        id: u64,
    ) -> Result<bool, GithubError> {
        let url = self.comment_url(repository, id, &[]);
        let what = format!("comment {id} of {repository}");
        let call = Call::write(Method::DELETE, url, "delete", what).needs(WRITE);
        match self.send(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reacts to a comment; nothing changes when we did before.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn react(
        &self,
        repository: &Repository,
        comment: u64,
        reaction: Reaction,
    ) -> Result<(), GithubError> {
        let url = self.comment_url(repository, comment, &["reactions"]);
        let what = format!("a reaction to comment {comment} of {repository}");
        let call = Call::write(Method::POST, url, "add", what)
            .body(json!({ "content": reaction.name() }))
            .needs(WRITE);
        self.send(&call).await.map(drop)
    }

    /// Hides a comment as outdated; whoever wants to see it can. Nothing changes when it is hidden.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn hide_comment(&self, comment: &Comment) -> Result<(), GithubError> {
        let question = "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) \
                        { minimizedComment { isMinimized } } }";
        let call = Call::write(
            Method::POST,
            self.graphql_url(),
            "hide",
            format!("comment {}", comment.id),
        );
        let call = call.body(json!({"query": question, "variables": {"id": comment.node}}));
        self.ask(&call.needs(WRITE)).await.map(drop)
    }

    fn comment_url(&self, repository: &Repository, id: u64, more: &[&str]) -> reqwest::Url {
        let id = id.to_string();
        let path = [&["issues", "comments", &id], more].concat();
        self.repository_url(repository, &path)
    }
}

/// The same as GitHub writes it.
mod raw {
    use serde::Deserialize;

    use super::Association;

    #[derive(Deserialize)]
    pub(super) struct Comment {
        id: u64,
        #[serde(default)]
        node_id: String,
        user: Option<User>,
        #[serde(default)]
        author_association: Association,
        body: Option<String>,
        #[serde(default)]
        html_url: String,
    }

    #[derive(Deserialize)]
    struct User {
        login: String,
    }

    impl From<Comment> for super::Comment {
        fn from(raw: Comment) -> Self {
            Self {
                id: raw.id,
                node: raw.node_id,
                author: raw.user.and_then(|user| user.login.parse().ok()),
                association: raw.author_association,
                body: raw.body.unwrap_or_default(),
                url: raw.html_url,
            }
        }
    }
}
