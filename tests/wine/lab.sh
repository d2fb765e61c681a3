#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The designs in the Windows driver, under the Wine of the Windows build: prints the table, and
# nothing else, to stdout. usage: lab.sh [--quick] [--list] [DESIGN [SITUATION]]
# Status 77: there is no Wine, or no such build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$PWD/build/windows
if [ ! -f "$build/lab/rollcall-lab.exe" ]; then
    echo 'skipped: the Windows build is not there: ./dev windows' >&2
    exit 77
fi
[ -f "$build/tests/prefix/system.reg" ] || tests/wine/run.sh "$build" >&2
# What is no line of a table is what went wrong.
tests/wine/run.sh "$build" ../lab/rollcall-lab.exe "$@" | while IFS= read -r line; do
    line=${line%$'\r'}
    case $line in
    *$'\t'*) printf '%s\n' "$line" ;;
    *) printf '%s\n' "$line" >&2 ;;
    esac
done
