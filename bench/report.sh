# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Tables and plots from the numbers in $out. For bench/run.sh.

# What each rate is of that without any tool right before and after, in percent.
cost_ratios() {
    awk -F'\t' -v OFS='\t' '
        NR == 1 { print "tool", "load", "percent"; next }
        $5 > 0 { print $2, $3, 100 * $4 / $5 }' "$out/cost.tsv"
}

table_cost() {
    local name load
    group "$out/cost.tsv" 4 2 3 >"$memory/rates"
    cost_ratios >"$out/cost_percent.tsv"
    group "$out/cost_percent.tsv" 3 1 2 >"$memory/percents"
    echo '| running meanwhile | fork+exit, per second | % of nothing | fork+exec+exit, per second | % of nothing |'
    echo '| --- | ---: | ---: | ---: | ---: |'
    for name in "${tools[@]}"; do
        if [ -n "${skipped[$name]:-}" ]; then
            echo "| ${titles[$name]} | skipped | | | |"
            continue
        fi
        printf '| %s' "${titles[$name]}"
        for load in fork+exit fork+exec+exit; do
            printf ' | %s | %s' "$(figure "$memory/rates" "$name|$load" %.0f 1 4 3 6)" \
                "$(figure "$memory/percents" "$name|$load" %.1f 1 4 3 6)"
        done
        echo ' |'
    done
}

declare -A kinds=(
    [eventfd]='eventfd wake-up'
    [bare]='bare BPF ring'
    [rollcall]='rollcall'
    [spin]='rollcall, ROLLCALL_SPIN'
)

table_latency() {
    local kind when column
    group "$out/latency.tsv" 4 2 3 >"$memory/latencies"
    echo '| | idle: median | 99 % | max | burst: median | 99 % | max |'
    echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: |'
    for kind in eventfd bare rollcall spin; do
        printf '| %s' "${kinds[$kind]}"
        for when in idle burst; do
            for column in 4 5 6; do
                printf ' | %s' "$(figure "$memory/latencies" "$kind|$when" %.1f 1000 "$column")"
            done
        done
        echo ' |'
    done
}

table_throughput() {
    local of to
    group "$out/throughput.tsv" 3 1 2 >"$memory/throughputs"
    echo '| | events per second |'
    echo '| --- | ---: |'
    for to in consumer journal; do
        for of in plain real; do
            printf '| %s events, ring to %s | %s |\n' "$of" "$to" \
                "$(figure "$memory/throughputs" "$of|$to" %.0f 1 4 3 6)"
        done
    done
}

loss() {
    awk -F'\t' -v tool="$1" -v when="$2" -v kind="$3" '
        $1 == tool && $2 == when && $3 == kind { print $5; found = 1 }
        END { if (!found) print "-" }' "$out/loss.tsv"
}

table_loss() {
    local name when kind
    echo '| tool | creations missing | execs missing | reader stopped: creations missing | execs missing |'
    echo '| --- | ---: | ---: | ---: | ---: |'
    for name in "${tools[@]}"; do
        [ "$name" != nothing ] || continue
        if [ -n "${skipped[$name]:-}" ]; then
            echo "| ${titles[$name]} | skipped | | | |"
            continue
        fi
        printf '| %s' "${titles[$name]}"
        for when in normal stopped; do
            for kind in fork exec; do
                printf ' | %s' "$(loss "$name" "$when" "$kind")"
            done
        done
        echo ' |'
    done
}

table_skipped() {
    local name
    for name in "${tools[@]}"; do
        [ -z "${skipped[$name]:-}" ] || echo "- ${titles[$name]}: skipped, ${skipped[$name]}"
    done
}

table_tools() {
    local name
    for name in "${tools[@]}"; do
        [ "$name" = nothing ] || echo "- ${titles[$name]}: ${commands[$name]}"
    done
}

table_machine() {
    local part at of busy
    for part in cost latency throughput loss; do
        [ -e "$out/$part.run" ] || continue
        read -r at of busy _ <"$out/$part.run"
        measured "$at" "$of" "$busy" "$part"
    done
    machine libbpf1 clang libbpf-tools forkstat bpftrace auditd
}

