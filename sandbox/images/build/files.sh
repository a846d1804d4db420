#!/bin/bash
# Puts into an image of Debian packages what is not a package's, and takes out what has no place in an image. Run by
# mmdebstrap with the image's root folder.
#
# From the environment: SCRIPT, the entry point; PROGRAMS, files, and FOLDERS, one a line; OWNER (uid:gid) of the folders;
# NPM, a folder of node_modules, and NPM_PROGRAM, which of its programs is wanted; both may be empty
set -euo pipefail

root=$1
cd "$root"

# Package lists, data of the packages' own first start, and the JIT compiler.
rm -rf var/lib/apt/lists/* var/cache/apt/* var/log/* var/lib/mysql/* var/lib/postgresql/* etc/postgresql/* \
    usr/lib/llvm* usr/lib/*/libLLVM* usr/lib/postgresql/*/lib/llvmjit* usr/lib/postgresql/*/lib/bitcode

install --mode=755 "$SCRIPT" usr/local/bin/docker-entrypoint.sh
while IFS= read -r program; do
    [[ -z $program ]] || install --mode=755 "$program" usr/local/bin
done <<<"$PROGRAMS"
while IFS= read -r folder; do
    [[ -z $folder ]] || install --directory --mode=1777 --owner="${OWNER%:*}" --group="${OWNER#*:}" "./$folder"
done <<<"$FOLDERS"
if [[ -n $NPM ]]; then
    cp --recursive "$NPM" usr/local/lib/npm
    ln --symbolic "../lib/npm/node_modules/.bin/$NPM_PROGRAM" usr/local/bin
fi
