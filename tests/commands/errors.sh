#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What does not work says why and what to do, has the exit status 1 (125 of `run`), and leaves
# nothing in the kernel and no file.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/lib.sh"
need_root
need setpriv unshare sqlite3

EINVAL=22
EPERM=1
BTF=/sys/kernel/btf
BPFFS=/sys/fs/bpf
journal=$directory/journal
chmod 755 "$directory"
# Where a user who is not root can get at it.
command=$directory/rollcall
cp "$ROLLCALL" "$command"
record=("$command" record --quiet --name "$name" --until-idle)

nothing_left() {
    [ ! -e "$BPFFS/rollcall/$name" ] || fail "pins are left"
}

# no_files JOURNAL
no_files() {
    local left

    left=$(compgen -G "$1*") || return 0
    fail "files are left: $left"
}

# expect_all PATTERN COMMAND...: each way to begin a capture, under that command.
expect_all() {
    local pattern=$1

    shift
    expect 1 "$@" "$command" watch --count 1
    said "^rollcall watch: .*$pattern"
    expect 1 "$@" "${record[@]}" "$journal"
    said "^rollcall record: .*$pattern"
    no_files "$journal"
    expect 125 "$@" "$command" run true
    said "^rollcall run: .*$pattern"
    expect 1 "$@" "$command" tree
    said "^rollcall tree: .*$pattern"
    nothing_left
}

# A container may not allow it.
not_tried() {
    echo "not tried, this machine does not allow it: $*"
    return 1
}

# ---- who may, and with what kernel ----

not_root() {
    local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)

    mkdir -m 777 "$directory/theirs"
    journal=$directory/theirs/journal expect_all 'this needs root' "${user[@]}"
    expect 1 "${user[@]}" "$command" stats
    said 'this needs root'
    expect 1 "${user[@]}" "$command" detach "$name"
    said 'this needs root'
    expect 1 "${user[@]}" "$command" doctor
}

no_btf() {
    unshare -m mount -t tmpfs none "$BTF" 2>/dev/null || not_tried "without BTF" || return 0
    # shellcheck disable=SC2016 # the inner shell expands it
    expect_all "no type information .*doctor" \
        unshare -m bash -c 'mount -t tmpfs none "$0" && exec "$@"' "$BTF"
}

refused_programs() {
    "$tools/refuse-programs" "$EINVAL" true || not_tried "refused programs" || return 0
    expect_all 'refuses the programs: Invalid argument.*doctor' "$tools/refuse-programs" "$EINVAL"
    expect_all 'does not allow loading.*doctor' "$tools/refuse-programs" "$EPERM"
}

# Where it is possible, tests/kernel/test_deny.c shows what it does.
no_deny() {
    "$command" doctor | grep -q 'on-full=deny. is not possible' ||
        not_tried "a kernel that cannot refuse processes" || return 0
    expect 1 "${record[@]}" --on-full=deny "$journal"
    said "^rollcall record: this kernel lets no program refuse a process, .*LSM programs: .*fmod_ret"
    no_files "$journal"
    nothing_left
    expect 0 "${record[@]}" "$journal"
    expect 1 "${record[@]}" --on-full=deny "$journal"
    said "this kernel lets no program refuse a process"
    expect 0 "${record[@]}" "$journal"
    expect 0 "$command" detach "$name"
    rm "$journal"*
}

wrong_policies() {
    expect 2 "${record[@]}" --on-full=drop "$journal"
    said "takes .gap. or .deny., not 'drop'"
    expect 2 "${record[@]}" --on-full=deny --deny-grace 1ms "$journal"
    said "takes a duration from 1s to 1d, not '1ms'"
    expect 2 "${record[@]}" --deny-exempt /sys/fs/cgroup "$journal"
    said "are for --on-full=deny"
    nothing_left
}

no_bpffs() {
    # shellcheck disable=SC2016 # the inner shells expand it
    local without=(unshare -m bash -c
        'while umount "$0" 2>/dev/null; do :; done; exec "$@"' "$BPFFS")

    # shellcheck disable=SC2016
    expect 0 "${without[@]}" bash -c '"$@" && "$1" stats "$0" && "$1" detach "$0"' "$name" \
        "${record[@]}" "$journal"
    expect 1 "${without[@]}" setpriv --bounding-set=-sys_admin "${record[@]}" "$journal"
    said "not mounted on $BPFFS, and mounting it failed: Operation not permitted; try .mount"
    nothing_left
}

# ---- what is in use ----

