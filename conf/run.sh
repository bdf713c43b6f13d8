#!/bin/bash

# Runs the demo service: a private PostgreSQL, memcached and nginx with the
# module, the schema and Debian's package index as data.  Stays in the
# foreground with the access log; Ctrl-C or TERM stops what it started.
#
# Everything lives in run/, or in /var/tmp/ngx_scale-<uid> where the checkout
# is root's: the servers run as postgres then, and /root is closed to them.
# A second run finds its data there.
#
#   PORT, PGPORT, MCPORT   ports on 127.0.0.1 (8080, 25432, 21211)

# shellcheck disable=SC2317   # stop() is called by trap

set -u
umask 077
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"

top=$(cd "$(dirname "$0")/.." && pwd)
port=${PORT:-8080}
pgport=${PGPORT:-25432}
mcport=${MCPORT:-21211}

nginx=
memcached=
postgres=
step=
follow=
worker=


die()
{
    printf 'run: %s\n' "$*" >&2
    exit 1
}


# ends one of our own processes: signal, patience in tenths of a second
end()
{
    local pid=$1 signal=$2 patience=$3

    [ -n "$pid" ] || return 0

    kill "-$signal" "$pid" 2>/dev/null
    kill -CONT "$pid" 2>/dev/null

    while kill -0 "$pid" 2>/dev/null; do
        if [ "$patience" -le 0 ]; then
            kill -KILL "$pid" 2>/dev/null
            break
        fi
        patience=$((patience - 1))
        sleep 0.1
    done

    wait "$pid" 2>/dev/null
}


stop()
{
    trap '' INT TERM HUP
    trap - EXIT

    end "$step" TERM 50
    end "$worker" TERM 50
    end "$nginx" TERM 50
    end "$follow" TERM 10
    end "$memcached" TERM 20
    end "$postgres" INT 300
}


# a step in the background, so that a signal need not wait for its end
await()
{
    local rc

    "$@" &
    step=$!
    wait "$step"
    rc=$?
    step=

    return $rc
}


