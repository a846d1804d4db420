#!/usr/bin/env bash
# Makes the namespace and starts the databases. Run by the action `prepare`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(prepare)
subject
choice wait true false
option wait
timeout_option
cluster
run "${args[@]}"
