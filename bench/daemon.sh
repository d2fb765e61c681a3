#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures what rollcalld costs: how late an event is at a consumer of it, what the daemon takes of the
# processor for each event and each further consumer, and its memory.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'EOF'
usage: bench/daemon.sh [--quick] [--out DIR]

  --quick    few and short rounds: to see that it works, not for numbers
  --out DIR  for the numbers and the tables (default build/bench)

A run that is not quick, on an idle machine, also writes docs/benchmarks-daemon.md.
EOF
}

# shellcheck source=bench/common.sh
. bench/common.sh

take_options "$@"

if [ -n "$quick" ]; then
    rounds=2 samples=50 burst=1000 seconds=2
else
    rounds=5 samples=250 burst=20000 seconds=20
fi
declare -A titles=([rollcall]="from the kernel (--direct)" [daemon]="from the daemon")
more=20          # consumers, beside one
many=100         # consumers, for the memory
written_rate=10000 # processes a second, as if they were made
latency_us=10000 # of the consumers: rollcall watch has it
limit_s=60       # for all that is waited for

bin=${ROLLCALL_BUILD:-build/release}
bin=$(cd "$bin" 2>/dev/null && pwd) || die "build first: ./dev build"
[ -x "$bin/bench/bin/consumers" ] || die "there is no $bin/bench/bin/consumers; build first: ./dev build"
[ "$(id -u)" = 0 ] || die "this needs root"

mkdir -p "$out"
out=$(cd "$out" && pwd)
memory=$(mktemp -d /dev/shm/rollcall-bench.XXXXXX)
disk=$(mktemp -d "$out/work.XXXXXX")
name=bench-daemon-$$
socket=$disk/socket
daemon=
consumers=()

stop_consumers() {
    local pid
    for pid in "${consumers[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    consumers=()
}

stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" || true
    daemon=
    "$bin/bin/rollcall" detach --direct "$name" >/dev/null
    rm -f "$disk"/journal*
}

