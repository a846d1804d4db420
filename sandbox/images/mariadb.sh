#!/bin/bash
# Starts MariaDB the way the usual image does: makes the database on the first start from MARIADB_ROOT_PASSWORD,
# MARIADB_DATABASE, MARIADB_USER and MARIADB_PASSWORD.
set -euo pipefail

data=${MARIADB_DATA:-/var/lib/mysql}

case "${1:-}" in
"" | -*) set -- mariadbd "$@" ;;
esac
[[ $1 == mariadbd ]] || exec "$@"
shift

# A text as an SQL string: quotes and backslashes in a generated password are data.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

# The bootstrap mode of the server takes one statement a line.
first_start() {
    echo "FLUSH PRIVILEGES;"
    echo "ALTER USER root@localhost IDENTIFIED BY $(quoted "$MARIADB_ROOT_PASSWORD");"
    echo "CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY $(quoted "$MARIADB_ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    if [[ -n ${MARIADB_DATABASE:-} ]]; then
        echo "CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;"
    fi
    if [[ -n ${MARIADB_USER:-} ]]; then
        echo "CREATE USER $(quoted "$MARIADB_USER")@'%' IDENTIFIED BY $(quoted "$MARIADB_PASSWORD");"
        echo "GRANT ALL ON \`${MARIADB_DATABASE:-%}\`.* TO $(quoted "$MARIADB_USER")@'%';"
    fi
}

if [[ ! -d $data/mysql ]]; then
    : "${MARIADB_ROOT_PASSWORD:?}"
    mariadb-install-db --no-defaults --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
    first_start | mariadbd --no-defaults --datadir="$data" --bootstrap --skip-networking
fi

exec mariadbd --no-defaults --datadir="$data" --socket=/tmp/mysqld.sock --pid-file=/tmp/mysqld.pid \
    --bind-address=0.0.0.0 "$@"
