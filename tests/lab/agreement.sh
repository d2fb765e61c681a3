#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The designs do in the lab what their models say (lab/agreement.tsv), and rollcall loses nothing in any
# schedule. usage: agreement.sh LAB
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
lab=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

complain() {
    printf 'agreement: %s\n' "$*" >&2
    wrong=1
}

"$lab" >"$work/virtual.tsv"

# verdict DESIGN SCHEDULE
verdict() {
    awk -F'\t' -v d="$1" -v s="$2" '$1 == d && $2 == s { print $3 }' "$work/virtual.tsv"
}

while IFS=$'\t' read -r model design schedule expected; do
    case $model in '#'* | '') continue ;; esac
    found=$(verdict "$design" "$schedule")
    [ "$found" = "$expected" ] ||
        complain "$design in $schedule: '$found', but it must be '$expected'"
    says=$(awk -F'\t' -v m="$model" '$1 == m { print $4 }' models/models.tsv)
    case $says/$expected in
    holds/complete | fails/loses | fails/hangs) ;;
    *) complain "the model '$model' says '$says', the lab shows '$expected'" ;;
    esac
    printf '%s\n' "$model" >>"$work/models"
done <lab/agreement.tsv

# Every model of a design has its run; what breaks a correct one is in models only.
while IFS=$'\t' read -r model file _; do
    case $file in queues.pml | signal_and_drain.pml) ;; *) continue ;; esac
    case $model in signal-and-drain-look-outside | commit-and-fetch-?*) continue ;; esac
    grep -qxF "$model" "$work/models" || complain "lab/agreement.tsv has no run for the model '$model'"
done <models/models.tsv

[ "$(awk -F'\t' '$1 == "commit-and-fetch"' "$work/virtual.tsv" | wc -l)" -ge 14 ] ||
    complain "commit-and-fetch was not run through all schedules"
awk -F'\t' '$1 == "commit-and-fetch" && ($3 != "complete" || $5 != $4 || $7 != 0) {
    print "agreement: commit-and-fetch in " $2 ": " $3 >"/dev/stderr"; bad = 1 }
    END { exit bad }' "$work/virtual.tsv" || wrong=1
# What it lost with the smallest budget it has told.
awk -F'\t' '$1 == "commit-and-fetch-64k" && ($3 != "complete" && $3 != "tells" || $7 != $9) {
    print "agreement: commit-and-fetch-64k in " $2 ": " $3 >"/dev/stderr"; bad = 1 }
    $1 == "commit-and-fetch-64k" && $3 == "tells" { told = 1 }
    END { exit bad || !told }' "$work/virtual.tsv" || complain 'commit-and-fetch-64k never had to tell, or did not'

# One queue of N+M is two queues of N and M, while the service lives.
for schedule in two-at-once sixteen-at-once seventeen-at-once sixty-four-at-once sixty-five-at-once; do
    one=$(awk -F'\t' -v s="$schedule" '$1 == "one-queue" && $2 == s { print $7 }' "$work/virtual.tsv")
    two=$(awk -F'\t' -v s="$schedule" '$1 == "two-queues" && $2 == s { print $7 }' "$work/virtual.tsv")
    if [ -z "$one" ] || [ "$one" != "$two" ]; then
        complain "$schedule: one queue loses $one, two lose $two"
    fi
done
exit "$wrong"
