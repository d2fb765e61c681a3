#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# failures.sh BUILD: what the tests that failed in the last run of ctest have written, each one's last lines.
set -euo pipefail

log=$1/Testing/Temporary
lines=60
[ -f "$log/LastTestsFailed.log" ] || exit 0
while IFS=: read -r _ name; do
    printf '\n==== %s\n' "$name"
    awk -v name="$name" '
        $2 == "Testing:" { inside = $3 == name }
        inside && /^Output:$/ { said = 1; getline; next }
        inside && /^<end of output>$/ { said = 0 }
        inside && said { print }' "$log/LastTest.log" | tail -n "$lines"
done <"$log/LastTestsFailed.log"
