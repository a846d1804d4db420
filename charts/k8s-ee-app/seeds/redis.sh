#!/bin/sh
# Puts the file $1 into Redis: commands, one a line, or Redis' own protocol, which begins with a star.
set -eu
if [ -n "${REDIS_PASSWORD:-}" ]; then
  export REDISCLI_AUTH="$REDIS_PASSWORD"
fi
read -r first < "$1" || true
case $first in
'*'*) cat "$1" ;;
# Empty lines and comments are not for the server.
*) sed '/^[[:space:]]*\(#.*\)\{0,1\}$/d' "$1" ;;
esac | redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" --pipe
