#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where test_named_bugs.c says that another test shows it, that file has that function.
set -euo pipefail
cd "$1/tests/wine"

count=0
while read -r file function; do
    grep -qE "^static void $function\(" "$file" || {
        printf 'named_bugs: %s has no test %s\n' "$file" "$function" >&2
        exit 1
    }
    count=$((count + 1))
done < <(sed -nE 's/.*SHOWN_IN\("([a-z_.]+)", "([a-z_]+)"\).*/\1 \2/p' test_named_bugs.c)
[ "$count" -gt 0 ]
echo "$count functions of other tests"
