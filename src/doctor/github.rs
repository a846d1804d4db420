//! What the GitHub token is good for.

use super::{
    Finding,
    facts::{Access, Github},
};

/// What a run needs beyond reading, in the words of a workflow.
const NEEDED: &str =
    "permissions: {contents: read, pull-requests: write, deployments: write, statuses: write}";

pub(super) fn finding(github: Option<&Github>) -> Vec<Finding> {
    const CHECK: &str = "github";
    let Some(github) = github else {
        return vec![
            Finding::unknown(
                CHECK,
                "there is no GitHub token; comments, deployments and statuses were not looked at",
            )
            .hint("set GITHUB_TOKEN or GH_TOKEN, and --repository OWNER/REPO"),
        ];
    };
    let login = match &github.login {
        Ok(login) => login,
        Err(why) => {
            return vec![
                Finding::broken(CHECK, "GitHub does not take the token")
                    .because([why.clone()])
                    .hint("renew it: gh auth refresh, or in Actions `env: { GITHUB_TOKEN: ${{ github.token }} }`"),
            ];
        }
    };
    vec![match &github.repository {
        None => Finding::ok(CHECK, format!("the token is that of {login}")).hint("what it may do in a repository: --repository OWNER/REPO"),
        Some((repository, Err(why))) => Finding::broken(CHECK, format!("the token of {login} does not see {repository}"))
            .because([why.clone()])
            .hint("give it access to the repository, and check the name"),
        Some((repository, Ok(Access::Writes))) => Finding::ok(CHECK, format!("the token is that of {login}, who may write to {repository}"))
            .hint(format!("a fine-grained token needs as much as a workflow: {NEEDED}")),
        Some((repository, Ok(Access::Reads))) => Finding::warning(CHECK, format!("the token is that of {login}, who may only read {repository}: no comment, no deployment, no status"))
            .hint(format!("use the token of a workflow with {NEEDED}")),
        Some((repository, Ok(Access::Sees))) => Finding::unknown(CHECK, format!("the token is that of {login} and sees {repository}; GitHub does not tell what an app may do there"))
            .hint(format!("a workflow needs {NEEDED}")),
    }]
}
