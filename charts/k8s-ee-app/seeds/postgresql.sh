#!/bin/sh
# Puts the file $1 into PostgreSQL, all of it or nothing: a seed that was cut short can run again.
set -eu
case $1 in
*.gz)
  # Under its own name, which errors repeat.
  cd /tmp
  gunzip -c "$OLDPWD/$1" > "${1%.gz}"
  set -- "${1%.gz}"
  ;;
esac
case $1 in
*.sql) exec psql -X -q -v ON_ERROR_STOP=1 --single-transaction -f "$1" ;;
*) exec pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname="$PGDATABASE" "$1" ;;
esac
