#!/usr/bin/env bash
# Deploys images, waits until the environment answers, and reports it. Run by the action `deploy`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(up)
needed config-path
option config-path --config
pull_request
option commit-sha --commit
option branch-name --branch
choice profile default fork
option profile
option config-at
option comment
option comment-template
option preview-domain --domain
option chart
timeout_option
options images --image
flag rollback false --no-rollback
flag url-check false --no-url-check
flag prune-data true --prune-data
cluster
run "${args[@]}"
