#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A command for each event: what it gets, as whom, how many at once, and when it fails.
set -euo pipefail
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3 jq

out=$directory/out
mkdir "$out"
chmod 1777 "$out"

# script NAME LINE...: what a handler runs.
script() {
    local file=$directory/$1.sh

    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$file"
    chmod 755 "$file"
}

script env "env | grep ^ROLLCALL_ | sort >'$out/env'" "cat >'$out/json'" \
    "ls -l /proc/self/fd | grep -c -- '->' >'$out/fds'" "grep ^Sig /proc/self/status >'$out/signals'" \
    "ps -o sid=,pgid= -p \$\$ >'$out/session'; echo \$\$ >>'$out/session'"
script user "id -un >'$out/user'; id -Gn >'$out/groups'; echo \$HOME >'$out/home'"
script once "mkdir '$out/first' 2>/dev/null && exit 1; echo \$ROLLCALL_SEQ >>'$out/once'"
script never "echo \$ROLLCALL_SEQ >>'$out/never'; echo no >&2; exit 9"
script slow "exec sleep 100"
# How many of it run at the same moment, at most.
script many "mkdir '$out/runs.'\$\$; ls -d '$out'/runs.* | wc -l >>'$out/many'; sleep 0.3" \
    "rmdir '$out/runs.'\$\$"

filter="filter = type=exec exe=$child"
handler env "$filter" "command = $directory/env.sh" "tries = 1"
handler user "$filter" "command = $directory/user.sh" "user = nobody"
handler once "$filter" "command = $directory/once.sh" "parallel = 1"
handler never "$filter" "command = $directory/never.sh" "tries = 2"
handler slow "$filter" "command = $directory/slow.sh" "timeout = 0.3s" "tries = 1"
handler many "$filter" "command = $directory/many.sh" "parallel = 3"
handler missing "$filter" "command = /nowhere/program" "tries = 1"
handler quick "$filter" "command = /bin/sh -c 'echo \$ROLLCALL_SEQ >>$out/quick'"

start_daemon
start_handle
wait_begun env user once never slow many missing quick
run 1
for one in env user once never slow many missing; do
    wait_done "$one"
done

# ---- what it gets ----

row=$(children "seq, epoch, pid, ppid, uid, exe")
IFS='|' read -r seq epoch pid ppid uid exe <<<"$row"
equal "the environment" "ROLLCALL_COMM=load-child ROLLCALL_EPOCH=$epoch ROLLCALL_EXE=$exe \
ROLLCALL_HANDLER=env ROLLCALL_PID=$pid ROLLCALL_PPID=$ppid ROLLCALL_SEQ=$seq ROLLCALL_TYPE=exec \
ROLLCALL_UID=$uid" "$(xargs <"$out/env")"
"$ROLLCALL" query --json --pid "$pid" "$database" | grep '"type":"exec"' |
    jq -S 'del(.time)' >"$directory/expected"
jq -S 'del(.time)' "$out/json" | cmp - "$directory/expected"
equal "lines" 1 "$(lines "$out/json")"
# stdin, stdout, stderr, and the directory that ls reads.
equal "open files" 4 "$(cat "$out/fds")"
equal "signals that are blocked or ignored" "" \
    "$(grep -E 'Blk|Ign' "$out/signals" | grep -v '\b0*$' || true)"
equal "its session" 3 "$(xargs -n 1 <"$out/session" | wc -l)"
equal "its session and group are its own" 1 "$(xargs -n 1 <"$out/session" | sort -u | wc -l)"
equal "its user" nobody "$(cat "$out/user")"
equal "its groups" nogroup "$(cat "$out/groups")"
equal "its home" "$(getent passwd nobody | cut -d : -f 6)" "$(cat "$out/home")"

# ---- failures ----

equal "the second try" "$seq" "$(cat "$out/once")"
equal "two tries" "$seq $seq" "$(xargs <"$out/never")"
told "never: event $seq is given up after 2 tries: status 9"
told 'never: no$'
told "slow: event $seq is given up after 1 tries: it took longer than its .timeout."
told "missing: event $seq is given up after 1 tries: cannot run '/nowhere/program': No such file"

# ---- many at once, and none of a burst missed ----

run 30
for one in many quick; do
    wait_done "$one"
done
[ "$(sort -n "$out/many" | tail -n 1)" -le 3 ] || fail "more than 3 ran at once"
[ "$(sort -n "$out/many" | tail -n 1)" -ge 2 ] || fail "no two ran at once"
equal "how often it ran" 31 "$(lines "$out/many")"
children seq | diff - <(sort -n "$out/quick")
stop_handle TERM
told 'never: has ended: [0-9]+ events given, [1-9][0-9]* of these given up'
