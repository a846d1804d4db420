#!/bin/bash
# Starts PostgreSQL the way the usual image does, under whatever UID it is given. On the first start it makes the database
# from POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS and POSTGRES_HOST_AUTH_METHOD, and runs what
# lies in /docker-entrypoint-initdb.d on a server that only the socket reaches.
set -euo pipefail

if [[ ${1:-} == -* ]]; then
    set -- postgres "$@"
fi
[[ ${1:-} == postgres ]] || exec "$@"

# The server and initdb want a name for their UID, and a pod's UID may have none.
if ! getent passwd "$(id -u)" >/dev/null; then
    NSS_WRAPPER_PASSWD=$(mktemp)
    NSS_WRAPPER_GROUP=$(mktemp)
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD=libnss_wrapper.so
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
fi

export POSTGRES_USER=${POSTGRES_USER:-postgres}
export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}

ask() {
    PGPASSWORD=${POSTGRES_PASSWORD:-} PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" "$@"
}

run_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh)
            echo "running $file"
            if [[ -x $file ]]; then
                "$file"
            else
                # shellcheck source=/dev/null
                . "$file"
            fi
            ;;
        *.sql)
            echo "running $file"
            ask --dbname "$POSTGRES_DB" --file "$file"
            ;;
        esac
    done
}

mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [[ $method != trust && -z ${POSTGRES_PASSWORD:-} ]]; then
        echo "error: set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust" >&2
        exit 1
    fi
    password=()
    if [[ -n ${POSTGRES_PASSWORD:-} ]]; then
        password=(--pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD"))
    fi
    # shellcheck disable=SC2086 # several arguments in one variable, as the usual image has it
    initdb --username="$POSTGRES_USER" "${password[@]}" ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"

    options=$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")
    pg_ctl --pgdata="$PGDATA" --options="$options" --wait start
    if [[ $POSTGRES_DB != postgres ]]; then
        # shellcheck disable=SC2016 # psql's variable
        ask --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    run_files
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
fi

exec "$@"
