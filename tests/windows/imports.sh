#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rollcall.sys as an image: what it imports is what windows/driver/imports.txt says, its header and
# sections are those of a driver that Windows takes, and it is the one that is tested under Wine.
set -euo pipefail
source_dir=$1
build=$source_dir/build/windows
image=$build/rollcall.sys
objdump=x86_64-w64-mingw32-objdump

fail() {
    printf 'imports: %s\n' "$*" >&2
    exit 1
}

if [ ! -f "$image" ] || ! command -v "$objdump" >/dev/null; then
    echo 'skipped: the Windows build is not there: ./dev windows'
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$objdump" -p "$image" >"$work/headers"

# Lines "library function", sorted.
awk '/DLL Name:/ { library = $3 } /^\t[0-9a-f]+\t *[0-9]+ / { print library, $3 }' \
    "$work/headers" | sort >"$work/imported"
[ -s "$work/imported" ] || fail 'no imports are found: has objdump another format?'
grep -v '^[#?]' "$source_dir/windows/driver/imports.txt" | sort >"$work/listed"
diff "$work/listed" "$work/imported" >&2 || fail 'the imports are not those of imports.txt (<)'

# FORCE_INTEGRITY 0x80, without which there are no notifications; NX_COMPAT 0x100; DYNAMIC_BASE 0x40.
characteristics=$(awk '$1 == "DllCharacteristics" { print $2 }' "$work/headers")
for bit in 0x80 0x100 0x40; do
    ((0x$characteristics & bit)) || fail "DllCharacteristics $characteristics lack $bit"
done
grep -q '^Subsystem.*(NT native)$' "$work/headers" || fail 'the subsystem is not native'

# What is written to is not executed.
"$objdump" -h "$image" | awk '
    $1 ~ /^[0-9]+$/ { name = $2; next }
    /CODE/ && !/READONLY/ { print name; found = 1 }
    END { exit found }' >"$work/writable" || fail "writable code: $(cat "$work/writable")"

# What is listed with '?' is looked up, and nothing else is.
strings -el "$image" | grep -xE '(Ps|Se|Io|Ke|Ex|Mm|Zw|Rtl)[A-Z][A-Za-z0-9]+' | sort -u \
    >"$work/looked_up" || true
sed -n 's/^? //p' "$source_dir/windows/driver/imports.txt" | sort >"$work/optional"
diff "$work/optional" "$work/looked_up" >&2 ||
    fail "what is looked up is not what imports.txt lists with '?' (<)"

# run.sh puts it there.
[ ! -f "$build/tests/rollcall.sys" ] || cmp "$image" "$build/tests/rollcall.sys" ||
    fail 'another driver is tested'
echo "$(wc -l <"$work/imported") imports"
