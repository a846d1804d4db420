#!/usr/bin/env bash
# Checks k8s-ee.yaml. Run by the action `validate`.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

args=(validate)
needed config-path
option config-path --config
pull_request
option config-at
option registry
option comment
option preview-domain --domain
run "${args[@]}"
