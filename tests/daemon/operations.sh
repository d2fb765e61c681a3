#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What whoever runs the daemon sees of it: `rollcall stats`, its log, what it has given up, and what a
# wrong configuration does to one that runs.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/../commands/lib.sh"
need_root
need jq setpriv sqlite3

socket=$directory/socket
log=$directory/log
daemon=(--daemon="$socket")

listens() {
    "$ROLLCALL" stats "${daemon[@]}" >/dev/null 2>&1
}

start_daemon() {
    start "$tools/rollcalld" --socket "$socket" --journal "$directory/daemon.db" --name "$name" "$@" \
        2>"$log"
    pid=$!
    wait_until "the daemon listens" listens
}

end_daemon() {
    send TERM "$pid"
    end_of "$pid"
    equal "the daemon's status" 0 "$status"
}

logged() {
    grep -Eq -- "$1" "$log"
}

# stats JQ-EXPRESSION: of the lines of `rollcall stats --json`.
stats() {
    "$ROLLCALL" stats "${daemon[@]}" --json | jq -rs "$1"
}

# ---- what it has given up ----

# of_threads FIELD: its values in all threads.
of_threads() {
    sed -n "s/^$1:[[:space:]]*//p" /proc/"$pid"/task/*/status | sort -u | xargs
}

start_daemon
bpf_only=0000008000000000
for field in CapEff CapPrm; do
    equal "$field" "$bpf_only" "$(of_threads $field)"
done
for field in CapInh CapAmb CapBnd; do
    equal "$field" 0000000000000000 "$(of_threads $field)"
done
equal "NoNewPrivs" 1 "$(of_threads NoNewPrivs)"
equal "Seccomp" 2 "$(of_threads Seccomp)"
equal "threads" 3 "$(find /proc/"$pid"/task -mindepth 1 -maxdepth 1 | wc -l)"

# ---- what this machine has not, as `rollcall doctor` says it ----

"$ROLLCALL" doctor --json | jq -r 'select(.state == "advised") |
    "rollcalld: \(.requirement): \(.found); what to do: \(.remedy)"' >"$directory/advice"
equal "the log's lines about that" "$(sort "$directory/advice")" \
    "$(grep '; what to do: ' "$log" | sort)"
end_daemon

start_daemon --confine no
equal "Seccomp" 0 "$(of_threads Seccomp)"
[ "$(of_threads CapEff)" != "$bpf_only" ] || fail "it has given up what it was to keep"
logged "not confined" || fail "the log does not say that it is not confined"
end_daemon

# ---- the log, and its levels for systemd's journal ----

: >"$log"
JOURNAL_STREAM=$(stat -c %d:%i "$log")
export JOURNAL_STREAM
start_daemon --keep-size 1G
logged "^<6>version " || fail "the first line has no level"
chmod 666 "$socket"
chmod 755 "$directory"
cp "$ROLLCALL" "$directory/rollcall"
expect 1 setpriv --reuid=54361 --regid=54361 --clear-groups "$directory/rollcall" stats "${daemon[@]}"
said "does not let this user in"
wait_until "the refusal is logged" logged "^<5>process [0-9]+ of user 54361 may not connect"
end_daemon
unset JOURNAL_STREAM

start_daemon
logged "^rollcalld: version .*, epoch [0-9]+, goes on at event [0-9]+; journal '$directory/daemon.db'" ||
    fail "the log does not say what it does"
end_daemon

# ---- a table and lines of JSON ----

start_daemon --keep-size 1G
start "$ROLLCALL" watch "${daemon[@]}" --json >"$directory/stream"
watcher=$!
expect 0 "$ROLLCALL" record --quiet "${daemon[@]}" --name kept --until-idle "$directory/journal"
for _ in 1 2 3 4 5; do
    /bin/true
done
equal "the daemon's pid" "$pid" "$(stats '.[0].daemon_pid')"
equal "its limit" $((1 << 30)) "$(stats '.[0].keep_bytes')"
equal "connections: two, one of them asks" 2 "$(stats '.[0].connections')"
equal "lost" 0 "$(stats '.[0].lost | add')"
equal "the watcher" "memory 0" "$(stats ".[] | select(.reader_pid == $watcher) | \"\(.feed) \(.uid)\"")"
equal "who is away" "none true" \
    "$(stats '.[] | select(.name == "kept") | "\(.feed) \(.lag_events >= 10 and .lag_seconds > 0)"')"
expect 0 "$ROLLCALL" stats "${daemon[@]}"
grep -q "^rollcalld, process $pid$" "$directory/output" || fail "the table does not name the daemon"
grep -Eq "^kept +root +- +none +[0-9]+ +[0-9.]+ m?s +0 +0$" "$directory/output" ||
    fail "the table does not show who is away: $(cat "$directory/output")"
expect 0 "$ROLLCALL" stats "${daemon[@]}" --json kept
equal "only who is asked for" '"kept"' "$(jq -c .name "$directory/output")"
expect 1 "$ROLLCALL" stats "${daemon[@]}" nobody
said "there is no consumer 'nobody'"
send TERM "$watcher"
end_of "$watcher"
end_daemon

# ---- a configuration that is wrong ----

printf '[daemon]\nmemory = 2M\n' >"$directory/config"
start_daemon --config "$directory/config"
printf '[daemon]\nmemory = 4M\nring-size = 1M\nsize = 3\n' >"$directory/config"
send HUP "$pid"
wait_until "the wrong line is named" logged "line 4 is wrong"
wait_until "it says that nothing changes" logged "the configuration stays as it was"
equal "memory" $((2 << 20)) "$(stats '.[0].memory_size')"
printf '[daemon]\nmemory = 4M\nring-size = 1M\n' >"$directory/config"
send HUP "$pid"
wait_until "it has read it" logged "the configuration was read again"
logged "ring-size. cannot change while rollcalld runs" || fail "it does not say what stays"
equal "memory" $((4 << 20)) "$(stats '.[0].memory_size')"
printf '[daemon]\nmemory = 4M\nkeep-age = 1s\n' >"$directory/config"
send HUP "$pid"
has_removed() {
    [ "$(sql "$directory/daemon.db" 'SELECT count(*) FROM pruned')" = 1 ]
}
wait_until "events are removed that are older than it says now" has_removed
end_daemon

expect 2 "$tools/rollcalld" --metrics 0.0.0.0:9127
said "metrics at '0.0.0.0:9127' could be read from other machines"
expect 2 "$tools/rollcalld" --metrics localhost
said "--metrics takes an address and a port"
