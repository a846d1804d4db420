//! The workflow that calls ours for every pull request.

use super::Repository;

/// Where the workflow is written.
pub const WORKFLOW: &str = ".github/workflows/pr-environment.yml";

/// Where the reusable workflow is.
const REUSABLE: &str = "koder-cat/k8s-ee/.github/workflows/pr-environment-reusable.yml";

/// Text of the workflow, for a version of ours and the domain of the previews, if it is known.
#[must_use]
pub fn workflow(repository: &Repository, version: &str, domain: Option<&str>) -> String {
    let domain = domain.unwrap_or("preview.example.com");
    let note = match repository.github() {
        Some(_) => "",
        None => {
            "# Works on GitHub; elsewhere call `k8s-ee up` and `k8s-ee down` from a pipeline.\n"
        }
    };
    format!(
        "# An environment for every pull request, as k8s-ee.yaml says; it goes when the pull request is closed.\n\
{note}name: PR environment
on:
  pull_request:
    types: [opened, reopened, synchronize, closed]
permissions: {{}}
jobs:
  environment:
    permissions:
      contents: read        # check out, read k8s-ee.yaml
      packages: write       # push the image
      pull-requests: write  # the comment
      deployments: write    # the deployment on the pull request
      statuses: write       # the status of the commit
    uses: {REUSABLE}@v{version}
    with:
      pr-number: ${{{{ github.event.pull_request.number }}}}
      pr-action: ${{{{ github.event.action }}}}
      head-sha: ${{{{ github.event.pull_request.head.sha }}}}
      head-ref: ${{{{ github.head_ref }}}}
      repository: ${{{{ github.repository }}}}
      preview-domain: {domain}  # as in the platform settings
    secrets: inherit
"
    )
}
