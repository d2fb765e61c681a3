#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a program gets that is written against the installed library: headers for C and C++,
# pkg-config, shared and static library, and the example of docs/, which runs.
# usage: installed.sh BUILD-DIRECTORY SOURCE-DIRECTORY
set -euo pipefail

build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

cmake --install "$build" --prefix "$work/usr" >/dev/null
library=$(dirname "$(find "$work/usr" -name librollcall.a)")
export PKG_CONFIG_PATH=$library/pkgconfig

# Nothing but the interface is visible.
nm -D --defined-only "$library/librollcall.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
    sort >"$work/exported"
grep -o 'rollcall_[a-z_]*;' "$source/lib/rollcall.map" | tr -d ';' | sort >"$work/mapped"
diff "$work/mapped" "$work/exported" || fail 'the shared library exports something else'
while read -r function; do
    grep -q "$function(" "$work/usr/include/rollcall/rollcall.h" ||
        fail "$function is exported but not in rollcall.h"
done <"$work/mapped"

# The headers stand alone, in C and in C++, and the layout is what C++ sees too.
for header in daemon event protocol rollcall; do
    printf '#include <rollcall/%s.h>\n' "$header" >"$work/header.c"
    for compiler in 'gcc -std=c11' 'clang -std=c11' 'clang -x c++ -std=c++11'; do
        $compiler -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$work/usr/include" \
            "$work/header.c" || fail "$header.h with $compiler"
    done
done

rollcall_flags() { pkg-config --define-variable=prefix="$work/usr" "$@" rollcall; }
read -ra flags <<<"$(rollcall_flags --cflags --libs)"
cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/docs/example.c" "${flags[@]}" \
    -Wl,-rpath,"$library" -o "$work/shared"
read -ra flags <<<"$(rollcall_flags --static --cflags --libs)"
cc -std=c11 "$source/docs/example.c" "${flags[@]/-lrollcall/-l:librollcall.a}" -o "$work/static"

if ! "$work/shared" 5 >"$work/first"; then
    [ "$(id -u)" = 0 ] && fail 'the example does not run'
    echo 'skipped: running the example needs root'
    exit 77
fi
"$work/static" 5 >"$work/second"
"$build/bin/rollcall" detach example
[ "$(wc -l <"$work/first")" = 5 ] || fail 'the example does not show as many events as asked for'
# The second one, another program, goes on where the first one stopped.
cat "$work/first" "$work/second" | awk '$1 != NR { exit 1 }' ||
    fail "the second run does not continue the first: $(cat "$work/first" "$work/second")"
