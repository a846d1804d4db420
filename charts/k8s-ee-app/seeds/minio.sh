#!/bin/sh
# Puts what is in the archive $1 into the bucket of MinIO: the server unpacks it.
set -eu
if ! command -v mc > /dev/null; then
  echo 'the image of MinIO has no mc, which hands archives to the server: seed from an image of your own' >&2
  exit 1
fi
export MC_HOST_seed="http://$S3_ACCESS_KEY:$S3_SECRET_KEY@$MINIO_ENDPOINT:$MINIO_PORT"
exec mc --config-dir /tmp/mc --quiet cp --attr X-Amz-Meta-Snowball-Auto-Extract=true "$1" "seed/$MINIO_BUCKET/"
