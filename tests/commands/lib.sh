# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of the command share. Each runs in a directory of its own, with consumers of its
# own, and leaves nothing behind.

: "${ROLLCALL:?is set by ctest to the path of the command}"
# shellcheck disable=SC2034 # the tests use it
tools=$(dirname "$ROLLCALL")
limit=60 # seconds that anything may take
name=test-${0##*/}
name=${name%.sh}-$$
directory=$(mktemp -d)
mounts=()

# ---- the end ----

# Those that the shell knows to run: the numbers of those that have ended may be others' by now.
stop_started() {
    local pid

    for pid in $(jobs -pr); do
        kill -KILL "$pid"
        wait "$pid"
    done 2>/dev/null
}

clean_up() {
    local status=$?
    local consumer

    set +e
    stop_started
    for consumer in /sys/fs/bpf/rollcall/"$name"*; do
        [ -d "$consumer" ] && "$ROLLCALL" detach "${consumer##*/}"
    done
    for mounted in "${mounts[@]}"; do
        umount -l "$mounted"
    done
    rm -rf "$directory"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

skip() {
    echo "skipped: $*"
    exit 77
}

fail() {
    echo "FAILED: $*" >&2
    [ ! -s "$directory/errors" ] || sed 's/^/    stderr: /' "$directory/errors" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || skip "this needs root"
}

need() {
    local command

    for command in "$@"; do
        command -v "$command" >/dev/null || skip "there is no $command"
    done
}

# ---- doing ----

# start PROGRAM...: in the background; $! is its pid.
start() {
    "$@" &
}

# wait_until WHAT COMMAND...: until it succeeds.
wait_until() {
    local what=$1
    local end=$((SECONDS + limit))

    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "waited $limit seconds in vain: $what"
        sleep 0.05
    done
}

has_ended() {
    ! jobs -pr | grep -qx "$1"
}

# send SIGNAL PID: to what was started, and still runs.
send() {
    ! has_ended "$2" || fail "process $2 has ended by itself"
    kill -"$1" "$2"
}

# end_of PID: waits for what was started, and sets $status.
end_of() {
    wait_until "the end of process $1" has_ended "$1"
    status=0
    wait "$1" || status=$?
}

# stat_of CONSUMER FIELD: a number from its statistics.
stat_of() {
    "$ROLLCALL" stats --json "$1" 2>/dev/null | sed -n "s/.*\"$2\":\([0-9a-z]*\).*/\1/p"
}

is_read() {
    [ "$(stat_of "$1" reader_pid)" = "$2" ]
}

# wait_for_reader CONSUMER PID: until it reads and the capture runs.
wait_for_reader() {
    wait_until "process $2 reads '$1'" is_read "$1" "$2"
}

sql() {
    sqlite3 -batch "$1" "$2"
}

# ---- comparing ----

equal() {
    local what=$1

    [ "$2" = "$3" ] || fail "$what: expected '$2', is '$3'"
}

# check_journal CONSUMER JOURNAL TRUTH: the first process that differs is shown with all its events.
check_journal() {
    local pid

    "$tools/journal-check" "$2" "$(stat_of "$1" attached_ns)" "$3" 2>"$directory/errors" && return
    pid=$(sed -n 's/.*pid \([0-9]*\).*/\1/p' "$directory/errors" | head -n 1)
    [ -z "$pid" ] || "$ROLLCALL" query --json --pid "$pid" "$2" >&2
    fail "the journal is not what happened"
}

# check_stream FILE TRUTH: the same of lines of JSON.
check_stream() {
    local pid

    "$tools/stream-check" "$1" "$2" 2>"$directory/errors" && return
    pid=$(sed -n 's/.*pid \([0-9]*\).*/\1/p' "$directory/errors" | head -n 1)
    [ -z "$pid" ] || grep -E "\"(pid|creator_pid)\":$pid," "$1" >&2
    fail "what the reader got is not what happened"
}

# expect STATUS COMMAND...: with stdout and stderr in files of the test's directory.
expect() {
    local expected=$1
    local status=0

    shift
    timeout "$limit" "$@" >"$directory/output" 2>"$directory/errors" </dev/null || status=$?
    equal "the exit status of '$*'" "$expected" "$status"
}

# said PATTERN...: stderr of the last `expect` has each of these (extended regular expressions).
said() {
    local pattern

    for pattern in "$@"; do
        grep -Eq -- "$pattern" "$directory/errors" || fail "no message says '$pattern'"
    done
}
