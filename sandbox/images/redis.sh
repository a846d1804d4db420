#!/bin/sh
# Starts Redis the way the usual image does: arguments that begin with a dash belong to redis-server.
set -eu

case "${1:-}" in
"" | -*) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ]; then
    shift
    set -- redis-server --bind '* -::*' --protected-mode no --dir "${REDIS_DATA:-/data}" "$@"
fi
exec "$@"
