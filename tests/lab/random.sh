#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Schedules made by chance: rollcall loses nothing in any, what its smallest budget drops it tells, and
# each other design loses or hangs somewhere, so the schedules are hard enough.
# usage: random.sh LAB RUNS
set -euo pipefail
export LC_ALL=C
seed=$(($(date +%s) % 1000000))
printf 'random: --seed %s\n' "$seed"
"$1" --random "$2" --seed "$seed" | tee /dev/stderr | awk -F'\t' '
    NR == 1 { next }
    $1 == "commit-and-fetch" { seen++; if ($7 != 0 || $4 != $5) bad = 1 }
    $1 == "commit-and-fetch-64k" { seen++; if ($7 != $9) bad = 1 }
    $1 !~ /^commit-and-fetch/ && $7 == 0 { bad = 1 }
    END { exit bad || seen != 2 }'
