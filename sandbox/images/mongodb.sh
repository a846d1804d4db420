#!/bin/bash
# Starts the stand-in for MongoDB the way the usual image starts the real one. On the first start it makes the user of
# MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD, and runs what lies in /docker-entrypoint-initdb.d on a server
# that is reached on the loopback only and asks for no login.
set -euo pipefail

if [[ ${1:-} == -* ]]; then
    set -- mongod "$@"
fi
[[ ${1:-} == mongod ]] || exec "$@"

data=/data/db
port=27017
arguments=("${@:2}")
for ((i = 0; i < ${#arguments[@]}; i++)); do
    case ${arguments[i]} in
    --dbpath) data=${arguments[i + 1]} ;;
    --port) port=${arguments[i + 1]} ;;
    esac
done

ask() {
    mongosh --quiet --norc --host 127.0.0.1 --port "$port" "$@"
}

# The arguments without those that let others in or ask for a login.
first_arguments() {
    local skip=''
    for argument in "${arguments[@]}"; do
        if [[ -n $skip ]]; then
            skip=''
            continue
        fi
        case $argument in
        --keyFile | --bind_ip) skip=1 ;;
        --auth | --bind_ip_all | --keyFile=* | --bind_ip=*) ;;
        *) printf '%s\0' "$argument" ;;
        esac
    done
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
        *.js)
            echo "running $file"
            ask "${MONGO_INITDB_DATABASE:-test}" "$file"
            ;;
        esac
    done
}

shopt -s nullglob
databases=("$data"/*.sqlite)
files=(/docker-entrypoint-initdb.d/*)
if ((${#databases[@]} == 0)) && [[ ${#files[@]} -gt 0 || -n ${MONGO_INITDB_ROOT_USERNAME:-} ]]; then
    mapfile -d '' first < <(first_arguments)
    mongod "${first[@]}" --bind_ip 127.0.0.1 &
    server=$!
    for ((i = 0; i < 600; i++)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            break
        fi
        kill -0 "$server"
        sleep 0.1
    done
    if [[ -n ${MONGO_INITDB_ROOT_USERNAME:-} ]]; then
        ask admin --eval 'db.createUser({
            user: process.env.MONGO_INITDB_ROOT_USERNAME,
            pwd: process.env.MONGO_INITDB_ROOT_PASSWORD,
            roles: [{ role: "root", db: "admin" }],
        })'
    fi
    run_files
    kill "$server"
    wait "$server"
fi

if [[ -n ${MONGO_INITDB_ROOT_USERNAME:-} ]]; then
    set -- "$@" --auth
fi
exec "$@"
