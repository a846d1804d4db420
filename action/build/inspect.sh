#!/usr/bin/env bash
# Looks for vulnerabilities in the images that were built, and lists what is in them. Run by the action `build`, which goes on
# whatever comes of it.
here=${BASH_SOURCE[0]%/*}
# shellcheck source=action/lib.sh
source "$here/../lib.sh"
# shellcheck source=action/setup/install.sh
source "$here/../setup/install.sh"

# hand_in FILE: the findings, to the page Security of the repository. Private repositories without Advanced Security have
# none, and forks may not.
hand_in() {
  local number
  number=$(input pr-number)
  gzip --stdout -- "$1" | base64 | tr -d '\n' |
    jq --raw-input --arg sha "$(input commit-sha)" --arg ref "refs/pull/$number/head" '{commit_sha: $sha, ref: $ref, sarif: .}' |
    GH_TOKEN=$(input github-token) gh api --method POST --input - --silent "repos/$GITHUB_REPOSITORY/code-scanning/sarifs" ||
    warn 'the findings could not be handed in: that takes `permissions: security-events: write`, and code scanning'
}

install_program trivy
PATH=$installed:$PATH
folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/k8s-ee-inspect.XXXXXX")
while IFS='=' read -r service image; do
  [[ -n $service ]] || continue
  if [[ $(input scan) == true ]]; then
    if trivy image --quiet --severity CRITICAL,HIGH --ignore-unfixed --format sarif --output "$folder/$service.sarif" -- "$image"; then
      hand_in "$folder/$service.sarif"
    else
      warn "$service could not be scanned"
    fi
  fi
  if [[ $(input sbom) == true ]]; then
    trivy image --quiet --format spdx-json --output "$folder/$service.spdx.json" -- "$image" ||
      warn "what is in $service could not be listed"
  fi
done <<<"$(input images)"
if compgen -G "$folder/*.spdx.json" >/dev/null; then
  output sboms "$folder/*.spdx.json"
fi
