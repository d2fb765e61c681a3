#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a journal answers about processes that are known, by option, by SQL, and as a tree.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need setpriv

journal=$directory/journal
output=$directory/output
alpha=$directory/alpha$$
user=$((50000 + $$ % 5000))
cp "$tools/load-child" "$alpha"
chmod 755 "$directory"

record() {
    expect 0 "$ROLLCALL" record --quiet --name "$name" --until-idle "$journal"
}

now() {
    date -u +%Y-%m-%dT%H:%M:%S.%NZ
}

# query NUMBER ARGUMENT...: so many lines of JSON.
query() {
    local number=$1

    shift
    expect 0 "$ROLLCALL" query --json "$@"
    equal "the lines of query $*" "$number" "$(wc -l <"$output")"
}

count() {
    grep -Ec -- "$1" "$output" || true
}

# ---- what happens ----

# A tree that stands, and a moment in which it does; processes before and after it.
record
before=$(now)
"$alpha" 11 || true
middle=$(now)
mkfifo "$directory/go"
# shellcheck disable=SC2016 # the inner shells expand it
start bash -c 'bash -c "\"\$0\" & read -r _ <\"\$1\"; kill \$!; wait; exit 12" "$0" "$1"; exit 13' \
    "$alpha" "$directory/go"
root=$!
alpha_runs() {
    grep -lsx "alpha$$" /proc/[0-9]*/comm >"$directory/found"
}
wait_until "the tree stands" alpha_runs
leaf=$(sed 's,/proc/\([0-9]*\)/.*,\1,' "$directory/found")
standing=$(now)
echo >"$directory/go"
end_of "$root"
equal "the status of the tree" 13 "$status"
setpriv --reuid="$user" --clear-groups "$alpha" 14 || true
after=$(now)
"$alpha" 15 || true
record

# ---- by option ----

options() {
    query 8 --comm "alpha$$" "$journal"
    query 8 --comm "alpha$$" --exe "*/alpha$$" "$journal"
    query 4 --comm "alpha$$" --type exec "$journal"
    query 8 --comm "alpha$$" --type exec,exit "$journal"
    query 2 --uid "$user" --comm "alpha$$" "$journal"
    query 2 --pid "$leaf" --since "$middle" --until "$standing" "$journal"
    query 1 --pid "$root" --exe '*/bash' --type exec --since "$middle" --until "$after" "$journal"
    query 1 --ppid "$root" --type exec --since "$middle" --until "$standing" "$journal"
    query 2 --comm "alpha$$" --until "$middle" "$journal"
    query 2 --comm "alpha$$" --since "$before" --until "$middle" "$journal"
    query 2 --comm "alpha$$" --since "$after" "$journal"
    equal "the last status" 1 "$(count '"exit_code":15')"
    query 1 --comm "alpha$$" --type exit --last 1 "$journal"
    equal "the last status" 1 "$(count '"exit_code":15')"
    query 1 --comm "alpha$$" --type exit --limit 1 "$journal"
    equal "the first status" 1 "$(count '"exit_code":11')"
    query 1 --type synced "$journal"
    query 0 --comm "none$$" "$journal"
    query 0 --type gap "$journal"
    expect 0 "$ROLLCALL" query --comm "alpha$$" --type exec "$journal"
    equal "a head, and the lines for people" 5 "$(wc -l <"$output")"
    equal "the commands" 1 "$(count "exec .* $alpha 11\$")"
    expect 2 "$ROLLCALL" query --type nonsense "$journal"
    expect 2 "$ROLLCALL" query --since yesterday "$journal"
    expect 2 "$ROLLCALL" query --type exec "$journal" 'SELECT 1'
}

# ---- by SQL ----

statements() {
    local statement

    query 1 "$journal" "SELECT count(*) AS n, max(status >> 8) AS s FROM events
        WHERE comm = 'alpha$$' AND type = 3 AND status & 127 = 0"
    equal "the answer" '{"n":3,"s":15}' "$(cat "$output")"
    query 1 "$journal" "SELECT signal FROM processes WHERE pid = $leaf AND comm = 'alpha$$'"
    equal "the signal that ended it" '{"signal":15}' "$(cat "$output")"
    query 1 "$journal" "SELECT NULL AS none, 'a\"b' AS text, 1.5 AS number, x'00ff' AS bytes"
    equal "values" '{"none":null,"text":"a\"b","number":1.5,"bytes":"00ff"}' "$(cat "$output")"
    expect 0 "$ROLLCALL" query "$journal" "SELECT 'one' AS name, 2 AS value"
    equal "a table for people" "name value one 2" "$(xargs <"$output")"
    for statement in "DELETE FROM events" "DROP TABLE events" "UPDATE events SET pid = 1" \
        "CREATE TABLE other (a)" "PRAGMA user_version = 7" "VACUUM" \
        "ATTACH '$directory/attached' AS other" "SELECT 1; DELETE FROM events" "SELEC 1"; do
        expect 1 "$ROLLCALL" query "$journal" "$statement"
        said 'rollcall query: .+'
    done
    [ ! -e "$directory/attached" ] || fail "a file was made by a query"
    query 8 --comm "alpha$$" "$journal"
}

# ---- trees ----

trees() {
    expect 0 "$ROLLCALL" tree --at "$standing" --pid "$root" "$journal"
    equal "processes in the tree" 3 "$(wc -l <"$output")"
    equal "the first line" 1 "$(sed -n 1p "$output" | grep -Ec "^$root root bash -c ")"
    equal "the second line" 1 "$(sed -n 2p "$output" | grep -Ec "^└─ [0-9]+ root bash -c ")"
    equal "the third line" "   └─ $leaf root $alpha" "$(sed -n 3p "$output")"
    expect 0 "$ROLLCALL" tree --at "$standing" --pid "$root" --json "$journal"
    grep -Eq "^\[\{\"pid\":$root,.*\"children\":\[\{.*\"children\":\[\{\"pid\":$leaf,.*\"children\":\[\]\}\]\}\]\}\]\$" \
        "$output" || fail "the tree as JSON is another one"
    expect 1 "$ROLLCALL" tree --at "$after" --pid "$root" "$journal"
    said "there is no process $root at that time"
    expect 0 "$ROLLCALL" tree --at "$standing" "$journal"
    equal "the leaf in the whole tree" 1 "$(count "─ $leaf root $alpha\$")"
    expect 2 "$ROLLCALL" tree --at "$standing"
}

live_tree() {
    local pid

    start "$alpha"
    pid=$!
    wait_until "it runs" grep -qx "alpha$$" "/proc/$pid/comm"
    expect 0 "$ROLLCALL" tree --pid "$pid"
    equal "a live tree of one" "$pid root $alpha" "$(cat "$output")"
    expect 0 "$ROLLCALL" tree
    equal "this script in the live tree" 1 "$(count "─ $pid root $alpha\$")"
    send TERM "$pid"
    end_of "$pid"
    expect 1 "$ROLLCALL" tree --pid "$pid"
    said "there is no process $pid"
}

options
statements
trees
live_tree
