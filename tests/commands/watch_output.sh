#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `rollcall watch` as people and pipes use it: how it begins and ends, what it shows, and that a
# reader who takes a break misses nothing.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need setpriv script

watch=("$ROLLCALL" watch)
output=$directory/output
# Programs whose names are only ours, and a user whom nobody else uses.
alpha=$directory/alpha$$
beta=$directory/beta$$
user=$((60000 + $$ % 5000))
cp "$tools/load-child" "$alpha"
cp "$tools/load-child" "$beta"
chmod 755 "$directory"

has() {
    grep -Eqs -- "$1" "$output"
}

wait_for_line() {
    wait_until "a line with '$1'" has "$1"
}

count() {
    grep -Ec -- "$1" "$output" || true
}

# start_watch OPTION...: and wait until it has announced all that was there.
start_watch() {
    rm -f "$output"
    start "${watch[@]}" --existing "$@" >"$output"
    watcher=$!
    wait_for_line '"type":"synced"|synced +these were'
}

stop_watch() {
    send TERM "$watcher"
    end_of "$watcher"
    equal "the status after SIGTERM" 0 "$status"
}

# run_until_seen: probes, until one is shown.
run_until_seen() {
    "$alpha" 0
    has "\"exe\":\"$alpha\""
}

# ---- its end ----

# expect_piped LINES COMMAND...: its reader goes after so many lines.
expect_piped() {
    # shellcheck disable=SC2016 # the inner shell expands it
    expect 0 bash -c '"$@" | head -n "$0"; exit "${PIPESTATUS[0]}"' "$@"
    equal "the lines that were read" "$1" "$(wc -l <"$output")"
}

closed_pipe() {
    expect_piped 1 "${watch[@]}" --existing --json
    # No event comes that could be written: the pipe itself tells.
    expect_piped 0 "${watch[@]}" --filter "comm=none$$"
}

signals() {
    local signal

    for signal in INT TERM HUP; do
        start env --default-signal="$signal" "${watch[@]}" --existing --json >"$output"
        wait_for_line '"type":"synced"'
        send "$signal" "$!"
        end_of "$!"
        equal "the status after SIG$signal" 0 "$status"
        rm "$output"
    done
}

limits() {
    expect 0 "${watch[@]}" --existing --json --count 3
    equal "the events with --count 3" 3 "$(count '"seq":')"
    expect 0 "${watch[@]}" --for 200ms --filter "comm=none$$"
    [ ! -s "$output" ] || fail "something was shown that does not fit"
}

# ---- what it shows ----

filter_comm() {
    start_watch --json --filter "comm=alpha$$"
    "$alpha" 3 || true
    "$beta" 4 || true
    wait_for_line '"exit"'
    stop_watch
    equal "lines of comm" 3 "$(wc -l <"$output")"
    equal "execs of comm" 1 "$(count "\"type\":\"exec\".*\"comm\":\"alpha$$\".*\"exe\":\"$alpha\"")"
    equal "exits of comm" 1 "$(count "\"type\":\"exit\".*\"comm\":\"alpha$$\".*\"exit_code\":3")"
}

filter_exe() {
    start_watch --json --filter "exe=*/alpha$$,*/beta$$ type!=exec"
    "$beta" 4 || true
    "$alpha" 5 || true
    wait_for_line '"exit_code":5'
    stop_watch
    equal "lines of exe" 2 "$(count '"exit"')"
    equal "lines of exe but exits" 0 "$(count '"exec"|"create"')"
}

filter_uid() {
    start_watch --json --filter "uid=$user"
    setpriv --reuid="$user" --clear-groups "$alpha" 6 || true
    "$beta" 4 || true
    wait_for_line '"exit"'
    stop_watch
    equal "lines of uid" 3 "$(wc -l <"$output")"
    equal "events of uid" 2 "$(count "\"uid\":$user,.*\"comm\":\"alpha$$\"")"
}

filter_type() {
    start_watch --json --filter type=exec,synced
    "$alpha" 0
    wait_for_line "\"exe\":\"$alpha\""
    stop_watch
    equal "lines of other types" 0 "$(count '"type":"(create|exit|exists)"')"
}

