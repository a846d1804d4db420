#!/bin/sh
# Puts the file $1 into MongoDB. The URL has the password in it, so no program gets it as an argument.
set -eu
case $1 in
*.js)
  exec mongosh --quiet --norc --nodb --file "$1" \
    --eval 'void (db = connect(process.env.MONGODB_URL).getSiblingDB(process.env.MONGODB_DATABASE))'
  ;;
esac
umask 077
# The database in the URL is the one that the user is known in; mongorestore would take it for the one to restore.
printf 'uri: "%s"\n' "$MONGODB_URL" | sed 's,/admin?,/?authSource=admin\&,' > /tmp/mongorestore.yaml
case $1 in
*.gz) set -- --gzip --archive="$1" ;;
*) set -- --archive="$1" ;;
esac
exec mongorestore --config=/tmp/mongorestore.yaml --stopOnError --nsInclude="$MONGODB_DATABASE.*" "$@"
