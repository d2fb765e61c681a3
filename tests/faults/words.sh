#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docs/faults.md has the words of the log that the tests wait for, and a line for each test.
set -euo pipefail
cd "$(dirname "$0")"
page=../../docs/faults.md

# The texts given to fault_says(), with what the compiler does to them, and those that have a name.
texts() {
    tr -d '\n' <"$1" | sed 's/" *"//g' |
        grep -oE '(fault_says\(rig, *|static const char [a-z_]+\[\] = *)"[^"]*"' | sed 's/^[^"]*"//; s/"$//'
}

failed=0
for test in test_*.c; do
    name=${test#test_}
    name=${name%.c}
    grep -qF "\`faults.$name\`" "$page" || { echo "FAILED: $page has no line for $name"; failed=1; }
    while IFS= read -r text; do
        grep -qF -- "$text" "$page" || { echo "FAILED: $page does not have '$text' of $test"; failed=1; }
    done < <(texts "$test")
done
exit "$failed"