# A tree that stands already, and grows: the last of it is no child of its any more.
filter_descendants() {
    local root

    mkfifo "$directory/go"
    # shellcheck disable=SC2016 # the inner shell expands it
    start bash -c 'read -r _ <"$0/go"; "$1" 1; (("$2" 2; "$1" 7) &); exit 9' \
        "$directory" "$alpha" "$beta"
    root=$!
    start_watch --json --filter "descendants-of=$root"
    "$beta" 8 || true
    echo >"$directory/go"
    wait_for_line '"exit_code":7'
    end_of "$root"
    wait_for_line "\"type\":\"exit\",.*\"pid\":$root,.*\"exit_code\":9"
    stop_watch
    # It was there: one line; alpha, two shells in between, and what they run.
    equal "programs of the tree" "$alpha $beta $alpha" \
        "$(sed -n 's/.*"type":"exec".*"exe":"\([^"]*\)".*/\1/p' "$output" | xargs)"
    equal "a stranger's events" 0 "$(count '"exit_code":8')"
    equal "those who were created, and the first" "$(count '"type":"exit"')" \
        $(($(count '"type":"create"') + 1))
}

existing() {
    local first

    start "$directory/alpha$$"
    first=$!
    start_watch --json
    stop_watch
    equal "announcements of a process that was there" 1 \
        "$(count "\"type\":\"exists\".*\"pid\":$first,.*\"exe\":\"$alpha\"")"
    equal "the number of synced" 1 "$(count '"type":"synced"')"
    sed '1,/"type":"synced"/d' "$output" >"$directory/rest"
    ! grep -q '"type":"exists"' "$directory/rest" || fail "an announcement after synced"
    send TERM "$first"
    end_of "$first"
}

# column_of COMMAND: where its command line begins.
column_of() {
    local line

    line=$(grep -F -m 1 -- " $1" "$output")
    line=${line%%" $1"*}
    echo "${#line}"
}

# Where the last column begins shows who is whose child.
tree() {
    local parent child

    start_watch --tree
    # shellcheck disable=SC2016 # the inner shell expands it
    bash -c '"$0" 0; exit' "$alpha"
    wait_for_line "exit .*alpha$$"
    stop_watch
    parent=$(column_of "bash -c '\"\$0\" 0; exit' $alpha")
    child=$(column_of "$alpha 0")
    equal "the column of the child" $((parent + 2)) "$child"
    expect 2 "${watch[@]}" --tree --json
}

own() {
    start_watch --json
    stop_watch
    equal "its own events" 0 "$(count "\"pid\":$watcher,")"
    start_watch --json --self
    stop_watch
    [ "$(count "\"pid\":$watcher,")" -gt 0 ] || fail "--self does not show itself"
}

# ---- colour ----

in_terminal() {
    timeout "$limit" script -qec "stty cols 200; $* '$ROLLCALL' watch --existing --count 5" \
        /dev/null </dev/null >"$output"
}

colour() {
    local escape=$'\033\\['

    expect 0 "${watch[@]}" --existing --count 5
    ! has "$escape" || fail "colours where there is no terminal"
    in_terminal env -u NO_COLOR TERM=xterm
    has "$escape" || fail "no colours in a terminal"
    in_terminal env NO_COLOR=1 TERM=xterm
    has 'exists' || fail "nothing is shown with NO_COLOR"
    ! has "$escape" || fail "colours in spite of NO_COLOR"
    in_terminal env TERM=dumb
    ! has "$escape" || fail "colours in a dumb terminal"
}

# ---- a reader who takes a break ----

blocked() {
    local reader truth=$directory/truth

    rm -f "$output"
    mkfifo "$directory/pipe"
    start cat "$directory/pipe" >"$output"
    reader=$!
    start "${watch[@]}" --self --json >"$directory/pipe"
    watcher=$!
    wait_until "the watch has begun" run_until_seen
    send STOP "$reader"
    "$tools/rollcall-load" --workers 2 --count 20000 --mix fork,vfork,spawn,clone3 \
        --program "$tools/load-child" --out "$truth" >/dev/null
    "$beta" 0
    ! has "\"exe\":\"$beta\"" || fail "the reader was not stopped"
    send CONT "$reader"
    wait_for_line "\"type\":\"exit\".*\"comm\":\"beta$$\""
    stop_watch
    end_of "$reader"
    check_stream "$output" "$truth"
}

closed_pipe
signals
limits
filter_comm
filter_exe
filter_uid
filter_type
filter_descendants
existing
tree
own
colour
blocked
