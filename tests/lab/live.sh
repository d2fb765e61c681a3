#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The designs with real processes: rollcall loses none, and every run's accounts agree.
# usage: live.sh LIVE DESIGN...
set -euo pipefail
export LC_ALL=C
live=$1
shift
[ "$(id -u)" = 0 ] || { echo 'skipped: this needs root' && exit 77; }
for design in "$@"; do
    "$live" --quick "$design" | tee /dev/stderr | awk -F'\t' -v d="$design" '
        NR == 1 { next }
        { runs++; if ($4 == 0) bad = 1 }
        d ~ /^commit-and-fetch$/ && ($7 != 0 || $5 != $4) { bad = 1 }
        END { exit bad || runs < 5 }'
done