# who runs the servers, and where
choose_place()
{
    local owner

    owner=$(stat -c %u "$top")

    if [ "$(id -u)" -ne 0 ]; then
        uid=$(id -u)
        run=$top/run
        [ -w "$top" ] || run=/var/tmp/ngx_scale-$uid
        as=()
    else
        if [ "$owner" -eq 0 ]; then
            uid=$(id -u postgres 2>/dev/null) \
                || die "there is no user \"postgres\"; install postgresql."
            run=/var/tmp/ngx_scale-0
        else
            uid=$owner
            run=$top/run
        fi
        as=(setpriv "--reuid=$uid" "--regid=$(id -g "$uid")" --clear-groups)
    fi

    gid=$(id -g "$uid")

    # in /var/tmp anybody may have been here first
    if [ ! -e "$run" ] && [ ! -L "$run" ]; then
        install -d -m 700 -o "$uid" -g "$gid" "$run" \
            || die "the directory $run cannot be made."
    fi

    if [ -L "$run" ] || [ "$(stat -c %u "$run")" -ne "$uid" ]; then
        die "$run is not a directory of user $(id -nu "$uid")." \
            "Remove it and start again."
    fi

    # a socket's address has room for 107 bytes
    [ ${#run} -le 80 ] || die "the path $run is too long for a unix socket."
}


check_port()
{
    local name=$1 value=$2 server=$3

    case $value in
    '' | *[!0-9]* | ??????*)
        die "$name=$value is not a port."
        ;;
    esac

    if (exec 3<>"/dev/tcp/127.0.0.1/$value") 2>/dev/null; then
        die "port $value for $server is taken." \
            "Stop what listens there or choose another: $name=<port> make run"
    fi
}


check_ports()
{
    if [ "$port" = "$pgport" ] || [ "$port" = "$mcport" ] \
       || [ "$pgport" = "$mcport" ]
    then
        die "PORT, PGPORT and MCPORT must differ."
    fi

    check_port PORT "$port" nginx
    check_port PGPORT "$pgport" PostgreSQL
    check_port MCPORT "$mcport" memcached
}


free_mb()
{
    df -Pm "$run" | awk 'NR == 2 { print $4 }'
}


check_disk()
{
    local need=600 free

    [ -e "$run/loaded" ] && need=100
    free=$(free_mb)

    [ "$free" -ge "$need" ] \
        || die "the disk that holds $run is full: $free MB are free," \
               "$need MB are needed."
}


# a failed step: a full disk is the likely reason, else its own log's end
explain()
{
    local log=$1
    shift

    [ -s "$log" ] && tail -n 5 "$log" >&2
    [ "$(free_mb)" -ge 20 ] || die "the disk that holds $run is full."
    die "$@"
}


check_programs()
{
    local version='' dir

    [ -f "$run/pg/PG_VERSION" ] && version=$(cat "$run/pg/PG_VERSION")

    dir=/usr/lib/postgresql/${version:-*}/bin
    # shellcheck disable=SC2086
    pgbin=$(printf '%s\n' $dir | sort -V | tail -n 1)

    [ -x "$pgbin/postgres" ] \
        || die "PostgreSQL $version is not installed (no $pgbin/postgres)."

    for program in nginx memcached; do
        command -v $program >/dev/null || die "$program is not installed."
    done

    [ -f "$top/build/ngx_scale_module.so" ] \
        || die "build/ngx_scale_module.so is missing; run \"make\" first."
}


put()
{
    install -m 600 -o "$uid" -g "$gid" "$1" "$run/$2" \
        || explain /dev/null "$run/$2 cannot be written."
}


# standard input into a file of the servers' user
fill()
{
    "${as[@]}" tee "$run/$1" >/dev/null \
        || explain /dev/null "$run/$1 cannot be written."
}


render()
{
    local dir file

    for dir in html objects sock temp; do
        install -d -m 700 -o "$uid" -g "$gid" "$run/$dir" \
            || explain /dev/null "$run/$dir cannot be made."
    done

    for file in "$top"/conf/html/*; do
        put "$file" "html/${file##*/}"
    done

    # theirs even if root starts the servers once: the shell opens them below
    for file in access error initdb memcached nginx postgres worker; do
        : | fill "$file.log"
    done

    put "$top/build/ngx_scale_module.so" ngx_scale_module.so
    put "$top/conf/worker/thumbnail.sh" thumbnail.sh

    for file in password secret; do
        [ -s "$run/$file" ] \
            || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' | fill "$file"
    done

    if [ ! -s "$run/aws" ]; then
        printf 'aws_access_key_id = demo\naws_secret_access_key = %s\n' \
            "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" | fill aws
    fi

    sed -e "s|@RUN@|$run|g" -e "s|@PORT@|$port|g" \
        -e "s|@PGPORT@|$pgport|g" -e "s|@MCPORT@|$mcport|g" \
        "$top/conf/nginx.conf" | fill nginx.conf
}


# The socket's directory is closed to others, so whoever reaches the socket is
# trusted; the port is for the API role and its password only.
start_postgres()
{
    local i

    if [ ! -d "$run/pg" ]; then
        echo "PostgreSQL: a new data directory in $run/pg"
        rm -rf "$run/pg.new"
        await "${as[@]}" "$pgbin/initdb" -D "$run/pg.new" -U postgres \
            -A trust -E UTF8 --no-locale >"$run/initdb.log" 2>&1 9>&- \
            || explain "$run/initdb.log" "initdb failed."
        mv "$run/pg.new" "$run/pg"
    fi

    printf '%s\n' 'local all all trust' \
        'host app api 127.0.0.1/32 scram-sha-256' | fill pg/pg_hba.conf

    setsid "${as[@]}" "$pgbin/postgres" -D "$run/pg" \
        -c "port=$pgport" -c listen_addresses=127.0.0.1 \
        -c "unix_socket_directories=$run/sock" \
        -c shared_preload_libraries=pg_stat_statements \
        -c max_wal_size=512MB \
        </dev/null >"$run/postgres.log" 2>&1 9>&- &
    postgres=$!

    for ((i = 0; i < 600; i++)); do
        "$pgbin/pg_isready" -q -h "$run/sock" -p "$pgport" && return
        kill -0 "$postgres" 2>/dev/null || break
        sleep 0.1
    done

    explain "$run/postgres.log" "PostgreSQL did not start."
}


sql()
{
    "$pgbin/psql" -X -q -v ON_ERROR_STOP=1 "$@"
}


