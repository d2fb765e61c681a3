#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What handlers start feeds no handler: neither itself nor another, also after a restart.
set -euo pipefail
# shellcheck source=tests/handlers/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need sqlite3 setpriv

out=$directory/out
user=nobody
mkdir "$out"
chown "$user" "$out"

# Each event makes some processes, one of which ends after its parent.
cat >"$directory/several.sh" <<'END'
#!/bin/sh
cat >>"$1"
(sleep 0.1; /bin/true) & /bin/true
/bin/true
END
# A program that makes a process for each event.
cat >"$directory/each.sh" <<'END'
#!/bin/sh
while read -r line; do
    echo "$line" >>"$1"
    /bin/true
    seq=${line#*\"seq\":}
    echo "${seq%%,*}"
done
END
chmod 755 "$directory"/*.sh

# All is that user's: what is looked for, and what handlers start.
handler all "filter = uid=$user" "user = $user" "command = $directory/several.sh $out/all"
handler execs "filter = uid=$user type=exec" "user = $user" \
    "command = $directory/several.sh $out/execs"
handler program "filter = uid=$user" "user = $user" "program = $directory/each.sh $out/program"
handler self "self = yes" "filter = type=exec exe=$directory/several.sh" \
    "command = /bin/sh -c 'cat >>$out/self'"
start_daemon
start_handle
wait_begun all execs program self

run_as_user() {
    setpriv --reuid="$user" --regid=nogroup --clear-groups "$tools/rollcall-load" --workers 1 \
        --count "$1" --mix vfork --program "$child" >/dev/null
}

# What the journal has of the events that a file of lines has.
from_handlers() {
    sql "$database" "WITH RECURSIVE kin(pid, start_ns) AS (
            SELECT DISTINCT pid, start_ns FROM events WHERE pid = $1 AND type = 2
            UNION SELECT e.pid, e.start_ns FROM events e JOIN kin
                ON e.ppid = kin.pid AND e.parent_start_ns = kin.start_ns AND e.type = 1)
        SELECT e.seq FROM events e JOIN kin USING (pid, start_ns)" | sort >"$directory/kin"
    sed 's/.*"seq":\([0-9]*\),.*/\1/' "$2" | sort | comm -12 - "$directory/kin" | wc -l
}

run_as_user 8
for one in all execs program self; do
    wait_done "$one"
done
# Its own are there, but none of them came back.
for one in all execs program; do
    equal "events of '$one' that handlers caused" 0 "$(from_handlers "$handle" "$out/$one")"
    [ "$(grep -c load-child "$out/$one")" -ge 8 ] || fail "'$one' has not had the others"
done
[ "$(lines "$out/self")" -ge 16 ] || fail "'self = yes' does not show what handlers start"

# ---- killed, with much of what it has caused still to be read ----

stop_handle KILL
run_as_user 3
old=$handle
: >"$out/program"
: >"$out/execs"
start_handle
for one in execs program; do
    wait_done "$one"
done
# Children of the old program are recognised; what the commands that ran at the end had started may pass.
few=$(from_handlers "$old" "$out/program")
[ "$few" -le 40 ] || fail "$few events that the old handlers caused have passed"
equal "events of 'program' that handlers caused" 0 "$(from_handlers "$handle" "$out/program")"
equal "events of 'execs' that handlers caused" 0 "$(from_handlers "$handle" "$out/execs")"
stop_handle TERM
