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
