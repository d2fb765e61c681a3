#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What windows/kmdf/wdf.h declares is what KMDF 1.15 has: every index, size, offset and value is
# compared with the table by the compiler. Then one fact of each kind is falsified: it must show.
set -euo pipefail
source_dir=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kmdf=$source_dir/windows/kmdf

fail() {
    printf 'kmdf_abi: %s\n' "$*" >&2
    exit 1
}

# checks TABLE: a source file that compares what the header declares with the table.
checks() {
    cat "$kmdf/wdf.h" "$kmdf/functions.h" | grep -oE '\b[A-Za-z_0-9]+\b' | sort -u >"$work/words"
    echo '#define KMDF_RUNTIME'
    echo '#include "windows/kmdf/wdf.h"'
    awk -F '\t' -v words="$work/words" '
        BEGIN { while ((getline word < words) > 0) known[word] = 1 }
        /^#/ { next }
        $1 == "function" && known[$2] { print "C_ASSERT(" $2 "TableIndex == " $4 ");" }
        $1 == "struct" && known[$2] { print "C_ASSERT(sizeof(" $2 ") == " $4 ");" }
        $1 == "field" && known[$2] { print "C_ASSERT(offsetof(" $2 ", " $3 ") == " $4 ");" }
        $1 == "enum" && known[$3] { print "C_ASSERT(" $3 " == " $4 ");" }
        $1 == "count" { print "C_ASSERT(WDF_FUNCTION_COUNT == " $4 ");" }' "$1"
}

# compile TABLE
compile() {
    checks "$1" >"$work/checks.c"
    x86_64-w64-mingw32-gcc -std=c11 -fsyntax-only -I "$source_dir" \
        -isystem /usr/share/mingw-w64/include/ddk "$work/checks.c" 2>"$work/errors"
}

table=$kmdf/kmdf-1.15-x64-abi.tsv
compile "$table" || { cat "$work/errors" >&2; fail 'the header differs from the table'; }

# Nothing that is declared goes unchecked.
declared=$(grep -c '^WDF_FUNCTION(' "$kmdf/functions.h")
checked=$(grep -c 'TableIndex ==' "$work/checks.c")
[ "$declared" = "$checked" ] || fail "$declared functions are declared, $checked are in the table"
while read -r name; do
    [ "$name" = WDF_BIND_INFO ] || grep -q "sizeof($name)" "$work/checks.c" ||
        fail "the table has no $name"
done < <(grep -oE '^typedef struct _WDF_[A-Z_]+' "$kmdf/wdf.h" | sed 's/.* _//')
# Enumerators stand alone on their lines.
while read -r name; do
    grep -q "($name == " "$work/checks.c" || fail "the table has no $name"
done < <(sed -n 's/^ *\(Wdf[A-Za-z0-9]*\)\( = [0-9]*\)\?,\?$/\1/p' "$kmdf/wdf.h")

# One fact of each kind, falsified.
for line in $'function\tWdfRequestForwardToIoQueue\t-' $'struct\tWDF_IO_QUEUE_CONFIG\t-' \
    $'field\tWDF_IO_QUEUE_CONFIG\tEvtIoStop' \
    $'enum\tWDF_IO_QUEUE_DISPATCH_TYPE\tWdfIoQueueDispatchManual' \
    $'count\tWdfFunctionTableNumEntries\t-'; do
    awk -v line="$line" 'index($0, line "\t") == 1 { print line "\t77"; next } { print }' \
        "$table" >"$work/false.tsv"
    cmp -s "$table" "$work/false.tsv" && fail "the table has no line: $line"
    ! compile "$work/false.tsv" || fail "this went unnoticed when falsified: $line"
done
echo "$checked functions and $(grep -c 'sizeof\|offsetof' "$work/checks.c") sizes and offsets hold"
