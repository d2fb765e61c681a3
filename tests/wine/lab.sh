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
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -f "$build/tests/prefix/system.reg" ] || tests/wine/run.sh "$build" >&2

# lab ARG...: its lines of a table; what is none went wrong.
lab() {
    local status=0
    tests/wine/run.sh "$build" ../lab/rollcall-lab.exe "$@" >"$work/lines" 2>"$work/errors" ||
        status=$?
    cat "$work/errors" >&2
    tr -d '\r' <"$work/lines" | grep $'\t' || true
    tr -d '\r' <"$work/lines" | grep -v $'\t' >&2 || true
    return "$status"
}

# One Wine for each design, and another one when a driver's process has hung at its end (README.md) for so
# long that the next one does not start.
one() {
    local tries status
    for tries in 1 2 3; do
        status=0
        lab "$@" >"$work/one" || status=$?
        grep -q 'driver does not start: 1053' "$work/errors" "$work/lines" || break
        echo "lab.sh: with a new Wine, once more (after $tries): $*" >&2
        tests/wine/run.sh "$build" --end
    done
    cat "$work/one"
    return "$status"
}

names=0
for argument in "$@"; do
    case $argument in
    --list | --help | -h) lab "$@" && exit || exit ;;
    -*) ;;
    *) names=$((names + 1)) ;;
    esac
done
if [ "$names" != 0 ]; then
    one "$@"
    exit
fi
head=1
lab --list | awk -F'\t' '$1 == "design" { print $2 }' >"$work/designs"
while IFS= read -r design; do
    one "$@" "$design" </dev/null >"$work/table"
    tail -n "+$head" "$work/table"
    head=2
    tests/wine/run.sh "$build" --end
done <"$work/designs"
