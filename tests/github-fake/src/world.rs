//! What the fake remembers: tokens, repositories, and what is in them. Tests set it up and look into it; as a program it
//! is read from a file and changed by `PATCH /_fake/world`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// Who may ask, by token.
    pub tokens: BTreeMap<String, Token>,
    /// Repositories by `owner/name`.
    pub repositories: BTreeMap<String, Repository>,
    /// The last number that was given out.
    pub last_id: u64,
}

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose it is; that of an app ends with `[bot]`.
    pub login: String,
    /// What it may, such as `pull_requests: write`.
    pub permissions: BTreeMap<String, Access>,
    /// The repositories that it is for; all when empty.
    #[serde(default)]
    pub repositories: Vec<String>,
}

/// How much a permission allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// To read.
    Read,
    /// To read and write.
    Write,
}

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repository {
    /// Its number.
    pub id: u64,
    /// Whether only tokens for it may see it.
    pub private: bool,
    /// Roles by login, such as `write`, `maintain`, or one of the organization's own.
    pub collaborators: BTreeMap<String, Role>,
    /// Texts of files by commit and path.
    pub files: BTreeMap<String, BTreeMap<String, String>>,
    /// Targets of symbolic links by commit and path.
    pub links: BTreeMap<String, BTreeMap<String, String>>,
    /// Pull requests by number.
    pub pulls: BTreeMap<u64, Pull>,
    /// Comments on them by number.
    pub comments: BTreeMap<u64, Comment>,
    /// Deployments by number.
    pub deployments: BTreeMap<u64, Deployment>,
    /// Statuses of commits, the oldest first.
    pub statuses: Vec<CommitStatus>,
}

/// A role in a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What it amounts to: `admin`, `write`, `read` or `none`.
    pub permission: String,
    /// Its name.
    pub name: String,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pull {
    /// Its title.
    pub title: String,
    /// Whether it is open.
    pub open: bool,
    /// When it was closed; long ago when absent.
    pub closed_at: Option<String>,
    /// Whether it was merged.
    pub merged: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether only those who may push can comment.
    pub locked: bool,
    /// Who opened it.
    pub author: String,
    /// What the author is to the repository.
    pub association: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Newest commit of the head.
    pub sha: String,
    /// Branch of the head.
    pub branch: String,
    /// Repository of the head, `owner/name`; the same as the base's when absent, gone when empty.
    pub head_repository: Option<String>,
    /// Newest commit of the base.
    pub base_sha: String,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// Number of the pull request that it is on.
    pub issue: u64,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
    /// What the author is to the repository.
    #[serde(default = "none")]
    pub association: String,
    /// When it was written.
    #[serde(default = "now")]
    pub created_at: String,
    /// When it was changed last.
    #[serde(default = "now")]
    pub updated_at: String,
    /// Who reacted, and how.
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    /// Whether it is hidden as outdated.
    #[serde(default)]
    pub hidden: bool,
}

/// A reaction to a comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// Its number.
    pub id: u64,
    /// Who.
    pub login: String,
    /// How, such as `eyes`.
    pub content: String,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// What was deployed.
    pub sha: String,
    /// Where to.
    pub environment: String,
    /// In words.
    pub description: String,
    /// Whether the environment will be gone.
    pub transient: bool,
    /// Whether it is the one that matters.
    pub production: bool,
    /// Who made it.
    pub creator: String,
    /// When.
    pub created_at: String,
    /// How it went, the oldest first.
    pub statuses: Vec<DeploymentStatus>,
}

/// How a deployment went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentStatus {
    /// Its number.
    pub id: u64,
    /// How, such as `success`.
    pub state: String,
    /// In words.
    pub description: String,
    /// Where the environment can be seen.
    pub environment_url: String,
    /// Where it is told how it went.
    pub log_url: String,
    /// When.
    pub created_at: String,
}

/// The status of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitStatus {
    /// Its number.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// What it is about.
    pub context: String,
    /// How it stands, such as `success`.
    pub state: String,
    /// In words.
    pub description: String,
    /// Where there is more.
    pub target_url: Option<String>,
    /// Who set it.
    pub creator: String,
    /// When.
    pub created_at: String,
}

impl World {
    /// A repository, which is made if there is none.
    pub fn repository(&mut self, name: &str) -> &mut Repository {
        if !self.repositories.contains_key(name) {
            let repository = Repository {
                id: self.next_id(),
                ..Repository::default()
            };
            self.repositories.insert(name.to_owned(), repository);
        }
        self.repositories.get_mut(name).expect("it was just made")
    }

