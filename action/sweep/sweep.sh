#!/usr/bin/env bash
# Takes environments away whose pull request is closed or whose time is over. Run by the action `sweep`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(sweep)
option repository
flag dry-run true --dry-run
timeout_option
choice comment auto off
option comment
cluster
run "${args[@]}"
