#!/bin/sh
# Starts Redis the way the usual image does: arguments that begin with a dash, or a file of settings, belong to
# redis-server.
set -eu

cd /data
case "${1:-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1:-}" = redis-server ]; then
    shift
    # The usual image is built without protected mode; arguments, which come after a file, may still ask for it.
    case "${1:-}" in
    "" | -*) set -- --protected-mode no "$@" ;;
    *)
        file=$1
        shift
        set -- "$file" --protected-mode no "$@"
        ;;
    esac
    set -- redis-server "$@"
fi
exec "$@"
