#!/bin/bash
# Gives the image's user a name, before a package makes the account with a number of its own. Run by mmdebstrap with the
# image's root folder. From the environment: ACCOUNT, OWNER (uid:gid)
set -euo pipefail

root=$1
echo "$ACCOUNT:x:$OWNER::/:/bin/bash" >>"$root/etc/passwd"
echo "$ACCOUNT:x:${OWNER#*:}:" >>"$root/etc/group"
