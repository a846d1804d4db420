#!/usr/bin/env bash
# Builds the images of a pull request with BuildKit and pushes them. Run by the action `build`: `build.sh check` looks at the
# inputs, `build.sh build` does it.
# shellcheck source=action/lib.sh
source "${BASH_SOURCE[0]%/*}/../lib.sh"

check_inputs() {
  local problem platform own
  needed builds
  needed pr-number
  matching pr-number '[1-9][0-9]*' 'the number of a pull request'
  needed commit-sha
  matching commit-sha '[0-9a-f]{40}' 'a commit of 40 hexadecimal digits'
  needed platforms
  matching platforms 'linux/[a-z0-9]+(/v[0-9]+)?(,linux/[a-z0-9]+(/v[0-9]+)?)*' 'a list such as `linux/amd64,linux/arm64`'
  matching ecr-role-to-assume 'arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+' 'the ARN of a role'
  choice cache gha none
  choice push true false
  choice scan true false
  choice sbom true false
  # `k8s-ee validate` has said the same with the line in the file; this is for lists that somebody else made.
  problem=$(jq --raw-output "$wrong" <<<"$(input builds)" 2>&1) || die "the input \`builds\` is not JSON: $problem"
  [[ -z $problem ]] || die "the input \`builds\` $problem"
  case $(uname -m) in
    aarch64 | arm64) own=linux/arm64 ;;
    *) own=linux/amd64 ;;
  esac
  for platform in $(input platforms | tr ',' ' '); do
    [[ $platform == "$own" ]] || output emulate true
  done
}

# What is wrong with the list, in words; nothing when it is fine. A path must not leave the checkout, and no text may begin
# with a dash or look like an address, which Docker would fetch.
wrong='
def path: type == "string" and test("^[^-/:\\\\][^:\\\\]*$") and (split("/") | all(. != ".."));
if type != "array" or length == 0 then "is not a list with something to build"
else first(.[] | select(
  (.service | type != "string" or (test("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$") | not)) or
  (.context | path | not) or (.dockerfile | path | not) or
  (.image | type != "string" or (test("^[a-z0-9]([a-z0-9./_:-]*[a-z0-9])?$") | not))
) | "has an entry that cannot be built: \(tojson)") // "" end'

# log_in: to the registries of the images. Passwords go through standard input, never into arguments.
log_in() {
  local host
  while IFS= read -r host; do
    if [[ $host =~ ^[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$ ]]; then
      log_in_to_ecr "$host" "${BASH_REMATCH[1]}"
    elif [[ -n $(input registry-password) ]]; then
      input registry-password |
        docker login --username "$(input registry-username)" --password-stdin -- "$host"
    else
      warn "no password for $host: pushing without a login"
    fi
  done < <(jq --raw-output '[.[].image | split("/")[0]] | unique[]' <<<"$(input builds)")
}

# log_in_to_ecr HOST REGION: as the role, which AWS gives the job for its identity token. The AWS CLI reads the token from
# the file; repositories that do not exist yet are made.
log_in_to_ecr() {
  local repository
  if [[ -n $(input ecr-role-to-assume) ]]; then
    [[ -n ${ACTIONS_ID_TOKEN_REQUEST_URL-} ]] ||
      die "the job has no identity to take on the role with: give it \`permissions: id-token: write\`"
    identity=$(mktemp "${RUNNER_TEMP:-/tmp}/k8s-ee-identity.XXXXXX")
    trap 'rm -f -- "$identity"' EXIT
    curl --fail --silent --show-error --retry 3 --config - -- "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" \
      <<<"header = \"Authorization: bearer ${ACTIONS_ID_TOKEN_REQUEST_TOKEN-}\"" |
      jq --raw-output --exit-status '.value' >"$identity" || die 'GitHub gave the job no identity token'
    AWS_ROLE_ARN=$(input ecr-role-to-assume)
    export AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE=$identity AWS_ROLE_SESSION_NAME=k8s-ee
  fi
  export AWS_REGION=$2
  while IFS= read -r repository; do
    aws ecr describe-repositories --repository-names "$repository" >/dev/null 2>&1 ||
      aws ecr create-repository --repository-name "$repository" >/dev/null ||
      die "there is no repository $repository in $1, and it cannot be made"
  done < <(jq --raw-output --arg host "$1/" '.[].image | select(startswith($host)) | ltrimstr($host)' <<<"$(input builds)")
  aws ecr get-login-password | docker login --username AWS --password-stdin -- "$1"
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
  tag=pr-$(input pr-number)-$(input commit-sha)
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
