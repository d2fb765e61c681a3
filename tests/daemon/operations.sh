#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What whoever runs the daemon sees of it.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/../commands/lib.sh"
need_root
need jq

socket=$directory/socket
daemon=(--daemon="$socket")

listens() {
    "$ROLLCALL" stats "${daemon[@]}" >/dev/null 2>&1
}

start_daemon() {
    start "$tools/rollcalld" --socket "$socket" --journal "$directory/daemon.db" --name "$name" "$@"
    pid=$!
    wait_until "the daemon listens" listens
}

end_daemon() {
    send TERM "$pid"
    end_of "$pid"
    equal "the daemon's status" 0 "$status"
}

# stats JQ-EXPRESSION: of the lines of `rollcall stats --json`.
stats() {
    "$ROLLCALL" stats "${daemon[@]}" --json | jq -rs "$1"
}

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
