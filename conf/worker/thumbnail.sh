#!/bin/sh

# Makes thumbnails: a worker of a queue that scale_queue_api serves.  Start as
# many as there are cores, on any machine; each does one job at a time.
#
#     thumbnail.sh http://127.0.0.1:8080/queues/thumbs
#
# A job's payload says what to do:
#
#     source    URL of the picture, fetched by GET
#     target    URL of the thumbnail, sent by PUT
#     done      maybe, a URL that is told by PATCH: {"thumbnail": target}
#     size      pixels of the longer side, 200 where it is absent
#
# All three may be done again: a job is done at least once.
#
# INT or TERM: the job under way is finished, a claim that waits is given up.  A
# second one returns the job.  Settings are environment variables:
#
#     HOSTS       regex of the hosts that URLs may have: any
#     VISIBILITY  seconds between two signs of life, times three: 30
#     METRICS     file for Prometheus' textfile collector: none
#     NAME        the worker's in there: its process id
#     CURL        more options of curl, such as "--netrc-file path"
#
# Needs curl, jq and vipsthumbnail (Debian: curl, jq, libvips-tools).

set -u
umask 077
export LC_ALL=C.UTF-8

queue=${1:?usage: $0 URL of a queue}
hosts=${HOSTS:-'[^/]+'}
visibility=${VISIBILITY:-30}
name=${NAME:-$$}

stop=
job=
claim=
child=
pulse=
done_jobs=0
failed_jobs=0
lost_jobs=0
seconds=0
work=$(mktemp -d) || exit 1


# "$CURL" is several words

# shellcheck disable=SC2086
http()
{
    ${http:-} curl -gsS --connect-timeout 5 --max-time "$patience" --proto =http,https \
         ${CURL:-} "$@"
}


# in the background, so that a signal is heard at once; its status

await()
{
    "$@" &
    child=$!

    # a trap ends wait before the child does

    while :; do
        wait "$child"
        status=$?
        kill -0 "$child" 2>/dev/null || break
    done

    child=
    return "$status"
}


metrics()
{
    [ -n "${METRICS:-}" ] || return 0

    cat > "$METRICS.$$" <<END || return 0
# TYPE scale_worker_jobs_total counter
scale_worker_jobs_total{worker="$name",result="done"} $done_jobs
scale_worker_jobs_total{worker="$name",result="failed"} $failed_jobs
scale_worker_jobs_total{worker="$name",result="lost"} $lost_jobs
# TYPE scale_worker_busy_seconds_total counter
scale_worker_busy_seconds_total{worker="$name"} $seconds
# TYPE scale_worker_busy gauge
scale_worker_busy{worker="$name"} $1
# TYPE scale_worker_seen_seconds gauge
scale_worker_seen_seconds{worker="$name"} $(date +%s)
END
    chmod 0644 "$METRICS.$$"
    mv "$METRICS.$$" "$METRICS"
}


# verb, path, body: about the job under way; prints the status

tell()
{
    patience=10

    for try in 1 2 3 4 5; do
        code=$(http -o /dev/null -w '%{http_code}' -X "$1" \
                    -H "Job-Claim: $claim" -H 'Content-Type: application/json' \
                    ${3:+-d "$3"} "$queue/$job$2")

        case $code in
            5?? | 000) sleep "$try" ;;
            *) break ;;
        esac
    done

    printf '%s' "$code"
}


# signs of life, until the job is over or lost; not of a worker that was killed

heartbeat()
{
    while sleep $(((visibility + 2) / 3)) && kill -0 $$ 2>/dev/null; do
        [ "$(tell PATCH '' "{\"visibility\": $visibility}")" = 200 ] || exit
    done
}


quiet()
{
    [ -n "$pulse" ] || return 0

    kill "$pulse" 2>/dev/null
    wait "$pulse" 2>/dev/null
    pulse=
}


field()
{
    jq -r "$1 // empty" "$work/job"
}


# URLs come from whoever writes jobs: no files, no other hosts

allowed()
{
    jq -e --arg url "\\Ahttps?://($hosts)(/[!-~]*)?\\z" \
       '.payload | [.source, .target, .done // .target] | all(test($url))' \
       "$work/job" > /dev/null
}


# what fails says why in $work/error

thumbnail()
{
    source=$(field .payload.source)
    target=$(field .payload.target)
    told=$(field .payload.done)
    size=$(field .payload.size)
    size=${size:-200}
    patience=60

    allowed || { echo 'a URL that is not allowed'; return 1; }

    case $size in
        *[!0-9]* | ????? ) echo 'a size that is none'; return 1 ;;
    esac

    http -f -o "$work/picture" --max-filesize 50000000 "$source" \
        || { echo 'the picture could not be fetched'; return 1; }

    vipsthumbnail "$work/picture" -s "$size" -o "$work/thumb.jpg[Q=80,strip]" \
        || { echo 'the picture could not be read'; return 1; }

    http -f -o /dev/null -T "$work/thumb.jpg" "$target" \
        || { echo 'the thumbnail could not be stored'; return 1; }

    [ -n "$told" ] || return 0

    jq -n --arg thumbnail "$target" '$ARGS.named' > "$work/told"

    http -f -o /dev/null -X PATCH -H 'Content-Type: application/json' \
         -d "@$work/told" "$told" \
        || { echo 'the database could not be told'; return 1; }
}


attempt()
{
    thumbnail > "$work/error" 2> "$work/stderr"
}


count()
{
    case $1 in
        20?) eval "$2_jobs=\$(($2_jobs + 1))" ;;
        *) lost_jobs=$((lost_jobs + 1)) ;;
    esac
}


run()
{
    job=$(field .id)
    claim=$(field .claim)
    began=$(date +%s)

    metrics 1
    heartbeat > /dev/null 2>&1 &
    pulse=$!

    await attempt
    status=$?
    quiet

    if [ "$stop" = now ]; then
        tell POST /return > /dev/null

    elif [ "$status" = 0 ]; then
        count "$(tell DELETE '')" "done"

    else
        error=$(tail -n 1 "$work/error")
        count "$(tell POST /fail "$(jq -n --arg error "$error" \
                                       '$ARGS.named')")" failed
    fi

    seconds=$((seconds + $(date +%s) - began))
    job=
}


# "soon" lets the job end, and a claim that waits not

halt()
{
    if [ -n "$stop" ]; then
        stop=now
    else
        stop=soon
    fi

    if [ -n "$child" ] && { [ -z "$job" ] || [ "$stop" = now ]; }; then
        kill "$child" 2>/dev/null
    fi
}


# what is killed is curl itself: the queue sees that its client has gone

next()
{
    patience=30
    http="exec"
    http -f -o "$work/jobs" -w '%{http_code}' "$queue?wait=20s" > "$work/code"
}


trap halt INT TERM
trap 'quiet; rm -rf "$work"' EXIT

pause=1

while [ -z "$stop" ]; do
    metrics 0

    rm -f "$work"/*
    await next
    code=$(cat "$work/code" 2>/dev/null)

    case $code in
        200)
            pause=1

            if jq -e '.[0]' "$work/jobs" > "$work/job"; then
                run
            fi
            ;;

        204)
            pause=1
            ;;

        *)
            [ -n "$stop" ] || await sleep "$pause"
            pause=$((pause < 16 ? pause * 2 : 30))
            ;;
    esac
done

metrics 0
