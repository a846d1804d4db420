# shellcheck shell=bash
# What is built, and the registries it goes to. Sourced after lib.sh.

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

# check_builds: the inputs that name images, and `tag`, which follows from them.
check_builds() {
  local problem
  needed builds
  needed pr-number
  matching pr-number '[1-9][0-9]*' 'the number of a pull request'
  needed commit-sha
  matching commit-sha '[0-9a-f]{40}' 'a commit of 40 hexadecimal digits'
  matching ecr-role-to-assume 'arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+' 'the ARN of a role'
  # `k8s-ee validate` has said the same with the line in the file; this is for lists that somebody else made.
  problem=$(input builds | jq --raw-output "$wrong" 2>&1) || die "the input \`builds\` is not JSON: $problem"
  [[ -z $problem ]] || die "the input \`builds\` $problem"
  # shellcheck disable=SC2034 # for who sources this
  tag=pr-$(input pr-number)-$(input commit-sha)
}
