#!/usr/bin/env bash
# Takes an environment away. Run by the action `destroy`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(down)
pull_request
option project-id --project
option comment
flag force true --force
choice wait true false
option wait
timeout_option
cluster
run "${args[@]}"
