#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rollcall.sys is an image that Windows' memory manager and code integrity take, before and after
# windows/sign-test.sh has signed it, and a changed byte is noticed: sign.sh SOURCE BUILD. Status
# 77: no such build, or no osslsigncode.
set -euo pipefail
source_dir=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objdump=x86_64-w64-mingw32-objdump

fail() {
    printf 'sign: %s\n' "$*" >&2
    exit 1
}

# verify FILE: what osslsigncode says, and whether the signature holds.
verify() {
    osslsigncode verify -CAfile "$work/signing/certificate.pem" -in "$1" >"$work/said" 2>&1
}

# number FILE AT SIZE: what stands there.
number() { od -An -v -tu"$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# The checksum in the header, which only of drivers must be right: the sum of all its 16-bit words
# but its own two, with the carries added in, and the size.
checksum() {
    local at=$(($(number "$1" 60 4) + 88)) calculated
    calculated=$( (cat "$1" && printf '\0') | od -An -v -w2 -tu2 | awk -v skip="$((at / 2))" \
        -v size="$(stat -c %s "$1")" '
            NR <= int((size + 1) / 2) && NR != skip + 1 && NR != skip + 2 {
                sum += $1
                sum = sum % 65536 + int(sum / 65536)
            }
            END { print sum + size }')
    [ "$(number "$1" "$at" 4)" = "$calculated" ] ||
        fail "$1 has the checksum $(number "$1" "$at" 4), not $calculated"
}

# A section of zeroes only has no place in the file, else a signature cannot be checked; none is both
# written and executed.
sections() {
    local header count at
    header=$(number "$1" 60 4)
    count=$(number "$1" $((header + 6)) 2)
    at=$((header + 24 + $(number "$1" $((header + 20)) 2)))
    for ((; count > 0; count--, at += 40)); do
        if [ "$(number "$1" $((at + 16)) 4)" = 0 ] && [ "$(number "$1" $((at + 20)) 4)" != 0 ]; then
            fail "$1: the section at $at has a place in the file and nothing there"
        fi
        if [ $(($(number "$1" $((at + 36)) 4) & 0xa0000000)) = $((0xa0000000)) ]; then
            fail "$1: the section at $at is written and executed"
        fi
    done
}

# image FILE
image() {
    local headers
    headers=$(LC_ALL=C $objdump -p "$1")
    # Windows demands the first of who wants to hear of processes, the others of every driver that
    # is to run with memory integrity.
    for wanted in FORCE_INTEGRITY NX_COMPAT DYNAMIC_BASE 'NT native' \
        $'MajorOSystemVersion\t10' $'MajorSubsystemVersion\t10'; do
        grep -q "$wanted" <<<"$headers" || fail "$1 is not $wanted"
    done
    # Moved in memory, and unwound through: each has a table.
    for wanted in 'Base Relocation' Exception; do
        grep -qE "^Entry . [0-9a-f]*[1-9a-f][0-9a-f]* [0-9a-f]+ $wanted Directory" <<<"$headers" ||
            fail "$1 has no $wanted directory"
    done
    sections "$1"
    checksum "$1"
}

[ -f "$build/rollcall.sys" ] || {
    echo "skipped: the Windows build is not there: ./dev windows"
    exit 77
}
command -v osslsigncode >/dev/null || {
    echo "skipped: osslsigncode is not installed"
    exit 77
}
cp "$build"/rollcall.{sys,exe,inf} "$work"
"$source_dir/windows/sign-test.sh" "$work"
image "$work/rollcall.sys"
image "$work/signed/rollcall.sys"
verify "$work/rollcall.sys" && fail 'what is not signed passes'
for file in rollcall.sys rollcall.exe; do
    verify "$work/signed/$file" || { cat "$work/said" >&2; fail "the signature of $file"; }
    grep -q 'Message digest algorithm *: SHA256' "$work/said" || fail "$file: no SHA-256"
    grep -qi 'Page hash algorithm *: SHA256' "$work/said" || fail "$file: no hashes of pages"
done

# A byte of the code, of the headers, and of the signature.
size=$(stat -c %s "$work/signed/rollcall.sys")
for at in 1536 78 $((size - 512)); do
    cp "$work/signed/rollcall.sys" "$work/changed.sys"
    byte=$(od -An -tu1 -j "$at" -N 1 "$work/changed.sys")
    printf '%b' "\\x$(printf %x $((byte ^ 1)))" |
        dd of="$work/changed.sys" bs=1 seek="$at" conv=notrunc status=none
    ! verify "$work/changed.sys" || fail "the changed byte at $at goes unnoticed"
done

# The same certificate the second time; the key is for its owner's eyes only.
cp "$work/signing/certificate.pem" "$work/first.pem"
"$source_dir/windows/sign-test.sh" "$work"
cmp -s "$work/first.pem" "$work/signing/certificate.pem" || fail 'another certificate each time'
[ "$(stat -c %a "$work/signing")" = 700 ] || fail 'the key lies open'
echo "signed, $size bytes"
