#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The designs in the driver: every run's accounts agree (else it fails), and what must come of a
# situation, however fast the machine is, does. What depends on that is not looked at.
# usage: lab_verdicts.sh
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Of each design, per situation: the verdict, '-' any.
expected='
                  lone     burst    overload stopped  killed   while-x-is-away
commit-and-fetch  complete complete complete complete complete complete
event-list        complete complete complete complete -        complete
overlapped        -        -        -        loses    loses    complete
signal-and-drain  -        -        -        -        -        hangs
'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for design in commit-and-fetch event-list overlapped signal-and-drain; do
    status=0
    tests/wine/lab.sh --quick "$design" >"$work/one" || status=$?
    [ "$status" = 0 ] || exit "$status"
    tee -a "$work/all" <"$work/one"
done
awk -F'\t' -v expected="$expected" '
    BEGIN {
        rows = split(expected, row, "\n")
        situations = split(row[2], situation, " ")
        for (r = 3; r < rows; r++) {
            split(row[r], word, " ")
            for (s = 1; s <= situations; s++) verdict[word[1], situation[s]] = word[s + 1]
            runs += situations
        }
    }
    $1 == "design" { next }
    { seen++; want = verdict[$1, $2] }
    want == "" || want != "-" && $3 != want { print "lab: " $1 ", " $2 ": " $3 ", not " want; bad = 1 }
    $4 == 0 || $4 != $5 + $7 { print "lab: " $1 ", " $2 ": offered " $4; bad = 1 }
    $3 == "hangs" && $2 == "while-x-is-away" && $11 != $4 - 1 { print "lab: " $11 " wait"; bad = 1 }
    END {
        if (seen != runs) print "lab: " seen " runs, not " runs
        exit bad || seen != runs
    }' "$work/all" >&2
