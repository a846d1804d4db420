# shellcheck shell=bash
# Programs of `versions`: downloaded, compared with the digest there, kept in the runner's tool cache. Sourced after lib.sh.

versions=${K8S_EE_VERSIONS:-${BASH_SOURCE[0]%/*}/versions}

# This machine, as `versions` names it.
platform() {
  local system machine
  system=$(uname -s | LC_ALL=C tr '[:upper:]' '[:lower:]')
  machine=$(uname -m)
  case $machine in
    x86_64) machine=amd64 ;;
    aarch64) machine=arm64 ;;
  esac
  printf '%s-%s' "$system" "$machine"
}

# line_of PROGRAM: version, digest and address for this machine; fails when there is none.
line_of() {
  local here program version there digest url
  here=$(platform)
  while read -r program version there digest url; do
    if [[ $program == "$1" && $there == "$here" ]]; then
      printf '%s %s %s' "$version" "$digest" "$url"
      return
    fi
  done <"$versions"
  return 1
}

# version_of PROGRAM: the version for this machine; empty when there is none.
version_of() {
  local line
  line=$(line_of "$1") || return 0
  printf '%s' "${line%% *}"
}

# folder_of PROGRAM VERSION: where it is in the tool cache, on runners that keep that from one job to the next.
folder_of() {
  printf '%s/k8s-ee/%s/%s/%s' "${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}" "$1" "$2" "$(platform)"
}

sha256() {
  if command -v sha256sum >/dev/null; then
    sha256sum -- "$1"
  else
    shasum -a 256 -- "$1"
  fi | cut -d' ' -f1
}

# install_program PROGRAM: sees to it that the version of `versions` is in the tool cache, and sets `installed` to its folder.
install_program() {
  local line version digest url scratch found
  line=$(line_of "$1") || die "this version of the actions has no $1 for $(platform)"
  read -r version digest url <<<"$line"
  installed=$(folder_of "$1" "$version")
  [[ ! -x $installed/$1 ]] || return 0
  scratch=$(mktemp -d "${RUNNER_TEMP:-/tmp}/k8s-ee-setup.XXXXXX")
  printf 'downloading %s %s\n' "$1" "$version"
  curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --output "$scratch/archive" -- "$url" ||
    die "cannot download $1 $version from $url"
  found=$(sha256 "$scratch/archive")
  [[ $found == "$digest" ]] || die "$url has the SHA-256 $found, and should have $digest"
  attested "$1" "$scratch/archive"
  mkdir "$scratch/files"
  tar -xzf "$scratch/archive" -C "$scratch/files"
  found=$(find "$scratch/files" -type f -name "$1" | head -n 1)
  [[ -n $found ]] || die "there is no $1 in $url"
  chmod 0755 "$found"
  mkdir -p "$installed"
  # Renamed into place: a job beside this one finds all of it or nothing.
  mv -f -- "$found" "$installed/.$1.$$"
  mv -f -- "$installed/.$1.$$" "$installed/$1"
  rm -rf -- "$scratch"
}

# attested PROGRAM FILE: for our own program, that this repository's release workflow built it. The digest says so already
# to whoever trusts these actions; this says it to whoever trusts GitHub, where its command line can ask.
attested() {
  [[ $1 == k8s-ee ]] || return 0
  if ! command -v gh >/dev/null || ! gh attestation --help >/dev/null 2>&1 || [[ -z $(input github-token) ]]; then
    printf 'attestation not checked: that takes the program `gh` 2.49 or newer and a token\n'
    return 0
  fi
  GH_TOKEN=$(input github-token) gh attestation verify "$2" --repo koder-cat/k8s-ee ||
    die "the archive of k8s-ee was not built by the release workflow of koder-cat/k8s-ee"
}
