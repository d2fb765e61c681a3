#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is missing is told to every kind of handler, whatever its filter. From the kernel, by rings that
# are far too small for what happens while nobody reads.
set -euo pipefail
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need jq

name=handler-gaps-$$ # so that all are taken away at the end
for one in program command log; do
    "$ROLLCALL" record --direct --quiet --name "$name-$one" --ring-size 4096 --until-idle \
        "$directory/$one.db"
done
run 100

filter="filter = type=exec exe=/nowhere/at/all"
handler "gaps-$$-program" "$filter" "program = /bin/sh $here/serial.sh $directory/program 0"
handler "gaps-$$-command" "$filter" "parallel = 1" \
    "command = /bin/sh -c 'echo \$ROLLCALL_TYPE \$ROLLCALL_SEQ \$ROLLCALL_LOST >>$directory/command'"
handler "gaps-$$-log" "$filter" "log = $directory/log-%u"
start "$ROLLCALL" handle --config "$config" --state "$state" --direct
handle=$!
# In one gap or in several: while it is full the ring may get room for a single one.
told_all() {
    awk '{ lost += $3 } END { exit lost <= 100 }' "$directory/command" 2>/dev/null
}
wait_until "more than 100 events are said to be missing" told_all
wait_lines "$directory/program" 1
wait_lines "$directory/log-+gaps" 1
stop_handle TERM

equal "the types of events" gap "$(cut -d' ' -f1 "$directory/command" | sort -u)"
equal "the log's line" gap "$(head -n 1 "$directory/log-+gaps" | jq -r .type)"
equal "files" "log-+gaps" "$(cd "$directory" && echo log-*)"
