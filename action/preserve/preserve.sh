#!/usr/bin/env bash
# Keeps an environment for a while, or lets go of it. Run by the action `preserve`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(preserve)
pull_request
option project-id --project
if [[ $(input duration) == off ]]; then
  args+=(--off)
else
  matching duration '[1-9][0-9]*[smh]' 'a time such as `24h`, or `off`'
  option duration --for
fi
option comment
cluster
run "${args[@]}"
