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
    [ $(($(newest) - $(acked "$1"))) -gt 100 ]
}

start_daemon
PATH=$directory/bin:$PATH start_handle
wait_begun alert-tmp audit analyse
before=$(newest)
"$ROLLCALL" watch "${daemon[@]}" --json --filter "type=exec uid=$user" --count $count \
    >"$directory/watched" &
watcher=$!
cp /bin/true /tmp/rollcall-example

# ---- the burst ----

# Somewhere in it one is run from /tmp. Who makes the others has a file of the audit alone.
setpriv --reuid=$user --regid=$user --clear-groups "$tools/rollcall-load" --workers 1 \
    --count $count --mix vfork --program "$child" >/dev/null &
load=$!
is_under_way() {
    [ "$(newest)" -gt $((before + count)) ]
}
wait_until "the burst is under way" is_under_way
wait_until "\`rollcall stats\` shows that the analysis is behind" is_behind analyse
/tmp/rollcall-example
rm /tmp/rollcall-example
wait "$load"

# While the analysis has thousands before it, the others have all.
wait_until "the alert" grep -qF " /tmp/rollcall-example " "$directory/alerts"
end_of "$watcher"
equal "what was watched" $count "$(lines "$directory/watched")"
wait_done audit
jq -r '"\(.epoch) \(.seq)"' "$directory/watched" >"$directory/numbers"
analysed=$(grep -cFxf "$directory/numbers" "$log/analysed" || true)
[ "$analysed" -lt $count ] || fail "the analysis has all already: the others may have waited for it"
equal "alerts" "-t rollcall-alert -p auth.warning -- user 0 runs /tmp/rollcall-example as process" \
    "$(grep -F ' /tmp/rollcall-example ' "$directory/alerts" | sed 's/ [0-9]*$//')"
equal "the audit of the burst" $count "$(jq -r --arg child "$child" 'select(.exe == $child).seq' "$log/$user.json" |
    sort -u | wc -l)"

# ---- and the analysis has it in the end ----

wait_done analyse
children "epoch || ' ' || seq" "AND seq > $before" >"$directory/expected"
equal "the burst" $count "$(lines "$directory/expected")"
sort -c -n -k 2 "$log/analysed" || fail "it is not in order"
grep -Fxf "$directory/expected" "$log/analysed" | uniq | cmp - "$directory/expected" ||
    fail "not all was analysed"
# To go on where it had answered it need not have ended.
stop_handle KILL
analysed=$(lines "$log/analysed")
start_handle
run 10
wait_done analyse
stop_handle TERM
[ "$(lines "$log/analysed")" -ge $((analysed + 10)) ] || fail "it has not gone on"
equal "what came twice" 0 "$(sort "$log/analysed" | uniq -d | grep -cFxf "$directory/expected")"
