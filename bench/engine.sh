#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures what the engine costs: a post, and a fetch.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'EOF'
usage: bench/engine.sh [--quick] [--out DIR]

  --quick    few and short rounds: to see that it works, not for numbers
  --out DIR  for the numbers and the tables (default build/bench)

A run that is not quick, on an idle machine, also writes docs/benchmarks-engine.md.
EOF
}

# shellcheck source=bench/common.sh
. bench/common.sh

take_options "$@"

program=${ROLLCALL_BUILD:-build/release}/bench/bin/engine
[ -x "$program" ] || die "there is no $program; build first: ./dev build"
mkdir -p "$out"
memory=$(mktemp -d /dev/shm/rollcall-bench.XXXXXX)
trap 'rm -rf "$memory"' EXIT
trap 'exit 130' INT TERM HUP

measure() {
    if [ -n "$quick" ]; then
        set -- --rounds 2 --events 100000
    else
        set -- --rounds 15 --events 2000000
    fi
    printf 'what\tnumber\tsize\tns\tallocations\n' >"$out/engine.tsv"
    "$program" "$@" >>"$out/engine.tsv"
}

# What is measured, in this order: the key of its numbers, and what it is.
rows=(
    'post|1|128' 'post, 128 bytes; 1 event waits'
    'post|1000|128' 'post, 128 bytes; 1,000 events wait'
    'post|1000000|128' 'post, 128 bytes; 1,000,000 events wait'
    'post|1000|384' 'post, 384 bytes; 1,000 events wait'
    'post-to-waiting|1|128' 'post, 128 bytes; a request waits'
    'post-to-waiting|1|384' 'post, 384 bytes; a request waits'
    'fetch|1|128' 'fetch, 128 bytes; 1 event a request'
    'fetch|16|128' 'fetch, 128 bytes; 16 events a request'
    'fetch|256|128' 'fetch, 128 bytes; 256 events a request'
)

table_engine() {
    local i key
    echo '| | ns per event | million events per second | allocations per 1000 events |'
    echo '| --- | ---: | ---: | ---: |'
    for ((i = 0; i < ${#rows[@]}; i += 2)); do
        key=${rows[i]}
        printf '| %s | %s | %s | %s |\n' "${rows[i + 1]}" \
            "$(figure "$memory/ns" "$key" %.1f 1 4 3 6)" \
            "$(awk -F'\t' -v key="$key" '$1 == key { printf "%.1f", 1000 / $4 }' "$memory/ns")" \
            "$(figure "$memory/allocations" "$key" %.3f 0.001 4)"
    done
}

table_goals() {
    local i key
    echo '| goal | limit | measured | reached |'
    echo '| --- | --- | --- | --- |'
    for ((i = 0; i < ${#rows[@]}; i += 2)); do
        key=${rows[i]}
        [[ $key = post*128 ]] || continue
        goal "5 million a second: ${rows[i + 1]}, ns" "$(raw "$memory/ns" "$key" 4)" 'at most' 200
    done
    goal 'flat: a post while 1,000,000 events wait, ns: 1.5 times one while 1 event does' \
        "$(raw "$memory/ns" 'post|1000000|128' 4)" 'at most' "$(raw "$memory/ns" 'post|1|128' 4 1.5)"
}

report() {
    group "$out/engine.tsv" 4 1 2 3 >"$memory/ns"
    group "$out/engine.tsv" 5 1 2 3 >"$memory/allocations"
    table_engine >"$memory/engine.md"
    table_goals >"$memory/goals.md"
    {
        measured "$started" "$(commit)" "$busy"
        machine gcc
    } >"$memory/machine.md"
    fill_template bench/benchmarks-engine.md.in >"$out/benchmarks-engine.md"
    cat "$out/benchmarks-engine.md"
    say "numbers and tables are in $out"
}

busy=$(busy_percent)
[ "$busy" -lt 10 ] || say "warning: this machine is not idle ($busy % busy): the numbers will be wrong"
started=$(date -u +%Y-%m-%d)
measure
report
if [ -z "$quick" ] && [ "$busy" -lt 10 ]; then
    cp "$out/benchmarks-engine.md" docs/benchmarks-engine.md
    say 'docs/benchmarks-engine.md is written'
elif [ -z "$quick" ]; then
    say 'docs/benchmarks-engine.md is left as it is, for the machine was not idle'
fi
