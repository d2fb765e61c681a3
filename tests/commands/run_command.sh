#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `rollcall run`: the command runs as without it, and its events are those of its tree alone.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root

run=("$ROLLCALL" run)
child=$tools/load-child
events=$directory/events

count() {
    grep -Ec -- "$1" "$events" || true
}

programs() {
    sed -n 's/.*"type":"exec".*"exe":"\([^"]*\)".*/\1/p' "$events" | xargs
}

# ---- how it ends ----

statuses() {
    expect 0 "${run[@]}" true
    expect 0 "${run[@]}" -- "$child" 0
    expect 7 "${run[@]}" "$child" 7
    # shellcheck disable=SC2016 # the inner shell expands it
    expect 137 "${run[@]}" bash -c 'kill -KILL $$'
    # shellcheck disable=SC2016
    expect 143 "${run[@]}" bash -c 'kill -TERM $$'
    expect 127 "${run[@]}" "$directory/absent"
    said "cannot run '$directory/absent': No such file"
    : >"$directory/data"
    expect 126 "${run[@]}" "$directory/data"
    said "cannot run '$directory/data': Permission denied"
    expect 125 "${run[@]}" --nonsense true
    expect 125 "${run[@]}"
}

# ---- what goes where ----

outputs() {
    expect 0 "${run[@]}" echo hello
    equal "stdout" hello "$(cat "$directory/output")"
    said ' exec .* echo hello$' ' exit .* status 0 '
    expect 0 "${run[@]}" --json -o "$events" bash -c 'echo to-stdout; echo to-stderr >&2'
    equal "stdout" to-stdout "$(cat "$directory/output")"
    equal "stderr with -o" to-stderr "$(cat "$directory/errors")"
    [ "$(count '"type":"exit"')" = 1 ] || fail "the events are not in the file"
    echo "for the command" | "${run[@]}" -o "$events" cat >"$directory/output"
    equal "what the command reads" "for the command" "$(cat "$directory/output")"
    expect 0 "${run[@]}" --tree -o "$events" bash -c "$child 0; true"
    expect 0 "${run[@]}" --json --filter type=exit -o "$events" "$child" 0
    equal "lines with a filter" 1 "$(wc -l <"$events")"
}

# The command has nothing from us: no descriptors, signals as they were.
untouched() {
    local script='ls -l /proc/self/fd | grep -c "[0-9] ->"; grep -E "Sig(Ign|Blk|Cgt)" /proc/self/status'

    bash -c "$script" </dev/null >"$directory/without" 2>"$directory/errors"
    expect 0 "${run[@]}" -o "$events" bash -c "$script"
    cmp "$directory/without" "$directory/output" || fail "the command runs in another environment"
}

signals() {
    local runner

    # shellcheck disable=SC2016 # the inner shell expands it
    start "${run[@]}" -o "$events" bash -c \
        'trap "echo passed on; exit 5" TERM; : >"$0"; while :; do sleep 0.05; done' \
        "$directory/ready" >"$directory/output"
    runner=$!
    wait_until "the command runs" test -e "$directory/ready"
    send TERM "$runner"
    end_of "$runner"
    equal "the status of a command that handles SIGTERM" 5 "$status"
    equal "what it says" "passed on" "$(cat "$directory/output")"
}

# ---- whose events ----

# A process that outlives the command, and is nobody's child by then.
descendants() {
    # shellcheck disable=SC2016 # the inner shell expands it
    local script='("$0" 1; (sleep 0.5; "$0" 9) >/dev/null 2>&1 &) ; exit 3'

    # shellcheck disable=SC2016
    expect 3 "${run[@]}" --wait --json -o "$events" bash -c "$script" "$child"
    equal "the exit of the last descendant" 1 "$(count '"type":"exit".*"exit_code":9')"
    equal "created and ended" "$(count '"type":"exit"')" "$(count '"type":"create"')"
    mkfifo "$directory/hold"
    start cat "$directory/hold"
    exec 8>"$directory/hold"
    # shellcheck disable=SC2016
    expect 3 "${run[@]}" --json -o "$events" bash -c \
        '(read -r _ <"$0" &) ; exit 3' "$directory/hold"
    exec 8>&-
    equal "the exit of the command without --wait" 1 "$(count '"type":"exit".*"exit_code":3')"
}

exactly_its_own() {
    local root noise pids script

    start "$tools/rollcall-load" --workers 1 --count 1000000 --rate 1000 \
        --mix fork,vfork,spawn,clone3 --program "$child" >/dev/null
    noise=$!
    # shellcheck disable=SC2016 # the inner shell expands it
    script='echo $$; for i in 1 2 3 4 5; do "$0" $i & echo $!; wait $!; done; exit 6'
    expect 6 "${run[@]}" --json -o "$events" bash -c "$script" "$child"
    root=$(head -n 1 "$directory/output")
    pids=$(xargs <"$directory/output")
    equal "who was created" "$pids" "$(pids_of create)"
    equal "what was executed" "$(command -v bash) $child $child $child $child $child" "$(programs)"
    equal "who ended" "${pids#* } $root" "$(pids_of exit)"
    equal "lines" 18 "$(wc -l <"$events")"
    equal "their statuses" "1 2 3 4 5 6" \
        "$(sed -n 's/.*"exit_code":\([0-9]*\).*/\1/p' "$events" | xargs)"
    send TERM "$noise"
    end_of "$noise"
    equal "the status of the load" 0 "$status"
}

pids_of() {
    sed -n "s/.*\"type\":\"$1\".*\"ns_pid\":\([0-9]*\).*/\1/p" "$events" | xargs
}

# Many processes, each of them told.
load() {
    local truth=$directory/truth

    expect 0 "${run[@]}" --json -o "$events" "$tools/rollcall-load" --workers 2 --count 5000 \
        --mix fork,vfork,spawn,clone3 --program "$child" --out "$truth"
    # The load, its workers, and theirs; all but the load and the workers execute.
    equal "created" 5003 "$(count '"type":"create"')"
    equal "executed" 5001 "$(count '"type":"exec"')"
    equal "ended" 5003 "$(count '"type":"exit"')"
}

statuses
outputs
untouched
signals
descendants
exactly_its_own
load
