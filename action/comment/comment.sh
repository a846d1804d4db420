#!/usr/bin/env bash
# Makes the comment right after the other jobs have ended, however they did. Run by the action `comment`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(comment)
pull_request
option commit-sha --commit
option comment
option comment-template
option state
option namespace
option preview-url
options jobs --job
run "${args[@]}"
