#!/usr/bin/env bash
# Builds the images of a pull request with BuildKit and pushes them. Run by the action `build`: `build.sh check` looks at the
# inputs, `build.sh build` does it.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=action/build/registry.sh
source "${BASH_SOURCE[0]%/*}/registry.sh"

check_inputs() {
  local platform own
  check_builds
  needed platforms
  matching platforms 'linux/[a-z0-9]+(/v[0-9]+)?(,linux/[a-z0-9]+(/v[0-9]+)?)*' 'a list such as `linux/amd64,linux/arm64`'
  choice cache gha none
  choice push true false
  choice scan true false
  choice sbom true false
  case $(uname -m) in
    aarch64 | arm64) own=linux/arm64 ;;
    *) own=linux/amd64 ;;
  esac
  for platform in $(input platforms | tr ',' ' '); do
    [[ $platform == "$own" ]] || output emulate true
  done
}

# build_one SERVICE CONTEXT DOCKERFILE IMAGE: one image, what BuildKit says about it in `work/SERVICE.json`.
build_one() {
  local args
  args=(
    buildx build
    --platform "$(input platforms)"
    --file "$2/$3"
    --tag "$4:$tag"
    --label "org.opencontainers.image.revision=$(input commit-sha)"
    --label "org.opencontainers.image.source=${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_REPOSITORY-}"
    --metadata-file "$work/$1.json"
    --provenance=false
    --progress=plain
  )
  if [[ $(input push) == true ]]; then
    args+=(--push)
  else
    args+=(--output "type=oci,dest=$(input archives)/$1.tar")
  fi
  if [[ $(input cache) == gha && -n ${ACTIONS_RUNTIME_TOKEN-} ]]; then
    args+=(--cache-from "type=gha,scope=k8s-ee-$1" --cache-to "type=gha,scope=k8s-ee-$1,mode=max,ignore-error=true")
  fi
  docker "${args[@]}" -- "$2"
}

build_all() {
  local service context dockerfile image failed='' images='' first='' digest pids=() services=() i
  work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/k8s-ee-build.XXXXXX")
  if [[ $(input push) == true ]]; then
    log_in
  else
    mkdir -p -- "$(input archives)"
  fi
  while IFS=$'\t' read -r service context dockerfile image; do
    [[ -f $context/$dockerfile ]] || die "$service: there is no $context/$dockerfile"
    build_one "$service" "$context" "$dockerfile" "$image" >"$work/$service.log" 2>&1 &
    pids+=("$!")
    services+=("$service")
  done < <(jq --raw-output '.[] | [.service, .context, .dockerfile, .image] | @tsv' <<<"$(input builds)")
  for i in "${!pids[@]}"; do
    service=${services[i]}
    wait "${pids[i]}" || failed+=" $service"
    printf '::group::%s\n' "$service"
    # What a build prints is the pull request's: it is not to be read as commands to Actions.
    printf '::stop-commands::%s\n' "$silence"
    cat -- "$work/$service.log"
    printf '::%s::\n::endgroup::\n' "$silence"
  done
  if [[ -n $failed ]]; then
    die "the build of$failed failed; its log is above"
  fi
  while IFS=$'\t' read -r service image; do
    digest=$(jq --raw-output --exit-status '."containerimage.digest"' "$work/$service.json") ||
      die "BuildKit told no digest of the image of $service"
    first=${first:-$digest}
    images+="$service=$image@$digest"$'\n'
  done < <(jq --raw-output '.[] | [.service, .image] | @tsv' <<<"$(input builds)")
  output images "${images%$'\n'}"
  output image-tag "$tag"
  output image-digest "$first"
  printf '%s' "$images"
}

check_inputs
if [[ ${1-} == build ]]; then
  silence=k8s_ee_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  build_all
fi
