#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk is full: `rollcall record` says so and waits, the events wait in the kernel, and when
# there is space again all of them are stored.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3

disk=$directory/disk
journal=$disk/journal
truth=$directory/truth
messages=$directory/errors
mkdir "$disk"
mount -t tmpfs -o size=2m none "$disk" || skip "no tmpfs can be mounted here"
mounts+=("$disk")

record=("$ROLLCALL" record --name "$name" "$journal")

says() {
    grep -q -- "$1" "$messages"
}

uses_more_than() {
    [ "$(stat_of "$name" ring_used)" -gt "$1" ]
}

start_record() {
    start "${record[@]}" 2>"$messages"
    recorder=$!
    wait_for_reader "$name" "$recorder"
}

stop_record() {
    send TERM "$recorder"
    end_of "$recorder"
    equal "the status after SIGTERM" 0 "$status"
}

# ---- the disk becomes full ----

start_record
start "$tools/rollcall-load" --workers 2 --count 1000000 --rate 1500 \
    --mix fork,vfork,spawn,clone3 --program "$tools/load-child" --out "$truth" >"$directory/made"
load=$!
wait_until "it says that the disk is full" says "trying again every second"
grep -q "rollcall record: no space for the journal '$journal': free some .*, events wait in the kernel" \
    "$messages" || fail "the message is another one"

# Nothing is acknowledged that is not stored; all of it waits.
acked=$(stat_of "$name" acked_seq)
used=$(stat_of "$name" ring_used)
wait_until "the ring fills" uses_more_than $((used + 500000))
equal "what is acknowledged meanwhile" "$acked" "$(stat_of "$name" acked_seq)"
equal "what is stored" "$acked" "$(sql "$journal" 'SELECT max(seq) FROM events')"
equal "how often it says so" 1 "$(grep -c 'trying again' "$messages")"

# ---- it is ended, and begun anew, without space even for opening the journal ----

stop_record
expect 0 "$ROLLCALL" query --last 1 "$journal"
head -c 2M /dev/zero >"$disk/filler" 2>/dev/null || true
start_record
wait_until "it says again that the disk is full" says "trying again every second"

# ---- there is space ----

mount -o remount,size=1g "$disk"
wait_until "it can write again" says "the journal can be written again"
send TERM "$load"
end_of "$load"
equal "the status of the load" 0 "$status"
stop_record
expect 0 "${record[@]}" --until-idle
check_journal "$name" "$journal" "$truth"
echo "$(cat "$directory/made") processes, full at event $acked"
