#!/bin/sh
# SPDX-License-Identifier: MIT
# suite.sh BIN LIST: runs programs of BIN, and writes a line about each: `matrix`, its name, what
# came of it, its seconds, and the last line that it wrote. LIST has lines of a name, a part (see
# tests/kernel/part.h) and a limit in seconds. Between them are tabs. With $only, names with commas
# between them, it runs only these. It runs in a guest, where busybox is all there is, and on the
# machine itself.
set -u

bin=$1
tab=$(printf '\t')
log=$(mktemp)

run() {
    case $1 in
    doctor) "$bin/rollcall" doctor ;;
    *) ROLLCALL_TEST_PART=$2 timeout -s KILL "$3" "$bin/test_$1" ;;
    esac
}

while IFS=$tab read -r name part limit; do
    case ,${only:-$name}, in
    *,"$name",*) ;;
    *) continue ;;
    esac
    began=$(date +%s)
    run "$name" "$part" "$limit" </dev/null >"$log" 2>&1
    status=$?
    took=$(($(date +%s) - began))
    case $status in
    0) verdict=passed ;;
    77) verdict=skipped ;;
    137) verdict='timed out' ;;
    *) verdict=failed ;;
    esac
    if [ "$name" = doctor ] || [ "$status" -ne 0 ]; then
        tail -n 40 "$log" | sed 's/^/    /'
    fi
    printf 'matrix\t%s\t%s\t%s\t%s\n' "$name" "$verdict" "$took" "$(tail -n 1 "$log")"
done <"$2"
rm -f "$log"
