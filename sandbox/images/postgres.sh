#!/bin/bash
# Starts PostgreSQL the way the usual image does: makes the database on the first start from POSTGRES_USER,
# POSTGRES_PASSWORD and POSTGRES_DB, runs what lies in /docker-entrypoint-initdb.d, under whatever UID it is given.
set -euo pipefail

export PATH=/usr/lib/postgresql/15/bin:$PATH
export PGDATA=${PGDATA:-/var/lib/postgresql/data}

case "${1:-}" in
"" | -*) set -- postgres "$@" ;;
esac
[[ $1 == postgres ]] || exec "$@"
shift

# initdb wants a name for its UID, and a pod's UID has none.
if ! getent passwd "$(id -u)" >/dev/null; then
    NSS_WRAPPER_PASSWD=$(mktemp)
    NSS_WRAPPER_GROUP=$(mktemp)
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD=libnss_wrapper.so
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    initdb --pgdata="$PGDATA" --username="$user" --pwfile=<(printf '%s' "${POSTGRES_PASSWORD:?}") \
        --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses= -k /tmp" --wait start >/dev/null
    [[ $database == postgres ]] || createdb --host=/tmp --username="$user" "$database"
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh) bash "$file" ;;
        *.sql) psql --host=/tmp --username="$user" --dbname="$database" --set=ON_ERROR_STOP=1 --file="$file" ;;
        esac
    done
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop >/dev/null
fi

exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
