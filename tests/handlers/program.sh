#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A long-lived program: it gets each event, and goes on where it had answered, whoever is killed.
set -euo pipefail
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3

serial=$here/serial.sh
got=$directory/got

# program_pid HANDLER: as handle has said it last.
program_pid() {
    sed -n "s/.*$1: .* runs as process \([0-9]*\)$/\1/p" "$directory/said" | tail -n 1
}

has_other_program() {
    [ "$(program_pid serial)" != "$1" ]
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# Each exec of the load is in the file, and each gap, which every filter lets pass; the first time in
# their order; twice only what was not answered when something died: one event each time.
check_got() {
    wait_stored
    sql "$database" "SELECT epoch || ' ' || seq FROM events
        WHERE (type = 2 AND exe = '$child') OR type = 5 ORDER BY epoch, seq" >"$directory/expected"
    awk '!seen[$0]++' "$got" | cmp -s - "$directory/expected" ||
        fail "what the program got is not what happened: $(diff <(awk '!seen[$0]++' "$got") \
            "$directory/expected" | head -n 5)"
    [ "$(sort "$got" | uniq -d | wc -l)" -le "$1" ] || fail "more than $1 came twice"
}

# ---- one event at a time, killed ----

handler serial "filter = type=exec exe=$child" "program = /bin/sh $serial $got 0.05" \
    "window = 5"
handler deaf "filter = type=exec exe=$child" "program = /bin/sleep 1000"
start_daemon
start_handle
wait_begun serial deaf
run 60
wait_lines "$got" 10
first=$(program_pid serial)
kill -KILL "$first"
wait_said "serial: /bin/sh has ended with signal 9, 5 events are not answered"
wait_lines "$got" 20
wait_until "there is another process" has_other_program "$first"
stop_handle KILL
for one in serial deaf; do
    wait_until "the program has ended with who started it" is_gone "$(program_pid "$one")"
done
rm "$config/deaf.conf"
start_handle
wait_lines "$got" 35
# In order: it answers what it has within some seconds.
stop_handle TERM
told 'serial: has ended: [0-9]+ events given, 0 of these given up'
start_handle
wait_done serial
check_got 8

# ---- the daemon goes and comes back, and then another epoch begins, with a gap ----

stop_daemon
start_daemon
run 5
wait_done serial
stop_daemon
"$ROLLCALL" detach --direct "$name"
start_daemon
run 5
wait_lines "$got" 71
wait_done serial
equal "gaps" 1 "$(sql "$database" "SELECT count(*) FROM gaps")"
equal "epochs" 2 "$(cut -d ' ' -f 1 "$got" | sort -u | wc -l)"
check_got 8
stop_handle TERM

# ---- what it does wrong ----

rm "$config"/*.conf
: >"$directory/said"
handler nonsense "filter = type=exec" "program = /bin/echo nonsense"
handler early "filter = type=exec" "program = /bin/sh -c 'echo 18446744073709551615; exec cat >/dev/null'"
handler silent "filter = type=exec" "program = /bin/sh -c 'exec cat >/dev/null'" "timeout = 0.5s"
handler closes "filter = type=exec" "program = /bin/sh -c 'exec >&-; exec sleep 1000'"
handler ends "filter = type=exec" "program = /bin/sh -c 'echo \"I say it\" >&2; exit 3'"
handler missing "filter = type=exec" "program = /nowhere/program"
start_handle
wait_said "nonsense: 'nonsense' is not an answer"
wait_said "early: it answered 18446744073709551615, which it was not given"
wait_said "closes: /bin/sh has closed its stdin or its stdout"
wait_said "ends: I say it"
wait_said "ends: /bin/sh has ended with status 3, [0-9]+ events are not answered"
wait_said "ends: trying again in 2 s"
wait_said "missing: cannot run '/nowhere/program': No such file or directory"
wait_begun silent
run 1
wait_said "silent: /bin/sh has not answered within its .timeout."
stop_handle TERM
