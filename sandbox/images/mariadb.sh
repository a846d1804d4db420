#!/bin/bash
# Starts MariaDB the way the usual image does. On the first start it makes the database from MARIADB_ROOT_PASSWORD (or
# MARIADB_ALLOW_EMPTY_ROOT_PASSWORD), MARIADB_DATABASE, MARIADB_USER and MARIADB_PASSWORD, or the same with MYSQL_, and runs
# what lies in /docker-entrypoint-initdb.d on a server that only the socket reaches.
set -euo pipefail

if [[ ${1:-} == -* ]]; then
    set -- mariadbd "$@"
fi
[[ ${1:-} == mariadbd ]] || exec "$@"

data=/var/lib/mysql
socket=/run/mysqld/mysqld.sock

for name in ROOT_PASSWORD ALLOW_EMPTY_ROOT_PASSWORD DATABASE USER PASSWORD; do
    mysql_name=MYSQL_$name
    declare -x "MARIADB_$name=$(printenv "MARIADB_$name" || printf '%s' "${!mysql_name:-}")"
done

# A text as an SQL string: quotes and backslashes in a generated password are data.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

ask() {
    MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb --no-defaults --protocol=socket --socket="$socket" --user=root "$@"
}

# The accounts of the image's variables. Until then, root on the socket has no password.
accounts() {
    echo "SET @@SESSION.SQL_LOG_BIN=0;"
    echo "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost' OR User = '';"
    echo "FLUSH PRIVILEGES;"
    echo "ALTER USER root@localhost IDENTIFIED BY $(quoted "$MARIADB_ROOT_PASSWORD");"
    echo "CREATE USER root@'%' IDENTIFIED BY $(quoted "$MARIADB_ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    if [[ -n $MARIADB_DATABASE ]]; then
        echo "CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;"
    fi
    if [[ -n $MARIADB_USER ]]; then
        echo "CREATE USER $(quoted "$MARIADB_USER")@'%' IDENTIFIED BY $(quoted "$MARIADB_PASSWORD");"
        if [[ -n $MARIADB_DATABASE ]]; then
            # An underscore would stand for any character.
            echo "GRANT ALL ON \`${MARIADB_DATABASE//_/\\_}\`.* TO $(quoted "$MARIADB_USER")@'%';"
        fi
    fi
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
            ask ${MARIADB_DATABASE:+--database="$MARIADB_DATABASE"} <"$file"
            ;;
        esac
    done
}

if [[ ! -d $data/mysql ]]; then
    if [[ -z $MARIADB_ROOT_PASSWORD && -z $MARIADB_ALLOW_EMPTY_ROOT_PASSWORD ]]; then
        echo "error: set MARIADB_ROOT_PASSWORD or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD" >&2
        exit 1
    fi
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db
    "$@" --skip-networking --socket="$socket" &
    server=$!
    for ((i = 0; i < 600; i++)); do
        if mariadb-admin --no-defaults --protocol=socket --socket="$socket" --user=root ping &>/dev/null; then
            break
        fi
        kill -0 "$server"
        sleep 0.1
    done
    accounts | MARIADB_ROOT_PASSWORD='' ask
    run_files
    kill "$server"
    wait "$server"
fi

# Debian's own settings listen on the loopback only.
exec mariadbd --bind-address=* --socket="$socket" "${@:2}"
