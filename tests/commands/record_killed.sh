#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `rollcall record` is killed at any moment, again and again, while processes come and go. What
# its successors write completes the journal: each event once, none missing.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3

kills=60
journal=$directory/journal
truth=$directory/truth

record=("$ROLLCALL" record --quiet --name "$name" "$journal")

seq_stored() {
    sqlite3 -readonly -cmd '.timeout 60000' "$journal" 'SELECT coalesce(max(seq), 0) FROM events'
}

# Moments from the very start of the command to the middle of its work, which begins the later the
# slower the machine is.
latest_ms=250
kill_once() {
    local milliseconds=$((RANDOM % latest_ms))

    start "${record[@]}"
    sleep "$((milliseconds / 1000)).$(printf '%03d' $((milliseconds % 1000)))"
    send KILL "$!"
    end_of "$!"
    equal "the status of a killed command" 137 "$status"
}

start "${record[@]}" --until-idle
end_of $!
equal "the status of the first record" 0 "$status"

start "$tools/rollcall-load" --workers 2 --count 2000000 --rate 2000 --mix fork,vfork,spawn,clone3 \
    --program "$tools/load-child" --out "$truth" >"$directory/made"
load=$!

advanced=0
before=$(seq_stored)
for ((i = 0; i < kills; i++)); do
    kill_once
    after=$(seq_stored)
    if [ "$after" -ne "$before" ]; then
        advanced=$((advanced + 1))
    elif [ "$latest_ms" -lt 5000 ]; then
        latest_ms=$((latest_ms * 5 / 4))
    fi
    before=$after
done
[ "$advanced" -ge $((kills / 5)) ] || fail "only $advanced of $kills were killed at work"

send TERM "$load"
end_of "$load"
equal "the status of the load" 0 "$status"

start "${record[@]}" --until-idle
end_of $!
equal "the status of the last record" 0 "$status"
check_journal "$name" "$journal" "$truth"
echo "$(cat "$directory/made") processes, $kills kills, $advanced of them at work"
