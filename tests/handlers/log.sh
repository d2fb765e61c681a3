#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Logs: a file for each user, rotation, a full disk, and the logs that the system keeps.
set -euo pipefail
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3 setpriv jq

out=$directory/out
mkdir "$out"
user=54341

# written FILE...: what these have of load-child.
written() {
    jq -r --arg child "$child" 'select(.exe == $child) | "\(.epoch) \(.seq)"' "$@"
}

# expect_whole FILE...: together these have each exec of load-child once, in order.
expect_whole() {
    written "$@" >"$directory/written"
    children "epoch || ' ' || seq" | diff - "$directory/written" >&2 || fail "$* have not what happened"
}

start_daemon
handler users "filter = type=exec" "log = $out/%u.json"
handler rotated "filter = type=exec exe=$child" "log = $out/rotated" "rotate-size = 4K" "rotate-keep = 1000"
start_handle
wait_begun users rotated
run 50
setpriv --reuid="$user" --regid="$user" --clear-groups /bin/true
setpriv --reuid=nobody --regid=nogroup --clear-groups /bin/true
wait_done users
wait_done rotated

expect_whole "$out/root.json"
equal "who has files" "$user.json nobody.json root.json" \
    "$(cd "$out" && echo *.json)"
equal "what user $user ran" /bin/true "$(jq -r .exe "$out/$user.json")"
equal "the mode" 640 "$(stat -c %a "$out/root.json")"
mapfile -t rotated < <(printf '%s\n' "$out"/rotated.* | sort -V -r)
[ "${#rotated[@]}" -ge 4 ] || fail "there are only ${#rotated[@]} old files"
for file in "${rotated[@]}" "$out/rotated"; do
    [ "$(stat -c %s "$file")" -le 4096 ] || fail "$file is larger than 4096 bytes"
done
expect_whole "${rotated[@]}" "$out/rotated"

# ---- killed while it writes: each line once more at most, and none is broken ----

run 300 &
load=$!
for _ in 1 2 3 4 5; do
    sleep 0.1 # anywhere
    stop_handle KILL
    start_handle
done
wait "$load"
wait_done users
written "$out/root.json" | awk '!seen[$0]++' >"$directory/written"
children "epoch || ' ' || seq" | diff - "$directory/written" || fail "not what happened"
stop_handle TERM

# ---- no space: it waits, and nothing is missing ----

rm "$config"/*.conf
mkdir "$directory/small"
mount -t tmpfs -o size=16k none "$directory/small"
mounts+=("$directory/small")
handler full "filter = type=exec exe=$child" "log = $directory/small/log"
start_handle
wait_begun full
seq=$(newest)
run 100
wait_said "full: cannot write '$directory/small/log': No space left on device"
mount -o remount,size=1M "$directory/small"
wait_done full
jq -r '.seq' "$directory/small/log" >"$directory/written"
children seq "AND seq > $seq" | diff - "$directory/written" || fail "not what happened"
stop_handle TERM

# ---- syslog, by a socket in a /dev of the test's own ----

rm "$config"/*.conf
cat >"$directory/syslog.sh" <<END
set -e
mkdir -p "$directory/dev/upper" "$directory/dev/work"
mount -t overlay -o "lowerdir=/dev,upperdir=$directory/dev/upper,workdir=$directory/dev/work" \
    none /dev || exit 77
rm -f /dev/log
exec "$ROLLCALL" handle --config "$config" --state "$state" "--daemon=$socket" \
    2>>"$directory/said"
END
handler syslog "filter = type=exec exe=$child" "log = syslog"
start unshare --mount sh "$directory/syslog.sh"
handle=$!
wait_begun syslog
run 3
wait_said "syslog: nobody takes lines at /dev/log: No such file or directory"
nsenter --mount --target "$handle" "$tools/handlers-datagrams" /dev/log 3 >"$directory/datagrams"
equal "lines" 3 "$(grep -c '^<30>... .. ..:..:.. rollcall-syslog\[[0-9]*\]: {"epoch":' \
    "$directory/datagrams")"
wait_done syslog
stop_handle TERM

# ---- a journal of systemd, of the test's own ----

rm "$config"/*.conf
journald=/lib/systemd/systemd-journald
[ -x "$journald" ] || fail "there is no $journald"
cat >"$directory/journal.sh" <<END
set -e
mkdir -p /run/systemd /run/log
mount -t tmpfs none /run/systemd
mount -t tmpfs none /run/log
mkdir /run/systemd/journal /run/log/journal
exec "$ROLLCALL" handle --config "$config" --state "$state" "--daemon=$socket" \
    2>>"$directory/said"
END
handler kept "filter = type=exec exe=$child" "log = journal"
start unshare --mount sh "$directory/journal.sh"
handle=$!
wait_begun kept
run 3
wait_said "kept: the journal does not take lines: No such file or directory"
start nsenter --mount --target "$handle" "$journald"
wait_done kept
journalctl_in_namespace() {
    nsenter --mount --target "$handle" journalctl --directory /run/log/journal --no-pager "$@"
}
journalctl_in_namespace -o cat SYSLOG_IDENTIFIER=rollcall ROLLCALL_HANDLER=kept >"$directory/kept"
equal "lines" 3 "$(grep -c '^{"epoch":' "$directory/kept")"
jq -r .seq "$directory/kept" >"$directory/written"
children seq "AND seq IN ($(paste -s -d, "$directory/written"))" | diff - "$directory/written" ||
    fail "not what happened"
stop_handle TERM
