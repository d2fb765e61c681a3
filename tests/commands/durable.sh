#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A durable consumer: it collects while nobody reads, says how it is, and goes out of the kernel
# without a trace.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need bpftool sqlite3

journal=$directory/journal
pins=/sys/fs/bpf/rollcall/$name
record=("$ROLLCALL" record --quiet --name "$name" "$journal")

id_of() {
    bpftool "$1" show pinned "$2" | sed -n '1s/:.*//p'
}

# The programs that it has in the kernel: those of its links, and the one that is pinned itself.
program_ids() {
    local link

    for link in on_fork on_exec on_exit snapshot; do
        bpftool link show pinned "$pins/$link" | sed -n '1s/.* prog \([0-9]*\).*/\1/p'
    done
    id_of prog "$pins/mark"
}

map_ids() {
    local map

    for map in ring control states scratches snapshot_area; do
        id_of map "$pins/$map"
    done
}

are_gone() {
    local kind=$1 id

    for id in "${@:2}"; do
        ! bpftool "$kind" show id "$id" >/dev/null 2>&1 || return 1
    done
}

stats_show() {
    "$ROLLCALL" stats "$name" >"$directory/output"
    grep -Eq -- "$1" "$directory/output" || fail "stats do not say '$1'"
}

# ---- collecting while nobody reads ----

expect 0 "${record[@]}" --until-idle
acked=$(stat_of "$name" acked_seq)
"$tools/rollcall-load" --workers 2 --count 3000 --mix fork,vfork,spawn,clone3 \
    --program "$tools/load-child" --out "$directory/truth" >/dev/null

equal "what is acknowledged meanwhile" "$acked" "$(stat_of "$name" acked_seq)"
[ "$(stat_of "$name" ring_used)" -gt 1000000 ] || fail "the events do not wait in the ring"
equal "who reads it" null "$(stat_of "$name" reader_pid)"
equal "the ring" 67108864 "$(stat_of "$name" ring_size)"
stats_show "^$name\$"
stats_show '^  reader +none; events wait for the next one$'
stats_show '^  collecting +for [0-9.]+ '
stats_show '^  read +[0-9]+ events$'
stats_show '^  waiting +[0-9.]+ MiB of 64.0 MiB \([0-9.]+ %\)$'
stats_show '^  lost +0$'
"$ROLLCALL" stats --json >"$directory/output"
grep -q "^{\"name\":\"$name\",\"epoch\":[0-9]*,.*\"lost\":{\"full\":0,\"failed\":0,\"skipped\":0," \
    "$directory/output" || fail "stats of all consumers do not have this one"

expect 0 "${record[@]}" --until-idle
check_journal "$name" "$journal" "$directory/truth"

# ---- in use ----

start "${record[@]}"
recorder=$!
wait_for_reader "$name" "$recorder"
stats_show "^  reader +process $recorder\$"
expect 1 "$ROLLCALL" detach "$name"
said "consumer '$name' is in use by process $recorder: stop that one first"
send TERM "$recorder"
end_of "$recorder"
equal "the status after SIGTERM" 0 "$status"

# ---- out of the kernel ----

read -ra programs <<<"$(program_ids | xargs)"
read -ra maps <<<"$(map_ids | xargs)"
equal "the number of its programs" 5 "${#programs[@]}"
equal "the number of its maps" 5 "${#maps[@]}"
expect 0 "$ROLLCALL" detach "$name"
[ ! -e "$pins" ] || fail "$pins is left"
wait_until "its programs are gone" are_gone prog "${programs[@]}"
wait_until "its maps are gone" are_gone map "${maps[@]}"
expect 1 "$ROLLCALL" detach "$name"
said "there is no consumer '$name'"
expect 1 "$ROLLCALL" stats "$name"
said "there is no consumer '$name'"

# ---- anew: another epoch in the same journal ----

expect 0 "${record[@]}" --until-idle
"$tools/load-child" 42 || true
expect 0 "${record[@]}" --until-idle
equal "the number of epochs" 2 "$(sql "$journal" 'SELECT count(DISTINCT epoch) FROM events')"
equal "holes in any epoch" 0 \
    "$(sql "$journal" 'SELECT count(*) FROM epochs WHERE first_seq <> 1 OR last_seq <> events')"
