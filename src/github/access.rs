//! Who the token is, and what somebody may do in a repository.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, GithubError, Login, Repository, client::Call};

/// What somebody may do in a repository, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing, or nothing that we know.
    None,
    /// Read it.
    Read,
    /// Look after issues and pull requests.
    Triage,
    /// Push to it.
    Write,
    /// Look after the repository.
    Maintain,
    /// Everything.
    Admin,
}

/// A repository, as far as the token may see it: that proves that it may.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RepositoryFacts {
    /// Its name now, after renames.
    #[serde(rename = "full_name")]
    pub name: Repository,
    /// Whether only some may see it.
    pub private: bool,
    /// The branch that pull requests are usually made against.
    pub default_branch: String,
}

impl Client {
    /// Whose token it is: that of a person, or the bot of an app, such as `github-actions[bot]` in Actions. Asked once.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not say.
    pub async fn viewer(&self) -> Result<&Login, GithubError> {
        self.viewer
            .get_or_try_init(|| async {
                // The REST API tells it to persons only, GraphQL to everybody.
                let call = Call::write(
                    Method::POST,
                    self.graphql_url(),
                    "find out",
                    "whose the token is".to_owned(),
                );
                let call = call.body(json!({"query": "query { viewer { login } }"}));
                let data: ViewerData =
                    serde_json::from_value(self.ask(&call).await?).map_err(|error| {
                        GithubError::Unexpected {
                            doing: call.doing().clone(),
                            source: error.into(),
                        }
                    })?;
                Ok(data.viewer.login)
            })
            .await
    }

    /// Asks something in GraphQL, and gives what is under `data`.
    pub(super) async fn ask(&self, call: &Call) -> Result<Value, GithubError> {
        let answer: Answer = self.send(call).await?.json()?;
        // GraphQL refuses with a status that says all is well.
        match answer.data {
            Some(data) if answer.errors.is_empty() => Ok(data),
            _ => {
                let said = answer.errors.into_iter().map(|error| error.message);
                Err(GithubError::Unusable {
                    doing: call.doing().clone(),
                    why: said.collect::<Vec<_>>().join("; "),
                })
            }
        }
    }

    /// What somebody may do in a repository.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not say.
    pub async fn permission(
        &self,
        repository: &Repository,
        login: &Login,
    ) -> Result<Permission, GithubError> {
        let path = ["collaborators", login.as_str(), "permission"];
        let url = self.repository_url(repository, &path);
        let what = format!("what {login} may do in {repository}");
        let answer = self
            .send(&Call::get(url, what).needs("metadata: read"))
            .await;
        match answer {
            Ok(answer) => answer.json::<RawPermission>().map(Permission::from),
            Err(error) if error.is_not_found() => Ok(Permission::None),
            Err(error) => Err(error),
        }
    }

    /// A repository as the token sees it.
    ///
    /// # Errors
    /// GitHub cannot be asked, or does not show it.
    pub async fn repository(
        &self,
        repository: &Repository,
    ) -> Result<RepositoryFacts, GithubError> {
        let url = self.repository_url(repository, &[]);
        let call = Call::get(url, format!("repository {repository}")).needs("metadata: read");
        self.send(&call).await?.json()
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

#[derive(Deserialize)]
struct ViewerData {
    viewer: ViewerLogin,
}

#[derive(Deserialize)]
struct ViewerLogin {
    login: Login,
}

#[derive(Deserialize)]
struct RawPermission {
    permission: String,
    #[serde(default)]
    role_name: String,
}

impl From<RawPermission> for Permission {
    fn from(raw: RawPermission) -> Self {
        // The role is finer, but may have a name of the organization's own; what it is made from is in the permission.
        match (raw.role_name.as_str(), raw.permission.as_str()) {
            (_, "admin") => Self::Admin,
            ("maintain", _) => Self::Maintain,
            (_, "write") => Self::Write,
            ("triage", _) => Self::Triage,
            (_, "read") => Self::Read,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_from_roles() {
        let permission = |permission: &str, role: &str| {
            let (permission, role_name) = (permission.to_owned(), role.to_owned());
            Permission::from(RawPermission {
                permission,
                role_name,
            })
        };
        assert_eq!(permission("admin", "admin"), Permission::Admin);
        assert_eq!(permission("write", "maintain"), Permission::Maintain);
        assert_eq!(permission("write", "release-manager"), Permission::Write);
        assert_eq!(permission("read", "triage"), Permission::Triage);
        assert_eq!(permission("read", "read"), Permission::Read);
        assert_eq!(permission("none", ""), Permission::None);
        assert_eq!(permission("owner", "owner"), Permission::None);
        assert!(
            Permission::Maintain >= Permission::Write && Permission::Triage < Permission::Write
        );
    }
}
