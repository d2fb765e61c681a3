#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The examples of docs/handlers.md, as they are, under a burst of 10,000 processes. In a mount namespace
# of its own, so that they find their places.
set -euo pipefail
if [ "${1:-}" != inside ] && [ "$(id -u)" = 0 ]; then
    exec unshare --mount --propagation private "$0" inside
fi
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3 jq setpriv

count=10000
user=54343
examples=$(dirname "$0")/../../docs/handlers
cp "$examples"/*.conf "$config"
log=/var/log/rollcall

mount -t tmpfs none /usr/local
mount -t tmpfs none /var/log
mkdir -p /usr/local/libexec/rollcall "$log" "$directory/bin"
cp "$examples/alert-tmp.sh" "$tools/slow-analysis" /usr/local/libexec/rollcall
# What logger gets is what an administrator reads.
printf '%s\n' '#!/bin/sh' "echo \"\$*\" >>'$directory/alerts'" >"$directory/bin/logger"
chmod 755 "$directory/bin/logger"

is_behind() {
    [ $(($(in_journal) - $(acked "$1"))) -gt 300 ]
}

# run_as_user COUNT: all that is done here as that user.
run_as_user() {
    setpriv --reuid=$user --regid=$user --clear-groups "$tools/rollcall-load" --workers 1 \
        --count "$1" --mix vfork --program "$child" >/dev/null
}

analysis() {
    sed -n 's/.*analyse: .* runs as process \([0-9]*\)$/\1/p' "$directory/said" | tail -n 1
}

# numbers_of FILE...: of the burst, in the order in which they came first.
numbers_of() {
    jq -r --arg child "$child" --argjson before "$before" \
        'select(.exe == $child and .seq > $before) | "\(.epoch) \(.seq)"' "$@"
}

has_all() {
    [ "$(grep -c load-child "$directory/watched")" -ge $((count + warm)) ]
}

start_daemon
PATH=$directory/bin:$PATH start_handle
wait_begun alert-tmp audit analyse
start "$ROLLCALL" watch "${daemon[@]}" --json --filter "type=exec uid=$user comm=load-child" \
    >"$directory/watched"
watcher=$!
until [ -s "$directory/watched" ]; do
    run_as_user 1
done
before=$(newest)
warm=$(lines "$directory/watched")
example=/tmp/rollcall-example-$$ # others run programs from there, too
cp /bin/true "$example"

# ---- the burst, in which the analysis is stopped ----

run_as_user $count &
load=$!
is_under_way() {
    [ "$(in_journal)" -gt $((before + count)) ]
}
wait_until "the burst is under way" is_under_way
stopped=$(analysis)
kill -STOP "$stopped"
wait_until "\`rollcall stats\` shows that the analysis is behind" is_behind analyse
"$example"
rm "$example"
wait "$load"
children "epoch || ' ' || seq" "AND uid = $user AND seq > $before" >"$directory/expected"
equal "the burst" $count "$(lines "$directory/expected")"

# While it has thousands before it, the others have all.
wait_until "there is an alert" grep -qs "$example" "$directory/alerts"
wait_until "the watch has all" has_all
wait_done audit
# Unless all this has taken so long that it was started anew (`timeout`).
tells "analyse: .* has not answered" || is_behind analyse || fail "it was stopped and is not behind"
kill -CONT "$stopped" 2>/dev/null || tells "analyse: .* has not answered"
send INT "$watcher"
numbers_of "$directory/watched" | diff - "$directory/expected" || fail "the watch has missed some"
numbers_of "$log/$user.json" | diff - "$directory/expected" || fail "the audit has missed some"
equal "alerts" "-t rollcall-alert -p auth.warning -- user 0 runs $example as process" \
    "$(grep "$example" "$directory/alerts" | sed 's/ [0-9]*$//')"

# ---- and the analysis has it in the end ----

wait_done analyse
awk '!seen[$0]++' "$log/analysed" | sort -c -n -k 2 || fail "it is not in order"
grep -Fxf "$directory/expected" "$log/analysed" | awk '!seen[$0]++' | cmp - "$directory/expected" ||
    fail "not all was analysed"
# To go on where it had answered it need not have ended.
stop_handle KILL
analysed=$(lines "$log/analysed")
start_handle
run_as_user 10
wait_done analyse
stop_handle TERM
[ "$(lines "$log/analysed")" -ge $((analysed + 10)) ] || fail "it has not gone on"