table_goals() {
    local missing name
    echo '| goal | limit | measured | reached |'
    echo '| --- | --- | --- | --- |'
    for name in library watch record; do
        goal "fork+exec+exit beside ${titles[$name]}, % of nothing" \
            "$(raw "$memory/percents" "$name|fork+exec+exit" 4)" 'at least' 97
    done
    goal 'idle latency, median, ns: 1.1 times the bare ring' \
        "$(raw "$memory/latencies" 'rollcall|idle' 4)" 'at most' \
        "$(raw "$memory/latencies" 'bare|idle' 4 1.1)"
    goal 'idle latency, 99 %, ns: 1.1 times the bare ring' \
        "$(raw "$memory/latencies" 'rollcall|idle' 5)" 'at most' \
        "$(raw "$memory/latencies" 'bare|idle' 5 1.1)"
    goal 'idle latency, spinning, median, ns' "$(raw "$memory/latencies" 'spin|idle' 4)" \
        'at most' 2000
    goal 'latency in a burst, spinning, median, ns' \
        "$(raw "$memory/latencies" 'spin|burst' 4)" 'at most' 2000
    goal 'ring to consumer, events per second' \
        "$(raw "$memory/throughputs" 'plain|consumer' 4)" 'at least' 3000000
    goal 'ring to journal, events per second' \
        "$(raw "$memory/throughputs" 'plain|journal' 4)" 'at least' 150000
    missing=$(awk -F'\t' '$1 ~ /^(library|watch|record)$/ { sum += $5; n++ }
        END { if (n) print sum + 0 }' "$out/loss.tsv" 2>/dev/null) || missing=
    goal 'events that rollcall missed, all rows together' "$missing" 'at most' 0
}

# ---- plots ----

plot_cost() {
    local name load
    for name in "${tools[@]}"; do
        if [ "$name" = nothing ] || [ -n "${skipped[$name]:-}" ]; then
            continue
        fi
        printf '"%s"' "${titles[$name]}"
        for load in fork+exit fork+exec+exit; do
            printf '\t%s\t%s\t%s' "$(raw "$memory/percents" "$name|$load" 4)" \
                "$(raw "$memory/percents" "$name|$load" 3)" \
                "$(raw "$memory/percents" "$name|$load" 6)"
        done
        echo
    done >"$memory/cost.dat"
    gnuplot -e "data='$memory/cost.dat'; set output '$out/cost.svg'" bench/cost.gp
}

# The share of the samples that are not later than that, at up to 200 places.
distribution() {
    awk -F'\t' -v kind="$1" -v when="$2" '$2 == kind && $3 == when { print $4 }' \
        "$out/latency.tsv" | sort -g | awk '
        { v[NR] = $1 }
        END {
            step = NR > 200 ? NR / 200 : 1
            for (i = 1; i < NR; i += step) print v[int(i)] / 1000, 100 * int(i) / NR
            if (NR) print v[NR] / 1000, 100
        }'
}

plot_latency() {
    local kind when
    for kind in eventfd bare rollcall spin; do
        for when in idle burst; do
            [ "$kind $when" != 'eventfd burst' ] || continue
            distribution "$kind" "$when" >"$memory/$kind.$when.dat"
        done
    done
    gnuplot -e "data='$memory'; set output '$out/latency.svg'" bench/latency.gp
}

# ---- the whole ----

# Those parts that were measured in this run, or in an earlier one into the same directory.
report() {
    local part
    for part in cost latency throughput loss; do
        if [ -e "$out/$part.tsv" ]; then
            "table_$part" >"$memory/$part.md"
        else
            echo 'not measured' >"$memory/$part.md"
        fi
    done
    for part in goals machine skipped tools; do
        "table_$part" >"$memory/$part.md"
    done
    fill_template bench/benchmarks.md.in >"$out/benchmarks.md"
    if command -v gnuplot >/dev/null; then
        [ ! -e "$out/cost.tsv" ] || plot_cost
        [ ! -e "$out/latency.tsv" ] || plot_latency
    else
        say 'no plots: gnuplot is not installed'
    fi
    cat "$out/benchmarks.md"
    say "numbers, tables and plots are in $out"
}

publish() {
    mkdir -p docs
    cp "$out/benchmarks.md" docs/benchmarks.md
    for plot in cost latency; do
        [ ! -e "$out/$plot.svg" ] || cp "$out/$plot.svg" "docs/benchmark-$plot.svg"
    done
    say 'docs/benchmarks.md and its plots are written'
}
