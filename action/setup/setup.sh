#!/usr/bin/env bash
# Puts `k8s-ee` and `helm` into the PATH of this job. Run by the action `setup`.
#
# With `ensure` as its argument, as the other actions run it: only what is missing. So the steps after a `setup` use what it
# chose, and a job without one needs none.
here=${BASH_SOURCE[0]%/*}
# shellcheck source=action/lib.sh
source "$here/../lib.sh"
# shellcheck source=action/setup/install.sh
source "$here/install.sh"

# into_path FOLDER: for the steps that follow, and for the rest of this one.
into_path() {
  printf '%s\n' "$1" >>"$GITHUB_PATH"
  PATH=$1:$PATH
}

# What is built from this repository's own sources: those beside the actions, not ones that an input names.
from_source() {
  local root
  root=$(cd -- "$here/../.." && pwd)
  command -v cargo >/dev/null || die 'the input `source` is `true`, and there is no `cargo` in PATH'
  cargo build --release --locked --package k8s-ee --manifest-path "$root/Cargo.toml"
  folder=${CARGO_TARGET_DIR:-$root/target}/release
}

# given FILE: a folder of its own in which the program has its name.
given() {
  [[ -f $1 && -x $1 ]] || die "the input \`binary\` is \`$1\`, which is not a program"
  folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/k8s-ee-bin.XXXXXX")
  ln -s -- "$(cd -- "$(dirname -- "$1")" && pwd)/${1##*/}" "$folder/k8s-ee"
}

own() {
  local folder
  choice source true false
  if [[ -n $(input binary) ]]; then
    [[ -z $(input artifact) && $(input source) == false ]] ||
      die 'the inputs `binary`, `artifact` and `source` exclude each other'
    given "$(input binary)"
  elif [[ -n $(input artifact) ]]; then
    [[ $(input source) == false ]] || die 'the inputs `artifact` and `source` exclude each other'
    # Artifacts lose the mode of their files.
    chmod +x -- "$RUNNER_TEMP/k8s-ee-artifact/k8s-ee" || die "there is no k8s-ee in the artifact \`$(input artifact)\`"
    folder=$RUNNER_TEMP/k8s-ee-artifact
  elif [[ $(input source) == true ]]; then
    from_source
  else
    [[ -n $(version_of k8s-ee) ]] ||
      die 'these actions are of no released version: use a release such as `@v0`, or give `binary` or `source`'
    install_program k8s-ee
    folder=$installed
  fi
  into_path "$folder"
}

# Where a `setup` came before, or the runner brings its own, there is nothing to do.
if [[ ${1-} == ensure ]] && command -v k8s-ee >/dev/null; then
  exit
fi
: "${K8S_EE_INPUT_SOURCE:=false}" "${K8S_EE_INPUT_HELM:=pinned}"
own
choice helm pinned path
if [[ $(input helm) == pinned ]]; then
  install_program helm
  into_path "$installed"
fi
command -v helm >/dev/null || die 'the input `helm` is `path`, and there is no `helm` in PATH'
version=$(k8s-ee --version)
output version "${version##* }"
output binary "$(command -v k8s-ee)"
printf '%s, helm %s\n' "$version" "$(helm version --short)"