cleanup() {
    stop_consumers
    stop_daemon || true
    rm -rf "$memory" "$disk"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# wait_for WHAT COMMAND...
wait_for() {
    local deadline=$((SECONDS + limit_s))
    until "${@:2}" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || die "$1 takes too long"
        sleep 0.05
    done
}

start_daemon() {
    "$bin/bin/rollcalld" --socket "$socket" --journal "$disk/journal" --name "$name" &
    daemon=$!
    wait_for "the daemon's start" "$bin/bin/rollcall" stats --daemon="$socket"
}

# start_consumers COUNT [idle]
start_consumers() {
    "$bin/bench/bin/consumers" "$socket" "$latency_us" "$@" >"$memory/ready" &
    consumers+=($!)
    wait_for "the start of consumers" grep -q ready "$memory/ready"
    : >"$memory/ready"
}

# What all threads of the daemon have used of the processors, in nanoseconds.
used_ns() {
    cat "/proc/$daemon/task"/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

resident_kib() {
    awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"
}

# What the daemon has taken but not given yet is part of the cost.
settle() {
    sleep 1
}

measure_latency() {
    local round kind when options
    printf 'kind\twhen\tns\n' >"$out/daemon-latency.tsv"
    start_daemon
    for ((round = 1; round <= rounds * 4; round++)); do
        say "latency: round $round of $((rounds * 4))"
        for kind in rollcall daemon; do
            for when in idle burst; do
                options=(--samples "$samples" --socket "$socket")
                [ "$when" = idle ] || options+=(--burst)
                "$bin/bench/bin/latency" "${options[@]}" "$kind" |
                    sed "s/^/$kind\t$when\t/" >>"$out/daemon-latency.tsv"
            done
        done
    done
    stop_daemon
}

# Prints how many processes were made, and how many per second.
made() {
    "$bin/bench/bin/load" --program "$bin/bin/load-child" --count "$burst" --pids "$memory/pids" |
        sed "s/^/$burst\t/"
}

written() {
    "$bin/bench/bin/pace" "$name" "$written_rate" "$((seconds / 2))"
}

# cost_of NAME: nanoseconds for each event, with the consumers that there are.
cost_of() {
    local before load
    for load in made written; do
        settle
        before=$(used_ns)
        $load >"$memory/rate"
        settle
        awk -v load="$load" -v consumers="$1" -v used=$(($(used_ns) - before)) -v OFS='\t' \
            '{ printf "%s\t%s\t%.0f\t%.0f\n", load, consumers, used / $1 / 3, $2 }' "$memory/rate" \
            >>"$out/daemon-cost.tsv"
    done
    stop_consumers
}

measure_cost() {
    local round
    printf 'load\tconsumers\tns\trate\n' >"$out/daemon-cost.tsv"
    start_daemon
    for ((round = 1; round <= rounds; round++)); do
        say "cost: round $round of $rounds"
        start_consumers 1
        cost_of one
        start_consumers $((1 + more))
        cost_of more
        start_consumers 1
        start_consumers "$more" idle
        cost_of idle
    done
    stop_daemon
}

# add_rate COMMAND...: what the daemon uses of a processor while it runs, which prints how many processes it made
# and how many per second.
add_rate() {
    local before start used ns made
    settle
    before=$(used_ns)
    start=$(date +%s%N)
    made=$("$@")
    used=$(($(used_ns) - before)) ns=$(($(date +%s%N) - start))
    awk -v made="$made" -v used="$used" -v ns="$ns" 'BEGIN {
        split(made, of, "\t")
        printf "%s\t%.2f\t%.1f\n", of[2], 100 * used / ns, used / 1000 / of[1] }' \
        >>"$out/daemon-rates.tsv"
}

# real_processes RATE
real_processes() {
    local count=$(($1 * seconds)) start
    start=$(date +%s%N)
    "$bin/bin/rollcall-load" --workers 2 --mix vfork --program "$bin/bin/load-child" --rate "$1" \
        --count "$count" --out "$memory/truth" >/dev/null
    printf '%s\t%s\n' "$count" $((count * 1000000000 / ($(date +%s%N) - start)))
}

# What a machine cannot make is written into the ring.
measure_rates() {
    local rate
    printf 'rate\tpercent\tus\n' >"$out/daemon-rates.tsv"
    for rate in 100 1000 "$written_rate"; do
        say "processor: $rate processes a second"
        start_daemon
        start_consumers 1
        if [ "$rate" -lt "$written_rate" ]; then
            add_rate real_processes "$rate"
        else
            add_rate "$bin/bench/bin/pace" "$name" "$rate" "$seconds"
        fi
        stop_consumers
        stop_daemon
    done
}

# The same events each time, so that what the daemon keeps is the same.
measure_memory() {
    local count
    printf 'consumers\tkib\n' >"$out/daemon-memory.tsv"
    for count in 1 "$many"; do
        say "memory: $count consumers"
        start_daemon
        start_consumers "$count"
        "$bin/bench/bin/load" --program "$bin/bin/load-child" --count "$burst" \
            --pids "$memory/pids" >/dev/null
        settle
        printf '%s\t%s\n' "$count" "$(resident_kib)" >>"$out/daemon-memory.tsv"
        stop_consumers
        stop_daemon
    done
}

# ---- the report ----

cell() { # FILE ROW COLUMN
    awk -F'\t' -v row="$2" -v column="$3" '$1 == row { print $column }' "$1"
}

# further LOAD KIND: microseconds of each further consumer for each event.
further() {
    awk -F'\t' -v load="$1" -v kind="$2" -v more="$more" '
        $1 == load "|one" { one = $4 } $1 == load "|" kind { all = $4 }
        END { printf "%.3f", (all - one) / more / 1000 }' "$memory/cost"
}

table_latency() {
    local kind when
    echo '| | idle: median | p99 | in a burst: median | p99 |'
    echo '| --- | ---: | ---: | ---: | ---: |'
    for kind in rollcall daemon; do
        printf '| %s' "${titles[$kind]}"
        for when in idle burst; do
            printf ' | %s | %s' "$(figure "$memory/latency" "$kind|$when" %.1f 1000 4)" \
                "$(figure "$memory/latency" "$kind|$when" %.1f 1000 5)"
        done
        echo ' |'
    done
}

row_cost() { # TITLE KIND
    local load
    printf '| %s' "$1"
    for load in made written; do
        printf ' | %s | %s' "$(figure "$memory/cost" "$load|$2" %.0f 1 4 3 6)" \
            "$([ "$2" = one ] || further $load "$2")"
    done
    echo ' |'
}

table_cost() {
    local load
    printf '| consumers'
    for load in made written; do
        printf ' | %s processes a second: daemon, ns for each event | for each further consumer, us' \
            "$(figure "$memory/paces" $load %.0f 1 4)"
    done
    printf ' |\n| --- | ---: | ---: | ---: | ---: |\n'
    row_cost one one
    row_cost "$((1 + more)) that take all" more
    row_cost "one, and $more that ask for nothing" idle
}

table_rates() {
    echo '| processes per second | of one processor | microseconds for each process |'
    echo '| ---: | ---: | ---: |'
    awk -F'\t' 'NR > 1 { printf "| %s | %s %% | %s |\n", $1, $2, $3 }' "$out/daemon-rates.tsv"
}

table_goals() {
    local memory_one
    memory_one=$(cell "$out/daemon-memory.tsv" 1 2)
    echo '| goal | limit | measured | reached |'
    echo '| --- | --- | --- | --- |'
    goal 'latency, idle, median, us: twice that of --direct' \
        "$(raw "$memory/latency" 'daemon|idle' 4 0.001)" 'at most' \
        "$(raw "$memory/latency" 'rollcall|idle' 4 0.002)"
    goal 'a further consumer that takes all, at 10,000 processes a second, us for each event' "$(further written more)" 'at most' 0.2
    goal 'a further consumer that asks for nothing, the same' "$(further written idle)" 'at most' 0.2
    goal "memory, $many consumers, KiB: 1.1 times that with one" \
        "$(cell "$out/daemon-memory.tsv" "$many" 2)" 'at most' $((memory_one * 11 / 10))
    goal 'at 10,000 processes a second, % of a processor' \
        "$(tail -n 1 "$out/daemon-rates.tsv" | cut -f 2)" 'at most' 50
}

report() {
    group "$out/daemon-latency.tsv" 3 1 2 >"$memory/latency"
    group "$out/daemon-cost.tsv" 3 1 2 >"$memory/cost"
    group "$out/daemon-cost.tsv" 4 1 >"$memory/paces"
    table_latency >"$memory/latency.md"
    table_cost >"$memory/cost.md"
    table_rates >"$memory/rates.md"
    table_goals >"$memory/goals.md"
    {
        measured "$started" "$(commit)" "$busy"
        machine libsqlite3-0
    } >"$memory/machine.md"
    fill_template bench/benchmarks-daemon.md.in >"$out/benchmarks-daemon.md"
    cat "$out/benchmarks-daemon.md"
    say "numbers and tables are in $out"
}

busy=$(busy_percent)
[ "$busy" -lt 10 ] || say "warning: this machine is not idle ($busy % busy): the numbers will be wrong"
started=$(date -u +%Y-%m-%d)
measure_latency
measure_cost
measure_rates
measure_memory
report
if [ -z "$quick" ] && [ "$busy" -lt 10 ]; then
    cp "$out/benchmarks-daemon.md" docs/benchmarks-daemon.md
    say 'docs/benchmarks-daemon.md is written'
elif [ -z "$quick" ]; then
    say 'docs/benchmarks-daemon.md is left as it is, for the machine was not idle'
fi
