#!/usr/bin/env bash
# Asks GitHub what is to be done for a pull request now. Run by the action `pr`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(pr)
pull_request
option config-path --config
run "${args[@]}"