prepare_database()
{
    export PGHOST=$run/sock PGPORT=$pgport PGUSER=postgres PGDATABASE=app
    export PSQL=$pgbin/psql PGOPTIONS='-c client_min_messages=warning'

    if [ -z "$(sql -d postgres -Atc \
               "SELECT 1 FROM pg_database WHERE datname = 'app'")" ]
    then
        sql -d postgres -c 'CREATE DATABASE app' \
            || explain "$run/postgres.log" "the database cannot be created."
    fi

    sql -1 -f "$top/conf/sql/scale.sql" \
        || explain "$run/postgres.log" "conf/sql/scale.sql failed."

    if [ -z "$(sql -Atc "SELECT to_regclass('posts')")" ]; then
        sql -1 -c 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements' \
            -f "$top/conf/sql/demo.sql" \
            || explain "$run/postgres.log" "conf/sql/demo.sql failed."
    fi

    # by standard input: arguments are seen by everybody
    printf "ALTER ROLE api PASSWORD '%s';\n" "$(cat "$run/password")" | sql \
        || explain "$run/postgres.log" "the API role cannot be set up."

    await /usr/bin/python3 "$top/conf/load.py" 9>&- \
        || explain /dev/null "the demo data could not be loaded."

    sql -1 -f "$top/conf/sql/login.sql" -f "$top/conf/sql/queue.sql" \
        -f "$top/conf/sql/photos.sql" \
        || explain "$run/postgres.log" \
                   "conf/sql/login.sql, queue.sql or photos.sql failed."

    : | fill loaded
}


start_memcached()
{
    setsid "${as[@]}" memcached -l 127.0.0.1 -p "$mcport" -U 0 -m 64 \
        -c 4096 -R 200 -o temporary_ttl=61 \
        </dev/null >"$run/memcached.log" 2>&1 9>&- &
    memcached=$!

    sleep 0.2
    kill -0 "$memcached" 2>/dev/null \
        || explain "$run/memcached.log" "memcached did not start."
}


start_nginx()
{
    local i

    "${as[@]}" nginx -q -t -p "$run/" -e "$run/error.log" \
        -c "$run/nginx.conf" \
        || die "nginx refuses its configuration; the reason is above."

    setsid "${as[@]}" nginx -p "$run/" -e "$run/error.log" \
        -c "$run/nginx.conf" -g 'daemon off;' \
        </dev/null >"$run/nginx.log" 2>&1 9>&- &
    nginx=$!

    for ((i = 0; i < 100; i++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        kill -0 "$nginx" 2>/dev/null || break
        sleep 0.1
    done

    explain "$run/error.log" "nginx did not start."
}


start_worker()
{
    HOSTS=127.0.0.1:$port TMPDIR=$run/temp METRICS=$run/worker.prom \
        setsid "${as[@]}" sh "$run/thumbnail.sh" \
        "http://127.0.0.1:$port/queues/thumbs" \
        </dev/null >"$run/worker.log" 2>&1 9>&- &
    worker=$!
}


print_urls()
{
    local url=http://127.0.0.1:$port

    cat <<END

The service runs.  Ctrl-C stops it.

  reader      $url/
  PostgreSQL  psql -h $run/sock -p $pgport -U postgres app
  memcached   127.0.0.1:$mcport
  errors      $run/error.log

Try, the first one twice:

  curl -i $url/v1/posts/7
  curl -i -c jar -H 'Content-Type: application/json' \\
       -d '{"name": "nginx", "password": "demo"}' $url/v1/session
  curl -i -b jar -H 'Sec-Fetch-Site: none' \\
       -H 'Content-Type: application/json' \\
       -d '{"title": "Hello", "body": "World"}' $url/v1/posts
  curl -i $url/v1/users/7/timeline

A photo and its thumbnail, see "The photo flow" of README.md:

  curl -i -b jar -H 'Sec-Fetch-Site: none' \\
       -H 'Content-Type: application/json' \\
       -d "{\"type\": \"image/jpeg\", \"bytes\": \$(stat -c %s a.jpg)}" \\
       $url/v1/photos

END
}


trap stop EXIT
trap 'stop; exit 0' INT TERM HUP

choose_place

[ -e "$run/lock" ] || : | fill lock
exec 9>"$run/lock"
flock -n 9 || die "the service runs already (from $run)."

check_programs
check_ports
check_disk
render
start_postgres
prepare_database
start_memcached
start_nginx
start_worker
print_urls

tail -n +1 -f "$run/access.log" 9>&- &
follow=$!

wait "$nginx"
nginx=
die "nginx has ended; see $run/error.log."
