#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures what rollcall costs, how late it is, how much it takes and what it loses, beside what
# else Debian ships for the purpose. All that is compared is measured in turn in one run, as
# a machine is never the same an hour later.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'EOF'
usage: bench/run.sh [--quick] [--out DIR] [PART...]

  --quick    few and short rounds: to see that it works, not for numbers
  --out DIR  for the numbers, the tables and the plots (default build/bench)

PART is one of cost, latency, throughput, loss; without any, all are measured. When each part has been
measured into DIR on an idle machine, not quick, docs/benchmarks.md and its plots are written.
EOF
}

# shellcheck source=bench/common.sh
. bench/common.sh

quick=
out=build/bench
parts=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --out)
        [ $# -ge 2 ] || { usage >&2 && exit 2; }
        out=$2
        shift
        ;;
    cost | latency | throughput | loss) parts+=("$1") ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(cost latency throughput loss)

if [ -n "$quick" ]; then
    rounds=2 cost_rounds=2 seconds=0.5 latency_rounds=2 samples=50 burst_samples=500
    events=100000 real_events=6000 burst=3000
else
    rounds=5 cost_rounds=9 seconds=1 latency_rounds=25 samples=250 burst_samples=400
    events=500000 real_events=60000 burst=50000
fi
stopped_s=5 # how long a reader is stopped in a burst
limit_s=60  # for all that is waited for

bin=${ROLLCALL_BUILD:-build/release}
bin=$(cd "$bin" 2>/dev/null && pwd) || die "build first: ./dev build"
[ -x "$bin/bin/rollcall" ] || die "there is no $bin/bin/rollcall; build first: ./dev build"
[ "$(id -u)" = 0 ] || die "this needs root"

mkdir -p "$out"
out=$(cd "$out" && pwd)
memory=$(mktemp -d /dev/shm/rollcall-bench.XXXXXX)
disk=$(mktemp -d "$out/work.XXXXXX")
tracefs=

# shellcheck source=bench/tools.sh
. bench/tools.sh
# shellcheck source=bench/report.sh
. bench/report.sh

