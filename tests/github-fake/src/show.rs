//! How GitHub shows things: its own examples, with what we remember in place of what they are about.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    openapi::Description,
    world::{
        Comment, CommitStatus, Deployment, DeploymentStatus, Pull, Reaction, Repository, Role,
    },
};

/// Largest file that is shown with its text.
const MOST_BYTES: usize = 1024 * 1024;

/// Shows things of one repository.
pub(crate) struct Show<'a> {
    pub(crate) description: &'a Description,
    /// Where we are, in place of `https://api.github.com`.
    pub(crate) base: &'a str,
    /// `owner/name`.
    pub(crate) name: &'a str,
    pub(crate) repository: &'a Repository,
}

impl Show<'_> {
    /// An example of GitHub's, about this repository.
    fn example(&self, name: &str) -> Value {
        let mut value = self.description.example(name);
        if let Value::Array(items) = &mut value {
            value = items.swap_remove(0);
        }
        for repository in [
            "octocat/Hello-World",
            "octocat/example",
            "octokit/octokit.rb",
        ] {
            replace(&mut value, repository, self.name);
        }
        replace(&mut value, "https://api.github.com", self.base);
        value
    }

    pub(crate) fn repository(&self) -> Value {
        let mut value = self.example("full-repository-default-response");
        let members = value.as_object_mut().expect("an object");
        for key in ["parent", "source", "template_repository", "organization"] {
            members.remove(key);
        }
        value["language"] = Value::Null;
        self.name_repository(
            &mut value,
            self.name,
            self.repository.id,
            self.repository.private,
        );
        value
    }

    pub(crate) fn pull(&self, number: u64, pull: &Pull) -> Value {
        let mut value = self.example("pull-request");
        value["merged"] = pull.merged.into();
        self.fill_pull(&mut value, number, pull);
        value
    }

    pub(crate) fn pull_of_list(&self, number: u64, pull: &Pull) -> Value {
        let mut value = self.example("pull-request-simple-items");
        self.fill_pull(&mut value, number, pull);
        value
    }

    fn fill_pull(&self, value: &mut Value, number: u64, pull: &Pull) {
        for kind in ["pulls", "pull", "issues"] {
            replace(
                value,
                &format!("/{kind}/1347"),
                &format!("/{kind}/{number}"),
            );
        }
        value["number"] = number.into();
        value["title"] = pull.title.as_str().into();
        value["state"] = if pull.open { "open" } else { "closed" }.into();
        value["draft"] = pull.draft.into();
        value["locked"] = pull.locked.into();
        value["active_lock_reason"] = Value::Null;
        let at = pull.closed_at.as_deref().unwrap_or("2026-01-02T03:04:05Z");
        let closed = |closed: bool| {
            if closed { at.into() } else { Value::Null }
        };
        value["merged_at"] = closed(pull.merged);
        value["closed_at"] = closed(!pull.open);
        value["user"] = self.user(&pull.author);
        value["author_association"] = pull.association.as_str().into();
        value["labels"] = pull.labels.iter().map(|label| self.label(label)).collect();
        for key in ["assignee", "milestone", "merged_by", "auto_merge"] {
            if value.get(key).is_some() {
                value[key] = Value::Null;
            }
        }
        for key in ["assignees", "requested_reviewers", "requested_teams"] {
            value[key] = json!([]);
        }
        let head = pull.head_repository.as_deref().unwrap_or(self.name);
        let mut sides = [
            ("head", head, &pull.branch, &pull.sha),
            ("base", self.name, &"main".to_owned(), &pull.base_sha),
        ];
        for (side, name, branch, sha) in &mut sides {
            let side = &mut value[*side];
            let owner = name.split('/').next().unwrap_or_default();
            side["ref"] = branch.as_str().into();
            side["sha"] = sha.as_str().into();
            side["label"] = format!("{owner}:{branch}").into();
            if name.is_empty() {
                side["repo"] = Value::Null;
                side["user"] = Value::Null;
                continue;
            }
            side["user"] = self.user(owner);
            let mut repository = side["repo"].take();
            replace(&mut repository, self.name, name);
            // Those of the example of a list have more than GitHub describes.
            let members = repository.as_object_mut().expect("an object");
            for key in ["network_count", "subscribers_count", "template_repository"] {
                members.remove(key);
            }
            self.name_repository(
                &mut repository,
                name,
                self.repository.id,
                self.repository.private,
            );
            side["repo"] = repository;
        }
    }

    fn name_repository(&self, value: &mut Value, name: &str, id: u64, private: bool) {
        let (owner, short) = name.split_once('/').unwrap_or(("", name));
        value["id"] = id.into();
        value["name"] = short.into();
        value["full_name"] = name.into();
        value["owner"] = self.user(owner);
        value["private"] = private.into();
        value["default_branch"] = "main".into();
    }

    pub(crate) fn comment(&self, id: u64, comment: &Comment) -> Value {
        let mut value = self.example("issue-comment");
        for kind in ["issues", "pull"] {
            replace(
                &mut value,
                &format!("/{kind}/1347"),
                &format!("/{kind}/{}", comment.issue),
            );
        }
        value["id"] = id.into();
        value["node_id"] = format!("IC_{id}").into();
        value["url"] = format!("{}/repos/{}/issues/comments/{id}", self.base, self.name).into();
        let page = format!(
            "https://github.com/{}/pull/{}#issuecomment-{id}",
            self.name, comment.issue
        );
        value["html_url"] = page.into();
        value["body"] = comment.body.as_str().into();
        value["user"] = self.user(&comment.author);
        value["author_association"] = comment.association.as_str().into();
        value["created_at"] = comment.created_at.as_str().into();
        value["updated_at"] = comment.updated_at.as_str().into();
        value
    }

    pub(crate) fn reaction(&self, reaction: &Reaction) -> Value {
        let mut value = self.example("reaction");
        value["id"] = reaction.id.into();
        value["user"] = self.user(&reaction.login);
        value["content"] = reaction.content.as_str().into();
        value
    }

    pub(crate) fn label(&self, name: &str) -> Value {
        let mut value = self.example("label-items");
        value["name"] = name.into();
        let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
        value["url"] = format!("{}/repos/{}/labels/{encoded}", self.base, self.name).into();
        value
    }

    pub(crate) fn deployment(&self, id: u64, deployment: &Deployment) -> Value {
        let mut value = self.example("deployment-items");
        replace(&mut value, "/deployments/1", &format!("/deployments/{id}"));
        value["id"] = id.into();
        value["sha"] = deployment.sha.as_str().into();
        value["ref"] = deployment.sha.as_str().into();
        value["environment"] = deployment.environment.as_str().into();
        value["original_environment"] = deployment.environment.as_str().into();
        value["description"] = deployment.description.as_str().into();
        value["creator"] = self.user(&deployment.creator);
        value["transient_environment"] = deployment.transient.into();
        value["production_environment"] = deployment.production.into();
        value["created_at"] = deployment.created_at.as_str().into();
        value["updated_at"] = deployment.created_at.as_str().into();
        value
    }

    pub(crate) fn deployment_status(
        &self,
        id: u64,
        deployment: &Deployment,
        status: &DeploymentStatus,
    ) -> Value {
        let mut value = self.example("deployment-status");
        replace(&mut value, "/deployments/42", &format!("/deployments/{id}"));
        value["id"] = status.id.into();
        value["state"] = status.state.as_str().into();
        value["creator"] = self.user(&deployment.creator);
        value["description"] = status.description.as_str().into();
        value["environment"] = deployment.environment.as_str().into();
        value["environment_url"] = status.environment_url.as_str().into();
        value["log_url"] = status.log_url.as_str().into();
        value["target_url"] = status.log_url.as_str().into();
        value["created_at"] = status.created_at.as_str().into();
        value["updated_at"] = status.created_at.as_str().into();
        value
    }

    pub(crate) fn commit_status(&self, status: &CommitStatus) -> Value {
        let mut value = self.example("status");
        value["url"] = format!("{}/repos/{}/statuses/{}", self.base, self.name, status.sha).into();
        value["id"] = status.id.into();
        value["state"] = status.state.as_str().into();
        value["description"] = status.description.as_str().into();
        value["target_url"] = json!(status.target_url);
        value["context"] = status.context.as_str().into();
        value["creator"] = self.user(&status.creator);
        value["created_at"] = status.created_at.as_str().into();
        value["updated_at"] = status.created_at.as_str().into();
        value
    }

    pub(crate) fn permission(&self, login: &str, role: &Role) -> Value {
        let mut value = self
            .example("repository-collaborator-permission-response-if-user-has-admin-permissions");
        let mut user = self.user(login);
        user["role_name"] = role.name.as_str().into();
        value["user"] = user;
        value["permission"] = role.permission.as_str().into();
        value["role_name"] = role.name.as_str().into();
        value
    }

    pub(crate) fn file(&self, path: &str, text: &str) -> Value {
        let mut value = self.example("content-file-response-if-content-is-a-file");
        self.fill_content(&mut value, path);
        value["size"] = text.len().into();
        if text.len() > MOST_BYTES {
            value["encoding"] = "none".into();
            value["content"] = "".into();
        } else {
            value["encoding"] = "base64".into();
            let encoded = STANDARD.encode(text);
            let lines = encoded.as_bytes().chunks(60).map(String::from_utf8_lossy);
            value["content"] = lines
                .map(|line| format!("{line}\n"))
                .collect::<String>()
                .into();
        }
        value
    }

    pub(crate) fn link(&self, path: &str, target: &str) -> Value {
        let mut value = self.example("content-file-response-if-content-is-a-symlink");
        self.fill_content(&mut value, path);
        value["target"] = target.into();
        value
    }

    pub(crate) fn entry_of_folder(&self, path: &str) -> Value {
        let mut value = self.example("content-file-response-if-content-is-a-directory");
        self.fill_content(&mut value, path);
        value
    }

    fn fill_content(&self, value: &mut Value, path: &str) {
        value["path"] = path.into();
        value["name"] = path.rsplit('/').next().unwrap_or_default().into();
    }

    fn user(&self, login: &str) -> Value {
        let mut value = self.description.example("issue-comment")["user"].clone();
        let bot = login.ends_with("[bot]");
        let encoded = login.replace('[', "%5B").replace(']', "%5D");
        replace(&mut value, "https://api.github.com", self.base);
        replace(&mut value, "octocat", &encoded);
        value["login"] = login.into();
        value["type"] = if bot { "Bot" } else { "User" }.into();
        value
    }
}

/// Replaces a text in all texts of a document.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| replace(member, from, to)),
        _ => {}
    }
}
