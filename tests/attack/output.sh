#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Names and arguments that are meant for whoever reads them: a terminal, which must not do what they
# say, and a parser of JSON, which must not take them for events. `output.sh terminal`, `output.sh json`.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/../commands/lib.sh"
need_root
need setpriv jq

forged='"}'$'\n''{"seq":1,"type":"exit","pid":1,"comm":"forged"}'
# Clears the screen, sets its title, goes back; the same with a control character of the second kind; turns
# the direction of what follows.
moves=$'\033[2J\033]0;title\007\r\b\xc2\x9b31m\xe2\x80\xae'
place=$directory/$'place\033[A\n{"seq":2}'
program=$place/$'p\n'$moves
output=$directory/output
journal=$directory/journal
mkdir "$place"
cp "$tools/load-child" "$program"
chmod 755 "$directory" "$place" "$program"

# attack [ARGUMENT...]: without any it stays until it is killed.
attack() {
    cd "$place"
    exec setpriv --reuid=65534 --regid=65534 --clear-groups "$program" "$@"
}

has() {
    grep -qs -- "$1" "$output"
}

# watch OPTION...: an attack, with a watcher there, into $output.
watch() {
    local watcher

    rm -f "$output"
    start "$ROLLCALL" watch --existing "$@" >"$output"
    watcher=$!
    wait_until "all that was there is told of" has synced
    (attack "$forged" "$moves") || true
    # What the program says to two arguments.
    wait_until "the attack is shown" has "$ended"
    send TERM "$watcher"
    end_of "$watcher"
}

# record: the same into $journal.
record() {
    rm -f "$journal"*
    expect 0 "$ROLLCALL" record --quiet --name "$name" --until-idle "$journal"
    (attack "$forged" "$moves") || true
    expect 0 "$ROLLCALL" record --quiet --name "$name" --until-idle "$journal"
}

# tree OPTION...: one that stays.
tree() {
    start attack
    wait_until "it has executed" grep -qsz $'^p\n' "/proc/$!/comm"
    expect 0 "$ROLLCALL" tree "$@"
    send KILL "$!"
    end_of "$!"
}

# ---- a terminal ----

# Nothing that it obeys, and the attack is there: nothing was tested without it.
expect_plain() {
    local what=$1

    grep -q '\\e\[2J' "$output" || fail "$what: the attack is not shown"
    ! LC_ALL=C grep -n $'[\x01-\x08\x0b-\x1f\x7f]' "$output" >"$directory/errors" ||
        fail "$what: control characters"
    ! LC_ALL=C grep -nP '\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]' "$output" >"$directory/errors" ||
        fail "$what: other characters that a terminal obeys"
    ! grep -q '^{"seq"' "$output" || fail "$what: a line that was made up"
}

terminal() {
    ended='status 125'
    watch
    expect_plain watch
    watch --tree
    expect_plain 'watch --tree'
    record
    expect 0 "$ROLLCALL" query "$journal"
    expect_plain query
    tree
    expect_plain tree
}

# ---- JSON ----

# Each line is an object, and each byte of the arguments is in the exec.
expect_json() {
    local what=$1

    jq -e -s 'all(type == "object")' "$output" >"$directory/errors" || fail "$what: no objects"
    equal "$what: objects" "$(wc -l <"$output")" "$(jq -s length "$output")"
    jq -e -s --arg forged "$forged" --arg moves "$moves" \
        'any(.type == "exec" and .args[1] == $forged and .args[2] == $moves)' \
        "$output" >"$directory/errors" || fail "$what: not the arguments that there were"
    ! jq -e -s 'any(.comm == "forged")' "$output" >"$directory/errors" || fail "$what: a forged event"
}

json() {
    ended='"exit_code":125'
    watch --json
    expect_json 'watch --json'
    record
    "$ROLLCALL" query --json "$journal" >"$output"
    expect_json 'query --json'
    tree --json
    jq -e --arg program "$program" '[.. | objects | select(.exe? == $program)] | length == 1' \
        "$output" >"$directory/errors" || fail "tree --json: not the path that there was"
}

"$1"
