#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The commands with the daemon: they find it, need no root, and say what is wrong.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/../commands/lib.sh"
need_root
need sqlite3 setpriv

socket=$directory/socket
daemon=(--daemon="$socket")
user=54340

listens() {
    "$ROLLCALL" stats "${daemon[@]}" >/dev/null 2>&1
}

start_daemon() {
    start "$tools/rollcalld" --socket "$socket" --journal "$directory/daemon.db" --name "$name" "$@"
    pid=$!
    wait_until "the daemon listens" listens
}

# Not root, and in no group.
as_user=(setpriv --reuid="$user" --regid="$user" --clear-groups)

# Everyone can run this one.
chmod 755 "$directory"
cp "$ROLLCALL" "$directory/rollcall"
command=$directory/rollcall

# ---- no daemon ----

expect 1 "$ROLLCALL" watch "${daemon[@]}"
said "no daemon listens at '$socket': start rollcalld"
expect 1 "$ROLLCALL" stats "${daemon[@]}"
said "no daemon listens at '$socket'"
expect 2 "$tools/rollcalld" --memory 1K
said "--memory takes a size from 1M to 1G, not '1K'"
expect 0 "$tools/rollcalld" --version
expect 1 "$tools/rollcalld" --socket "$socket" --journal "$directory/no/where" --name "$name"
said "there is no '.*/no/where'"
touch "$directory/file"
expect 1 "$tools/rollcalld" --socket "$directory/file" --journal "$directory/daemon.db" \
    --name "$name"
said "'.*/file' is there and no socket"

# ---- who may not, and who may ----

start_daemon
expect 1 "${as_user[@]}" "$command" watch "${daemon[@]}"
said "the daemon at '$socket' does not let this user in"
expect 1 "$tools/rollcalld" --socket "$socket" --journal "$directory/other.db" --name "$name-other"
said "another daemon listens at '$socket'"
send TERM "$pid"
end_of "$pid"
equal "the daemon's status" 0 "$status"
[ ! -e "$socket" ] || fail "the socket is left"

printf '[read-own]\nusers = %d\n' "$user" >"$directory/config"
start_daemon --config "$directory/config"
start "${as_user[@]}" "$command" watch "${daemon[@]}" --json --self --count 3 >"$directory/stream"
watcher=$!
until has_ended "$watcher"; do
    "${as_user[@]}" /bin/true
done
end_of "$watcher"
equal "the watcher's status" 0 "$status"
equal "lines that are not its own" 0 "$(grep -vc "\"uid\":$user," "$directory/stream")"
equal "its numbers" "1 2 3" "$(sed 's/.*"seq":\([0-9]*\),.*/\1/' "$directory/stream" | xargs)"
expect 1 "${as_user[@]}" "$command" record --quiet "${daemon[@]}" "$directory/mine.db"

# ---- the processes that are there ----

start "${as_user[@]}" sleep 1000
sleeper=$!
sees_sleeper() {
    "${as_user[@]}" "$command" tree "${daemon[@]}" >"$directory/tree" 2>&1 &&
        grep -q sleep "$directory/tree"
}
wait_until "the user sees its own process" sees_sleeper
equal "others' processes in the user's tree" 0 "$(grep -c rollcalld "$directory/tree" || true)"
expect 0 "$ROLLCALL" tree "${daemon[@]}"
grep -q "rollcalld" "$directory/output" || fail "root's tree lacks the daemon"
expect 0 "$ROLLCALL" watch "${daemon[@]}" --existing --json --filter "pid=$sleeper" --count 1
grep -q '"seq":0,"type":"exists",' "$directory/output" || fail "watch does not say that it exists"
# Its descendants are known by their parent.
start "$ROLLCALL" watch "${daemon[@]}" --json --filter "descendants-of=$$ type=exit" --count 3 \
    >"$directory/stream"
watcher=$!
until has_ended "$watcher"; do
    /bin/true
done
end_of "$watcher"
equal "the status of who watches descendants" 0 "$status"
expect 7 "$ROLLCALL" run "${daemon[@]}" -- sh -c 'exit 7'
send TERM "$sleeper"

# ---- a durable consumer ----

record=("$ROLLCALL" record --quiet "${daemon[@]}" --name kept --until-idle "$directory/journal")
expect 0 "${record[@]}"
"$tools/load-child" 42 || true
expect 0 "${record[@]}"
equal "holes" 0 "$(sql "$directory/journal" \
    'SELECT count(*) FROM epochs WHERE first_seq <> 1 OR last_seq <> events')"
equal "what ended with 42" 1 "$(sql "$directory/journal" \
    "SELECT count(*) > 0 FROM events WHERE type = 3 AND status = 42 * 256 AND comm = 'load-child'")"
expect 0 "$ROLLCALL" stats "${daemon[@]}" --json
grep -q '^{"name":"kept",.*"reader_pid":null' "$directory/output" || fail "stats do not know it"
expect 0 "$ROLLCALL" detach "${daemon[@]}" kept
expect 1 "$ROLLCALL" detach "${daemon[@]}" kept
said "there is no consumer 'kept'"
# The daemon's own is in the kernel, and in use.
expect 1 "$ROLLCALL" detach --direct "$name"
said "consumer '$name' is in use by process $pid"
send TERM "$pid"
end_of "$pid"
