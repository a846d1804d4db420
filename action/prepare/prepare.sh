#!/usr/bin/env bash
# Makes the namespace and starts the databases. Run by the action `prepare`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(prepare)
needed config-path
option config-path --config
pull_request
option commit-sha --commit
option branch-name --branch
choice profile default fork
option profile
option config-at
option comment
option preview-domain --domain
choice wait true false
option wait
timeout_option
cluster
run "${args[@]}"