    /// Puts a comment under a pull request, and gives its number.
    pub fn comment(&mut self, repository: &str, issue: u64, author: &str, body: &str) -> u64 {
        let id = self.next_id();
        let comment = Comment::new(issue, author, body);
        self.repository(repository).comments.insert(id, comment);
        id
    }

    /// Gives numbers to repositories that have none, and sees to it that no number is given out twice.
    pub(crate) fn number(&mut self) {
        let known = self.repositories.values().flat_map(|repository| {
            let deployments = repository.deployments.keys();
            repository
                .comments
                .keys()
                .chain(deployments)
                .chain([&repository.id])
        });
        let highest = known.copied().max().unwrap_or_default();
        self.last_id = self.last_id.max(highest);
        for repository in self
            .repositories
            .values_mut()
            .filter(|repository| repository.id == 0)
        {
            self.last_id += 1;
            repository.id = self.last_id;
        }
    }

    /// A number that was not given out before.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Whether a token may do this to a repository. Everybody may read a public one.
    pub(crate) fn may(
        &self,
        token: &Token,
        repository: &str,
        access: Access,
        any: &[&str],
    ) -> bool {
        let public = self
            .repositories
            .get(repository)
            .is_some_and(|found| !found.private);
        if access == Access::Read && public {
            return true;
        }
        token.is_for(repository)
            && any.iter().any(|name| {
                token
                    .permissions
                    .get(*name)
                    .is_some_and(|has| *has >= access)
            })
    }
}

impl Token {
    /// The token that Actions gives a job: what the workflow's `permissions` say, and `metadata: read`.
    #[must_use]
    pub fn actions(permissions: &[(&str, Access)]) -> Self {
        Self::of("github-actions[bot]", permissions)
    }

    /// The token of a job that may do everything that we do.
    #[must_use]
    pub fn writer() -> Self {
        Self::actions(&[
            ("contents", Access::Read),
            ("deployments", Access::Write),
            ("issues", Access::Write),
            ("pull_requests", Access::Write),
            ("statuses", Access::Write),
        ])
    }

    /// The token of a job for a pull request from a fork.
    #[must_use]
    pub fn reader() -> Self {
        let names = [
            "contents",
            "deployments",
            "issues",
            "pull_requests",
            "statuses",
        ];
        Self::actions(&names.map(|name| (name, Access::Read)))
    }

    /// Somebody's token.
    #[must_use]
    pub fn of(login: &str, permissions: &[(&str, Access)]) -> Self {
        let mut permissions: BTreeMap<String, Access> = permissions
            .iter()
            .map(|(name, access)| ((*name).to_owned(), *access))
            .collect();
        permissions
            .entry("metadata".to_owned())
            .or_insert(Access::Read);
        Self {
            login: login.to_owned(),
            permissions,
            repositories: Vec::new(),
        }
    }

    /// Whether it is an app's.
    pub(crate) fn is_app(&self) -> bool {
        self.login.ends_with("[bot]")
    }

    fn is_for(&self, repository: &str) -> bool {
        let listed = |name: &String| name.eq_ignore_ascii_case(repository);
        self.repositories.is_empty() || self.repositories.iter().any(listed)
    }
}

impl Comment {
    /// A comment that is written now.
    #[must_use]
    pub fn new(issue: u64, author: &str, body: &str) -> Self {
        Self {
            issue,
            author: author.to_owned(),
            body: body.to_owned(),
            association: none(),
            created_at: now(),
            updated_at: now(),
            reactions: Vec::new(),
            hidden: false,
        }
    }
}

impl Default for Pull {
    fn default() -> Self {
        Self {
            title: "Amazing new feature".to_owned(),
            open: true,
            closed_at: None,
            merged: false,
            draft: false,
            locked: false,
            author: "octocat".to_owned(),
            association: "CONTRIBUTOR".to_owned(),
            labels: Vec::new(),
            sha: "6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned(),
            branch: "new-topic".to_owned(),
            head_repository: None,
            base_sha: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d".to_owned(),
        }
    }
}

impl Pull {
    /// Whether its commits are in this repository itself.
    pub(crate) fn is_own(&self, repository: &str) -> bool {
        let head = self.head_repository.as_deref();
        head.is_none_or(|head| head.eq_ignore_ascii_case(repository))
    }
}

fn none() -> String {
    "NONE".to_owned()
}

/// The time as GitHub writes it.
pub(crate) fn now() -> String {
    let second = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(second)
        .expect("the present is a time")
        .to_string()
}
