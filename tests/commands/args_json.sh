#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Command lines, paths and names of any bytes: what a parser of JSON makes of the output is what
# was executed, live and from a journal.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root

cases=(empty control quotes utf8 invalid long huge many)
# The names of the program and of the directory are not UTF-8 either.
place=$directory/$'place \xfe"\n'
program=$place/$'prog\xff\x01'
json=$directory/events
journal=$directory/journal
mkdir "$place"
cp "$tools/load-child" "$program"

args_tool() {
    "$tools/args-tool" "$@"
}

run_case() {
    local case=$1
    local status=0

    shift
    (cd "$place" && timeout "$limit" "$ROLLCALL" run --json -o "$json" "$@" -- \
        "$tools/args-tool" exec "$case" "$program") || status=$?
    equal "the status of the command ($case)" 125 "$status"
}

for case in "${cases[@]}"; do
    run_case "$case" --args-max 8M
    args_tool check "$case" "$program" "$json" || fail "the arguments '$case'"
done
grep -qF '"raw":{"comm":"70726f67ff01","exe":"' "$json" || fail "comm and exe are not exact"
grep -qF '706c61636520fe220a' "$json" || fail "the working directory is not exact"

for case in long huge many; do
    run_case "$case"
    args_tool check "$case" "$program" "$json" 32768 || fail "the arguments '$case', cut"
done
run_case quotes --args-max 10
args_tool check quotes "$program" "$json" 10 || fail "the arguments 'quotes', cut"

expect 0 "$ROLLCALL" record --quiet --name "$name" --args-max 8M --until-idle "$journal"
for case in "${cases[@]}"; do
    cp "$program" "$program$case"
    args_tool exec "$case" "$program$case" || true
done
expect 0 "$ROLLCALL" record --quiet --name "$name" --args-max 8M --until-idle "$journal"
"$ROLLCALL" query --json "$journal" >"$json"
for case in "${cases[@]}"; do
    args_tool check "$case" "$program$case" "$json" || fail "the arguments '$case' in the journal"
done
