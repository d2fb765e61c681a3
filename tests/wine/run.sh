#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs one of the Windows build's programs under Wine, with its drivers at hand.
#   run.sh BUILD                  makes the Wine prefix, if it is not there
#   run.sh BUILD PROGRAM ARG...   runs a program of BUILD/tests
#   run.sh BUILD --end            ends Wine
# BUILD: the folder of the Windows build. Status 77: there is no Wine, or no such build.
set -euo pipefail

build=$1
shift
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

wine=$(command -v wine64 || command -v wine || true)
for place in /usr/lib/wine/wine64 /usr/lib/wine/wine; do
    [ -n "$wine" ] || [ ! -x "$place" ] || wine=$place
done
wineserver=$(command -v wineserver || command -v /usr/lib/wine/wineserver64 || true)
if [ -z "$wine" ] || [ -z "$wineserver" ]; then
    skip 'wine is not installed'
fi
[ -f "$build/tests/wdfldr.sys" ] || skip "the Windows build is not there: ./dev windows"

export WINEPREFIX=$build/tests/prefix WINEARCH=win64 WINEDEBUG=${WINEDEBUG--all}
export WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe,winedbg.exe=' DISPLAY=
export ROLLCALL_DRIVERS="Z:${build//\//\\}\\tests"
export ROLLCALL_BUILD="Z:${build//\//\\}"

# The driver under test is the one that is shipped, beside the runtime that it imports.
for driver in "$build"/*.sys; do
    [ ! -f "$driver" ] || cmp -s "$driver" "$build/tests/${driver##*/}" ||
        cp "$driver" "$build/tests/"
done

# Read when Wine's service manager begins: how long it waits for a driver's entry, and before it kills a
# driver's process that has said that it ends.
set_timeout() {
    timeout 60 "$wine" reg add 'HKLM\System\CurrentControlSet\Control' /v "$1" /d "$2" /f >/dev/null 2>&1
}

case ${1:-} in
'')
    [ -f "$WINEPREFIX/system.reg" ] || timeout 240 "$wine" wineboot -i >/dev/null 2>&1
    set_timeout ServicesPipeTimeout 120000
    set_timeout WaitToKillServiceTimeout 10000
    timeout 60 "$wineserver" -w || true
    ;;
--end)
    [ ! -d "$WINEPREFIX" ] || timeout 60 "$wineserver" -k || true
    ;;
*)
    program=$1
    shift
    exec "$wine" "$build/tests/$program" "$@"
    ;;
esac