cleanup() {
    tool_stop || true
    [ -z "$tracefs" ] || umount "$tracefs" || true
    rm -rf "$memory" "$disk"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# Some of the tools need the tracing file system.
mount_tracefs() {
    [ -e /sys/kernel/tracing/events ] && return
    mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null && tracefs=/sys/kernel/tracing
}

declare -A skipped=()

skip() {
    skipped[$1]=$2
    printf '%s\t%s\n' "$1" "$2" >>"$out/skipped.tsv"
    say "skipped: ${titles[$1]}: $2"
}

find_obstacles() {
    local name reason
    for name in "${tools[@]}"; do
        reason=$(tool_obstacle "$name" | head -1)
        [ -z "$reason" ] || skip "$name" "$reason"
    done
}

# Waits until the tool tells of processes that are made for it to see, and then until it is quiet.
wait_ready() {
    local probes=$memory/probes deadline=$((SECONDS + limit_s)) i
    if [ "$tool" = nothing ]; then
        sleep 0.5
        return
    fi
    : >"$probes"
    # Not grep -q, which would end before all is written to it.
    until tool_events | grep -xFf "$probes" >/dev/null; do
        if ! kill -0 "$tool_pid" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
            return 1
        fi
        for ((i = 0; i < 20; i++)); do
            /bin/true &
            echo "exec $!" >>"$probes"
            wait $!
        done
        sleep 0.2
    done
    sleep 0.5
}

# Starts the tool and waits until it works. If it does not, it is skipped from now on.
start() {
    tool_start "$1"
    wait_ready && return
    skip "$1" "does not work here: $(grep -v '^ERROR: Unknown error' "$tool_dir/err" | head -1)"
    tool_stop
    return 1
}

# The rates of both loads, in the order of $loads.
loads=(fork+exit fork+exec+exit)
rates() {
    "$bin/bench/bin/load" --seconds "$seconds"
    "$bin/bench/bin/load" --exec --seconds "$seconds"
}

rates_without() {
    tool_start nothing
    wait_ready
    rates
}

# Each tool between two measurements without any: a machine changes within seconds, so what a
# tool is compared with is the mean of its two neighbours.
measure_cost() {
    local round i k name earlier during later
    printf 'round\ttool\tload\trate\twithout\n' >"$out/cost.tsv"
    for ((round = 1; round <= cost_rounds; round++)); do
        say "cost: round $round of $cost_rounds"
        mapfile -t earlier < <(rates_without)
        for ((i = 0; i < ${#tools[@]}; i++)); do
            # Nobody is always the first after the same one.
            name=${tools[(i + round) % ${#tools[@]}]}
            if [ "$name" = nothing ] || [ -n "${skipped[$name]:-}" ]; then
                continue
            fi
            start "$name" || continue
            mapfile -t during < <(rates)
            tool_stop
            mapfile -t later < <(rates_without)
            for k in 0 1; do
                printf '%d\tnothing\t%s\t%s\t%s\n' "$round" "${loads[k]}" "${later[k]}" "${later[k]}"
                printf '%d\t%s\t%s\t%s\t%s\n' "$round" "$name" "${loads[k]}" "${during[k]}" \
                    "$(awk "BEGIN { print (${earlier[k]} + ${later[k]}) / 2 }")"
            done >>"$out/cost.tsv"
            earlier=("${later[@]}")
        done
    done
}

# latency_of ROUND KIND WHEN OPTION...
latency_of() {
    local prefix="$1\t$2\t$3\t"
    "$bin/bench/bin/latency" "${@:4}" "$2" | sed "s/^/$prefix/" >>"$out/latency.tsv"
}

# In many short rounds: what disturbs a machine comes in phases, and must hit all alike.
measure_latency() {
    local round kind
    printf 'round\tkind\twhen\tns\n' >"$out/latency.tsv"
    for ((round = 1; round <= latency_rounds; round++)); do
        say "latency: round $round of $latency_rounds"
        for kind in eventfd bare rollcall spin; do
            latency_of "$round" "$kind" idle --samples "$samples"
            [ "$kind" = eventfd ] ||
                latency_of "$round" "$kind" burst --burst --samples "$burst_samples"
        done
    done
}

# throughput_of EVENTS SINK OPTION...
throughput_of() {
    say "throughput: $1 events, $2"
    "$bin/bench/bin/throughput" "${@:3}" | sed "s/^/$1\t$2\t/" >>"$out/throughput.tsv"
    rm -rf "$disk/journal"*
}

measure_throughput() {
    local few=$((rounds < 3 ? rounds : 3))
    printf 'events\tsink\trate\n' >"$out/throughput.tsv"
    throughput_of plain consumer --rounds "$rounds" --events "$events"
    throughput_of real consumer --real --rounds "$few" --events "$real_events"
    throughput_of plain journal --rounds "$few" --events "$events" --journal "$disk/journal"
    throughput_of real journal --real --rounds "$few" --events "$real_events" \
        --journal "$disk/journal"
}

# missing KIND: how many of the processes in $memory/pids the tool has not told of. Pids come
# again, so each counts as often as it was made.
missing() {
    awk -v kind="$1" '
        NR == FNR { made[$1]++; next }
        $1 == kind { told[$2]++ }
        END {
            for (pid in made)
                if (made[pid] > told[pid])
                    missing += made[pid] - told[pid]
            print missing + 0
        }' "$memory/pids" "$memory/events"
}

told_all() {
    local kind
    tool_events >"$memory/events"
    for kind in $(tool_kinds "$tool"); do
        [ "$(missing "$kind")" = 0 ] || return 1
    done
}

# Waits until the tool has told of all, or has written nothing for two seconds.
wait_told() {
    local before='' now='?' deadline=$((SECONDS + limit_s))
    while [ "$before" != "$now" ] && [ $SECONDS -lt $deadline ] && ! told_all; do
        before=$now
        sleep 2
        now=$(find "$tool_dir" -type f -printf '%p %s %T@\n' | sort)
    done
}

# loss_of TOOL WHEN: normal, or stopped for some time from the beginning of the burst.
loss_of() {
    local kind
    say "loss: ${titles[$1]}, $2"
    start "$1" || return 0
    if [ "$2" = stopped ]; then
        kill -STOP "$tool_pid"
        # The first fork of the burst may wait for a reader that is stopped; this one must not.
        (sleep "$stopped_s" && kill -CONT "$tool_pid") &
    fi
    "$bin/bench/bin/load" --program "$bin/bin/load-child" --count "$burst" --pids "$memory/pids" >/dev/null
    [ "$2" = normal ] || wait $!
    wait_told
    tool_stop
    tool_events >"$memory/events"
    for kind in $(tool_kinds "$1"); do
        printf '%s\t%s\t%s\t%d\t%d\n' "$1" "$2" "$kind" "$burst" "$(missing "$kind")" \
            >>"$out/loss.tsv"
    done
}

measure_loss() {
    local name when
    printf 'tool\twhen\tkind\tmade\tmissing\n' >"$out/loss.tsv"
    for when in normal stopped; do
        for name in "${tools[@]}"; do
            if [ "$name" != nothing ] && [ -z "${skipped[$name]:-}" ]; then
                loss_of "$name" "$when"
            fi
        done
    done
}

# measure PART: beside its numbers is written when, of what, how busy the machine was, and how it went.
measure() {
    local busy
    rm -f "$out/$1.run"
    busy=$(busy_percent)
    [ "$busy" -lt 10 ] ||
        say "warning: this machine is not idle ($busy % busy): the numbers will be wrong"
    "measure_$1"
    printf '%s\t%s\t%s\t%s\n' "$started" "$(commit)" "$busy" "${quick:-0}" >"$out/$1.run"
}

# Why the numbers that are there are not to be published.
obstacle() {
    local part at of busy quick
    for part in cost latency throughput loss; do
        [ -e "$out/$part.run" ] || { echo "$part was not measured" && return; }
        read -r at of busy quick <"$out/$part.run"
        [ "$busy" -lt 10 ] || echo "the machine was not idle ($busy %) for $part of $at, $of"
        [ "$quick" = 0 ] || echo "$part was quick"
    done
}

mount_tracefs || true
printf 'tool\treason\n' >"$out/skipped.tsv"
find_obstacles
started=$(date -u +%Y-%m-%d)
for part in "${parts[@]}"; do
    measure "$part"
done
report
why=$(obstacle)
if [ -z "$why" ]; then
    publish
else
    say "docs/benchmarks.md is left as it is: ${why//$'\n'/; }"
fi
