#!/usr/bin/env bash
# Deploys images, waits until the environment answers, and reports it. Run by the action `deploy`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(up)
subject
option comment-template
option chart
timeout_option
options images --image
flag rollback false --no-rollback
flag url-check false --no-url-check
flag prune-data true --prune-data
cluster
run "${args[@]}"
