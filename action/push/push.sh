#!/usr/bin/env bash
# Pushes images that another job built and may not push. Run by the action `push`. The archives are strangers' data: they are
# read by skopeo, and nothing in them is run.
here=${BASH_SOURCE[0]%/*}
# shellcheck source=action/lib.sh
source "$here/../lib.sh"
# shellcheck source=action/build/registry.sh
source "$here/../build/registry.sh"

# fetch: the artifact of the newest run for this commit that has one.
fetch() {
  local run
  while IFS= read -r run; do
    [[ -n $run ]] || continue
    if gh run download "$run" --name "$(input artifact)" --dir "$(input archives)"; then
      return
    fi
  done < <(gh run list --commit "$(input commit-sha)" --event pull_request --status success --json databaseId --jq '.[].databaseId')
  die "no run for $(input commit-sha) has handed images over: it may still be running, or have failed, or be too long ago"
}

check_builds
needed archives
if [[ -n $(input artifact) ]]; then
  command -v gh >/dev/null || die 'there is no `gh` on this runner; those of GitHub have it'
  GH_TOKEN=$(input github-token)
  export GH_TOKEN GH_REPO=$GITHUB_REPOSITORY
  fetch
fi
command -v skopeo >/dev/null || die 'there is no `skopeo` on this runner; those of GitHub have it'
log_in
images='' first=''
digest=$(mktemp "${RUNNER_TEMP:-/tmp}/k8s-ee-digest.XXXXXX")
while IFS=$'\t' read -r service image; do
  archive=$(input archives)/$service.tar
  [[ -f $archive && ! -L $archive ]] || die "the image of $service was not handed over"
  skopeo copy --all --digestfile "$digest" "oci-archive:$archive" "docker://$image:$tag" ||
    die "the image of $service could not be pushed"
  first=${first:-$(<"$digest")}
  images+="$service=$image@$(<"$digest")"$'\n'
done < <(input builds | jq --raw-output '.[] | [.service, .image] | @tsv')
output images "${images%$'\n'}"
output image-tag "$tag"
output image-digest "$first"
printf '%s' "$images"