in_use() {
    local first

    start "$command" record --quiet --name "$name" "$journal"
    first=$!
    wait_for_reader "$name" "$first"
    expect 1 "${record[@]}" "$directory/other"
    said "consumer '$name' is in use by process $first:"
    no_files "$directory/other"
    expect 1 "$command" record --quiet --name "$name-2" "$journal"
    said "process $first writes the journal '$journal'"
    [ ! -e "$BPFFS/rollcall/$name-2" ] || fail "pins of the refused one are left"
    expect 1 "$command" detach "$name"
    said "consumer '$name' is in use by process $first:"
    send TERM "$first"
    end_of "$first"
    equal "the status after SIGTERM" 0 "$status"
    expect 0 "$command" detach "$name"
    nothing_left
}

# ---- journals ----

# refused_journal FILE PATTERN: by who writes and who reads.
refused_journal() {
    expect 1 "${record[@]}" "$1"
    said "$2"
    expect 1 "$command" query "$1"
    said "$2"
    expect 1 "$command" tree "$1"
    said "$2"
    nothing_left
}

no_journals() {
    echo "dear diary" >"$directory/diary"
    refused_journal "$directory/diary" "is not a journal of rollcall"
    equal "the diary" "dear diary" "$(cat "$directory/diary")"
    sql "$directory/database" 'CREATE TABLE other (a)'
    refused_journal "$directory/database" "is not a journal of rollcall"
    equal "the tables of the database" other "$(sql "$directory/database" .tables)"
    refused_journal "$directory/none/journal" "there is no '$directory/none/journal': .*directory"
    refused_journal "$directory" "is a directory: name a file"
    expect 1 "$command" query "$directory/absent"
    said "there is no '$directory/absent'"
}

later_version() {
    cp "$journal" "$directory/later"
    sql "$directory/later" 'PRAGMA user_version = 99'
    refused_journal "$directory/later" "has version 99, and this rollcall knows version [0-9]+: use"
}

# Its tables are all garbage, its first page is whole.
damaged() {
    cp "$journal" "$directory/damaged"
    sql "$directory/damaged" 'PRAGMA wal_checkpoint(TRUNCATE)' >"$directory/output"
    head -c 65536 /dev/urandom |
        dd of="$directory/damaged" bs=4096 seek=1 conv=notrunc status=none
    refused_journal "$directory/damaged" "'$directory/damaged' is damaged"
}

read_only() {
    local place=$directory/read-only

    mkdir "$place"
    mount -t tmpfs none "$place" || not_tried "a read-only journal" || return 0
    mounts+=("$place")
    expect 0 "${record[@]}" "$place/journal"
    expect 0 "$command" detach "$name"
    expect 0 "$command" query "$place/journal"
    cp "$directory/output" "$directory/before"
    mount -o remount,ro "$place"
    expect 1 "${record[@]}" "$place/journal"
    said "Read-only file system|read-only"
    nothing_left
    expect 0 "$command" query "$place/journal"
    cmp "$directory/before" "$directory/output" || fail "a read-only journal reads differently"
}

# ---- output ----

# expect_full STATUS COMMAND...: with an output that is always full.
expect_full() {
    # shellcheck disable=SC2016 # the inner shell expands it
    expect "$1" bash -c 'exec "$@" >/dev/full' bash "${@:2}"
    said 'cannot write.*: No space left on device'
}

full_output() {
    expect_full 1 "$command" watch --existing --json
    expect_full 1 "$command" watch --existing
    expect_full 1 "$command" tree
    expect_full 1 "$command" query "$journal"
    expect_full 1 "$command" query --json "$journal"
    expect_full 1 "$command" query "$journal" 'SELECT * FROM events'
    expect_full 1 "$command" tree --json "$journal"
    expect_full 1 "${record[@]}" --also json "$directory/also"
    expect_full 1 "$command" stats "$name"
    expect_full 1 "$command" doctor
    expect_full 1 "$command" watch --help
    expect_full 1 "$command" --version
    expect_full 0 "$command" run -o /dev/full true
    expect 0 "$command" detach "$name"
    expect 125 "$command" run -o "$directory/none/events" true
    said "cannot write $directory/none/events"
}

# ---- wrong use ----

usage() {
    expect 2 "$command"
    expect 2 "$command" nonsense
    said "there is no command 'nonsense'"
    expect 2 "$command" watch --filter 'size=3'
    said "'size=3' is not understood"
    expect 2 "$command" watch --ring-size 5000
    said "a power of two"
    expect 2 "$command" record
    said "which file"
    expect 125 "$command" run
    said "which command"
    expect 1 "$command" record --name 'a/b' "$directory/other"
    said "'a/b' is not a consumer's name"
    expect 1 "$command" stats "$name-absent"
    said "there is no consumer '$name-absent'"
    expect 1 "$command" detach "$name-absent"
    said "there is no consumer '$name-absent'"
}

not_root
no_btf
refused_programs
no_deny
wrong_policies
no_bpffs
in_use
expect 0 "${record[@]}" "$journal"
expect 0 "$command" detach "$name"
no_journals
later_version
damaged
read_only
full_output
usage
