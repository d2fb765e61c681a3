#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs all designs: in virtual time, with real processes, and through the Windows driver under Wine
# where that is built. Makes the tables and the plots from what they did.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'USAGE'
usage: lab/run.sh [--quick] [--out DIR] [PART...]

  --quick    a tenth of the real processes: to see that it works, not for numbers
  --out DIR  for the numbers, the tables and the plots (default build/lab)

PART is one of virtual, live, windows; without any, all are run. A full run, not quick, of all parts
also writes docs/lab.md and its plots.
USAGE
}

# shellcheck source=bench/common.sh
. bench/common.sh
say() { printf '%s\n' "lab: $*" >&2; }

quick=
out=build/lab
parts=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=--quick ;;
    --out)
        [ $# -ge 2 ] || { usage >&2 && exit 2; }
        out=$2
        shift
        ;;
    virtual | live | windows) parts+=("$1") ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
publish=
[ ${#parts[@]} -gt 0 ] || { parts=(virtual live windows) && publish=1; }
[ -z "$quick" ] || publish=

bin=${ROLLCALL_BUILD:-build/release}/bin
[ -x "$bin/rollcall-lab" ] || die "there is no $bin/rollcall-lab; build first: ./dev build"
mkdir -p "$out"
memory=$(mktemp -d)
trap 'rm -rf "$memory"' EXIT
random_runs=500
burst_sizes=(1 2 4 8 12 16 20 24 32 40 48 56 64 72 80 96 112 128)

run_virtual() {
    local n first=1
    say "virtual time: $("$bin/rollcall-lab" --list | grep -c ^schedule) schedules"
    "$bin/rollcall-lab" >"$out/virtual.tsv"
    say "virtual time: $random_runs random schedules"
    "$bin/rollcall-lab" --random "$random_runs" >"$out/random.tsv"
    for n in "${burst_sizes[@]}"; do
        "$bin/rollcall-lab" --burst "$n" | sed "s/^/$n\t/; 1s/^$n/size/" | tail -n "+$first"
        first=2
    done >"$out/bursts.tsv"
}

run_live() {
    [ "$(id -u)" = 0 ] || die "real processes: this needs root"
    say "real processes: some minutes"
    "$bin/rollcall-lab-live" $quick >"$out/live.tsv"
}

run_windows() {
    if [ ! -f build/windows/lab/rollcall-lab.exe ] || ! command -v wine >/dev/null; then
        say "the Windows driver: skipped: it is not built, or there is no Wine; ./dev lab has both"
        return
    fi
    say "the Windows driver, under Wine"
    tests/wine/lab.sh $quick >"$out/windows.tsv"
}

# matrix FILE: a row for each design, a column for each schedule: what was lost.
table_matrix() {
    awk -F'\t' '
        NR == 1 { next }
        !($1 in design) { design[$1] = ++designs; name[designs] = $1 }
        !($2 in schedule) { schedule[$2] = ++schedules; title[schedules] = $2 }
        {
            cell[$1, $2] = $7 == 0 ? "0" : $7 " of " $4
            if ($3 == "hangs") cell[$1, $2] = cell[$1, $2] ", hangs"
            if ($3 == "tells") cell[$1, $2] = cell[$1, $2] ", told"
            if ($3 != "complete" && $3 != "tells") cell[$1, $2] = "**" cell[$1, $2] "**"
            if ($6 > 0) cell[$1, $2] = cell[$1, $2] " (" $6 " twice)"
        }
        END {
            printf "| schedule"
            for (d = 1; d <= designs; d++) printf " | %s", name[d]
            printf " |\n| ---"
            for (d = 1; d <= designs; d++) printf " | ---:"
            print " |"
            for (s = 1; s <= schedules; s++) {
                printf "| `%s`", title[s]
                for (d = 1; d <= designs; d++) printf " | %s", cell[name[d], title[s]]
                print " |"
            }
        }' "$1"
}

# A line for each run, those of one situation together.
table_runs() {
    awk -F'\t' '
        function memory(bytes) {
            if (bytes >= 1048576) return sprintf("%.1f MiB", bytes / 1048576)
            if (bytes >= 1024) return sprintf("%.0f KiB", bytes / 1024)
            return bytes " B"
        }
        function lost(all, told) {
            if (all > told) return "**" all "**"
            return all > 0 ? all ", told" : "0"
        }
        NR == 1 { next }
        $2 != last {
            printf "%s**%s**\n\n", (NR > 2 ? "\n" : ""), $2
            print "| design | offered | delivered | lost | dropped | in the hands of the killed | waiting for ever | twice | late: median | 99 % | max, us | calls per event | memory for events | for requests |"
            print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
            last = $2
        }
        {
            printf "| %s | %d | %d | %s | %d | %d | %d | %d | %.0f | %.0f | %.0f | %.2f | %s | %s |\n",
                $1, $4, $5, lost($7, $9), $8, $10, $11, $6, $14, $15, $16,
                ($4 > 0 ? $12 / $4 : 0), memory($13), memory($17)
        }' "$1"
}

table_random() {
    echo '| design | offered | delivered | lost | dropped | told in gaps | in the hands of the killed | waiting for ever | twice |'
    echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
    awk -F'\t' 'NR > 1 {
        printf "| %s | %d | %d | %s | %d | %d | %d | %d | %d |\n", $1, $4, $5,
            ($7 > $9 ? "**" $7 "**" : $7), $8, $9, $10, $11, $6 }' "$out/random.tsv"
}

list_of() {
    echo "| $1 | |"
    echo '| --- | --- |'
    { "$bin/rollcall-lab" --list && "$bin/rollcall-lab-live" --list; } |
        awk -F'\t' -v kind="$1" '$1 == kind { printf "| `%s` | %s |\n", $2, $3 }'
}

plots() {
    awk -F'\t' '$2 != "design" { lost[$1, $2] = $8; if (!($2 in seen)) { seen[$2]; name[++n] = $2 }
            if ($1 != last) { size[++m] = $1; last = $1 } }
        END { printf "events"; for (i = 1; i <= n; i++) printf "\t%s", name[i]; print ""
            for (k = 1; k <= m; k++) { printf "%s", size[k]
                for (i = 1; i <= n; i++) printf "\t%d", lost[size[k], name[i]]; print "" } }' \
        "$out/bursts.tsv" >"$out/bursts.data"
    gnuplot -e "data='$out/bursts.data'" lab/bursts.gp >"$out/lab-bursts.svg"
    awk -F'\t' '$2 == "lone" && $5 > 0 { print $1 "\t" $14 "\t" $15 }' "$out/live.tsv" >"$out/late.data"
    gnuplot -e "data='$out/late.data'" lab/late.gp >"$out/lab-late.svg"
    awk -F'\t' 'NR > 1 && $2 != "lone" { lost[$1, $2] = 100 * $7 / $4; if (!($1 in seen)) { seen[$1]; name[++n] = $1 } }
        END { for (i = 1; i <= n; i++) printf "%s\t%.3f\t%.3f\t%.3f\t%.3f\n", name[i],
            lost[name[i], "burst"], lost[name[i], "overload"], lost[name[i], "stopped"], lost[name[i], "killed"] }' \
        "$out/live.tsv" >"$out/lost.data"
    gnuplot -e "data='$out/lost.data'" lab/lost.gp >"$out/lab-lost.svg"
}

report() {
    list_of design >"$memory/designs.md"
    list_of schedule >"$memory/schedules.md"
    list_of situation >"$memory/situations.md"
    table_matrix "$out/virtual.tsv" >"$memory/virtual.md"
    table_random >"$memory/random.md"
    table_runs "$out/live.tsv" >"$memory/live.md"
    if [ -s "$out/windows.tsv" ]; then
        table_runs "$out/windows.tsv" >"$memory/windows.md"
    else
        echo 'Not run: the driver was not built, or there was no Wine.' >"$memory/windows.md"
    fi
    {
        echo "- date: $started; rollcall $(commit)"
        machine wine
    } >"$memory/machine.md"
    plots
    fill_template lab/lab.md.in >"$out/lab.md"
}

started=$(date -u '+%Y-%m-%d %H:%M UTC')
for part in "${parts[@]}"; do
    "run_$part"
done
if [ -s "$out/virtual.tsv" ] && [ -s "$out/live.tsv" ]; then
    report
    say "the tables are in $out/lab.md"
fi
if [ -n "$publish" ]; then
    cp "$out/lab.md" docs/lab.md
    cp "$out"/lab-*.svg docs/
    say "they were copied to docs/"
fi
