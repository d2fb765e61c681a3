# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A daemon and `rollcall handle` of the test's own.
# shellcheck source=tests/commands/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../commands/lib.sh"

# What handlers said is worth reading when a test fails.
fail() {
    echo "FAILED: $*" >&2
    [ ! -s "$directory/errors" ] || sed 's/^/    stderr: /' "$directory/errors" >&2
    [ ! -s "$directory/said" ] || tail -n 40 "$directory/said" | sed 's/^/    said: /' >&2
    exit 1
}

# Each event is a process or more, on a machine that may be busy.
# shellcheck disable=SC2034 # the library uses it
limit=180
# Handlers' processes begin in /.
# shellcheck disable=SC2034 # the tests use it
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
socket=$directory/socket
state=$directory/state
config=$directory/handlers.d
database=$directory/daemon.db
daemon=(--daemon="$socket")
# By its whole path, as other tests may run another.
child=$tools/load-child
mkdir "$config"
chmod 755 "$directory"

listens() {
    "$ROLLCALL" stats "${daemon[@]}" >/dev/null 2>&1
}

start_daemon() {
    start "$tools/rollcalld" --socket "$socket" --journal "$database" --name "$name"
    daemon_pid=$!
    wait_until "the daemon listens" listens
}

stop_daemon() {
    send TERM "$daemon_pid"
    end_of "$daemon_pid"
    equal "the daemon's status" 0 "$status"
}

# handler NAME LINE...: its file, for the next start_handle or reload.
handler() {
    local file=$config/$1.conf

    shift
    printf '%s\n' '[handler]' "$@" >"$file"
}

# start_handle: what it says is added to $directory/said.
start_handle() {
    "$ROLLCALL" handle --config "$config" --state "$state" "${daemon[@]}" \
        2>>"$directory/said" &
    handle=$!
}

# stop_handle SIGNAL
stop_handle() {
    send "$1" "$handle"
    end_of "$handle"
    [ "$1" = KILL ] || equal "the status of handle" 0 "$status"
}

tells() {
    grep -Eq -- "$1" "$directory/said" 2>/dev/null
}

told() {
    tells "$1" || fail "it does not say '$1'"
}

# wait_said PATTERN: until `rollcall handle` has said it.
wait_said() {
    wait_until "it says '$1'" tells "$1"
}

exists() {
    "$ROLLCALL" stats "${daemon[@]}" --json "handler-$1" >/dev/null 2>&1
}

# wait_begun NAME...: what happens from here on is theirs.
wait_begun() {
    local one

    for one in "$@"; do
        wait_until "there is a consumer of handler '$one'" exists "$one"
    done
}

# in_journal: the newest number there. Consumers have an event before it is in the journal.
in_journal() {
    sql "$database" 'SELECT max(seq) FROM events'
}

has_run() {
    [ "$(sql "$database" "SELECT count(*) FROM events WHERE type = 2 AND exe = '$1'")" -ge 1 ]
}

# wait_stored: until all that has happened is in the journal: so is a program that runs now.
wait_stored() {
    local mark

    mark=$(mktemp "$directory/mark.XXXXXX")
    cp /bin/true "$mark"
    chmod 755 "$mark"
    "$mark"
    wait_until "the journal has what has happened" has_run "$mark"
    rm "$mark"
}

# newest: the number of the newest event that has happened.
newest() {
    wait_stored
    in_journal
}

# acked NAME: up to where the handler's is acknowledged.
acked() {
    "$ROLLCALL" stats "${daemon[@]}" --json "handler-$1" |
        sed -n 's/.*"acked_seq":\([0-9]*\).*/\1/p'
}

has_acked() {
    [ "$(acked "$1")" -ge "$2" ]
}

# wait_done NAME: until it has done what there is now.
wait_done() {
    local seq

    seq=$(newest)
    wait_until "handler '$1' has acknowledged $seq" has_acked "$1" "$seq"
}

lines() {
    wc -l <"$1"
}

has_lines() {
    [ -f "$1" ] && [ "$(lines "$1")" -ge "$2" ]
}

# wait_lines FILE COUNT
wait_lines() {
    wait_until "$1 has $2 lines" has_lines "$1" "$2"
}

# children WHAT [WHERE]: SELECT of the execs that run() has made.
children() {
    wait_stored
    sql "$database" "SELECT $1 FROM events WHERE type = 2 AND exe = '$child' ${2:-}
        ORDER BY epoch, seq"
}

# run COUNT: so many processes of load-child.
run() {
    "$tools/rollcall-load" --workers 1 --count "$1" --mix vfork --program "$child" >/dev/null
}
