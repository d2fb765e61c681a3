#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is wrong with handlers' files is said and changes nothing; SIGHUP takes over what is new.
set -euo pipefail
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3

# ---- called wrongly ----

expect 2 "$ROLLCALL" handle too much
said "'too' is too much: handle takes only options"
expect 2 "$ROLLCALL" handle --check --config "$directory/none"
said "cannot read the directory '$directory/none': No such file or directory"

# ---- files that are wrong ----

handler right "log = $directory/right"
expect 0 "$ROLLCALL" handle --check --config "$config"
equal "what it says" "1 handlers, nothing is wrong with them" "$(cat "$directory/output")"
handler wrong "program = cat" "window = 0"
handler worse "parallel = 1"
expect 2 "$ROLLCALL" handle --check --config "$config"
said "wrong.conf:2: program = cat: write the whole path" "wrong.conf:3: window = 0: it is a number" \
    "worse.conf: says nothing to do"
expect 2 "$ROLLCALL" handle --config "$config" --state "$state" "${daemon[@]}"
said "nothing is changed until '$config' is right"
[ ! -e "$directory/right" ] || fail "the right one was started"
rm "$config/wrong.conf" "$config/worse.conf"

# ---- no daemon yet ----

start_handle
wait_said "right: no daemon listens at '$socket'"
start_daemon
wait_begun right
run 1
wait_done right

# ---- one at a time ----

expect 1 "$ROLLCALL" handle --config "$config" --state "$state" "${daemon[@]}"
said "another process runs handlers with '$state'"
expect 1 "$ROLLCALL" handle --config "$config" --state /dev/null/state "${daemon[@]}"
said "cannot make '/dev/null/state'"

# ---- read again ----

handler new "log = $directory/new"
handler wrong "log = here"
send HUP "$handle"
wait_said "nothing is changed until '$config' is right"
exists new && fail "it was started although another is wrong"
rm "$config/wrong.conf"
handler right "log = $directory/changed"
send HUP "$handle"
wait_begun new
run 1
wait_done new
wait_done right
grep -q load-child "$directory/changed" || fail "the change was not taken over"
rm "$config/new.conf"
send HUP "$handle"
wait_said "new: has ended"
expect 0 "$ROLLCALL" detach "${daemon[@]}" handler-new
expect 1 "$ROLLCALL" detach "${daemon[@]}" handler-right
said "consumer 'handler-right' is in use"

# ---- a new one begins with now, or with the oldest there is ----

handler oldest "from = oldest" "log = $directory/oldest"
handler now "log = $directory/now"
seq=$(newest)
send HUP "$handle"
wait_begun oldest now
run 1
wait_done oldest
wait_done now
grep -q '"seq":1,' "$directory/oldest" || fail "it did not begin with the oldest"
first=$(head -n 1 "$directory/now" | sed 's/.*"seq":\([0-9]*\),.*/\1/')
[ "$first" -gt "$seq" ] || fail "it began with $first, which is not after $seq"
stop_handle TERM
stop_daemon

# ---- without a daemon, from the kernel ----

rm "$config"/*.conf
"$ROLLCALL" detach --direct "$name"
handler "direct-$$" "filter = type=exec exe=$child" "log = $directory/direct"
name=handler-direct-$$ # so that it is taken away at the end
start "$ROLLCALL" handle --config "$config" --state "$state" --direct
handle=$!
wait_for_reader "$name" "$handle"
run 10
wait_lines "$directory/direct" 10
stop_handle TERM
run 5
start "$ROLLCALL" handle --config "$config" --state "$state" --direct
handle=$!
wait_lines "$directory/direct" 15
stop_handle TERM
equal "lines" 15 "$(lines "$directory/direct")"
