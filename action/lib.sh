# shellcheck shell=bash
# What the scripts of all actions share: checked inputs, and messages that Actions shows. Sourced, not run.
#
# An input `config-path` comes in the variable K8S_EE_INPUT_CONFIG_PATH: nothing from outside is ever part of a script.

set -euo pipefail

# Text as the value of a workflow command: it cannot end the line and begin a command of its own.
escaped() {
  local text=$1
  text=${text//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  printf '%s' "${text//$'\n'/'%0A'}"
}

# die MESSAGE: ends the step; the message is an annotation of the run.
die() {
  printf '::error title=k8s-ee::%s\n' "$(escaped "$1")"
  exit 2
}

warn() {
  printf '::warning title=k8s-ee::%s\n' "$(escaped "$1")"
}

# input NAME: its value; empty when it was not given.
input() {
  local name
  # The bash of macOS is too old for `${1^^}`.
  name=K8S_EE_INPUT_$(LC_ALL=C tr 'a-z-' 'A-Z_' <<<"$1")
  printf '%s' "${!name-}"
}

# The checks end the script: they must not run in a subshell, so they print nothing and `input` reads the value.

# needed NAME: an error when it is empty. `required: true` of an action.yml is not enforced by Actions.
needed() {
  [[ -n $(input "$1") ]] || die "the input \`$1\` is missing"
}

# choice NAME ALLOWED…: an error when it is none of the allowed ones.
choice() {
  local name=$1 value allowed
  value=$(input "$name")
  shift
  for allowed in "$@"; do
    [[ $value != "$allowed" ]] || return 0
  done
  allowed=$(printf ', `%s`' "$@")
  die "the input \`$name\` is \`$value\`; allowed: ${allowed:2}"
}

# matching NAME PATTERN MEANING: an error when it is neither empty nor matches all of the pattern.
matching() {
  local value
  value=$(input "$1")
  [[ -z $value || $value =~ ^($2)$ ]] || die "the input \`$1\` is \`$value\`, which is not $3"
}

# The inputs that several actions have.
pull_request() {
  matching pr-number '[1-9][0-9]*' 'the number of a pull request'
  option pr-number --pr
  option repository
}

# subject: which file, pull request, commit and profile an environment is made from. Of `prepare` and `deploy`.
subject() {
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
}

timeout_option() {
  matching timeout '[1-9][0-9]*[smh]' 'a time such as `90s` or `10m`'
  option timeout
}

# option NAME [FLAG]: adds `--name VALUE` to the array `args` when the input is not empty. As one word, so that a value
# which begins with a dash stays a value.
option() {
  local value
  value=$(input "$1")
  [[ -z $value ]] || args+=("${2:---$1}=$value")
}

# flag NAME VALUE FLAG: adds FLAG when the input, which is `true` or `false`, is VALUE.
flag() {
  choice "$1" true false
  [[ $(input "$1") != "$2" ]] || args+=("$3")
}

# options NAME FLAG: adds FLAG for each line of the input.
options() {
  local line
  while IFS= read -r line; do
    [[ -z ${line//[[:space:]]/} ]] || args+=("$2=$line")
  done <<<"$(input "$1")"
}

# output NAME VALUE: an output of the step. The delimiter is random, so that a value cannot end itself.
output() {
  local delimiter
  delimiter=k8s_ee_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >>"$GITHUB_OUTPUT"
}

# The cluster: the contents of a kubeconfig become a file that only this user can read, gone when the script ends.
cluster() {
  local contents
  contents=$(input kubeconfig)
  option context
  [[ -n $contents ]] || return 0
  kubeconfig=$(mktemp "${RUNNER_TEMP:-/tmp}/k8s-ee-kubeconfig.XXXXXX")
  trap 'rm -f -- "$kubeconfig"' EXIT
  printf '%s\n' "$contents" >"$kubeconfig"
  unset K8S_EE_INPUT_KUBECONFIG
  export KUBECONFIG=$kubeconfig
}

# run ARGS…: the binary. Its exit code is the script's; what it has to say, it says itself: annotations, summary, outputs.
run() {
  local token
  token=$(input github-token)
  [[ -z $token ]] || export GITHUB_TOKEN=$token
  unset K8S_EE_INPUT_GITHUB_TOKEN
  k8s-ee "$@"
}
