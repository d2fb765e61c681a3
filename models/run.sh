#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the models of models.tsv with spin: those that hold must hold in all their states and have
# no run without an end, and the broken ones must be found broken, so that a model that checks
# nothing is noticed.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'USAGE'
usage: models/run.sh [--trace | --table] [--quick] [MODEL...]

  --trace  print the shortest way to the violation of each model that fails
  --table  print the table of models/README.md
  --quick  leave out what takes minutes

MODEL is a name in models.tsv; without any, all are checked.
USAGE
}

die() {
    printf 'models: %s\n' "$*" >&2
    exit 1
}

cycles_max=3000000 # states
# Left out by --quick: engine-all has their steps.
large='engine engine-cancel engine-acknowledge engine-attach doorbell-wake-before-submit'
trace='' table='' quick=''
names=()
while [ $# -gt 0 ]; do
    case $1 in
    --trace) trace=1 ;;
    --table) table=1 ;;
    --quick) quick=1 ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done
command -v spin >/dev/null || die 'spin is not installed: apt-get install spin'
for name in "${names[@]}"; do
    cut -f1 models.tsv | grep -qxF -- "$name" || die "there is no model '$name' in models.tsv"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

chosen() {
    local name
    [ -z "$quick" ] || [[ " $large " != *" $1 "* ]] || return 1
    [ ${#names[@]} -gt 0 ] || return 0
    for name in "${names[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

# search DEFINE... [-- OPTION...]: builds the checker so and runs it so; prints holds, fails or
# incomplete, and how many states there are.
search() {
    local defines=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        defines+=("$1")
        shift
    done
    rm -f "$work"/*.trail
    cc -O1 -w -DMEMLIM=2000 "${defines[@]}" -o "$work/pan" "$work/pan.c"
    (cd "$work" && ./pan -m1000000 "${@:2}" >pan.out 2>&1) || true
    awk '
        /errors: [0-9]+/ { match($0, /errors: [0-9]+/); errors = substr($0, RSTART + 8, RLENGTH - 8) }
        /states, stored/ { states = $1 }
        /max search depth too small|out of memory|Search not completed/ { incomplete = 1 }
        END {
            verdict = errors == "" ? "incomplete" : errors > 0 ? "fails" : incomplete ? "incomplete" : "holds"
            print verdict, states + 0
        }' "$work/pan.out"
}

# check FILE: with $options; sets found and states.
check() {
    local cycles
    (cd "$work" && cp "$OLDPWD/$1" model.pml && spin -a "${options[@]}" model.pml >spin.out 2>&1) ||
        die "$1: spin refuses it: $(cat "$work/spin.out")"
    read -r found states <<<"$(search -DSAFETY -DCOLLAPSE)"
    # Of what is too large for a second search there is a smaller row with the same loops.
    [ "$found" = holds ] && [ "$states" -le "$cycles_max" ] || return 0
    # No label says "progress", so a cycle without progress is any cycle at all.
    read -r cycles _ <<<"$(search -DNP -DCOLLAPSE -- -l)"
    [ "$cycles" = holds ] || found=$cycles
}

# The shortest way, as what the steps say of themselves.
print_trace() {
    search -DSAFETY -DBFS -DCOLLAPSE >/dev/null
    (cd "$work" && spin -t -T "${options[@]}" model.pml) | awk '
        /^spin: .*Error: / { print "        " $0 }
        /^spin:|^#processes/ { exit }
        NF { printf "    %2d. %s\n", ++n, $0 }'
}

# bound FILE: its numbers, as its #ifndef or the options say.
bound() {
    awk -v options="${options[*]}" '
        /^#ifndef / { name = $2 }
        /^#define / && $2 == name && $3 ~ /^[0-9]+$/ {
            value = $3
            if (match(" " options " ", " -D" name "=[0-9]+ "))
                value = substr(" " options, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
            printf "%s%s %s", sep, tolower(name), value
            sep = ", "
        }
        END {
            count = split(options, option, " ")
            for (i = 1; i <= count; i++)
                if (option[i] !~ /=/) {
                    printf "%s%s", sep, tolower(substr(option[i], 3))
                    sep = ", "
                }
        }' "$1"
}

print_row() {
    if [ -n "$table" ]; then
        printf "| \`%s\` | %s | %s | %d | %s |\n" "$name" "$found" "$(bound "$file")" "$states" "$shows"
    else
        printf '%-5s %-30s %-10s %9d states  %s\n' "$1" "$name" "$found" "$states" "$shows"
    fi
}

wrong=0 checked=0
if [ -n "$table" ]; then
    printf '| model | | bound | states | what it shows |\n| --- | --- | --- | ---: | --- |\n'
fi
while IFS=$'\t' read -r name file defines verdict shows; do
    case $name in '#'* | '') continue ;; esac
    chosen "$name" || continue
    options=()
    [ "$defines" = - ] || read -ra options <<<"$defines"
    check "$file"
    checked=$((checked + 1))
    if [ "$found" = "$verdict" ]; then
        print_row ok
    else
        print_row WRONG
        wrong=$((wrong + 1))
    fi
    if [ "$found" = fails ] && [ -n "$trace" ]; then
        print_trace
    fi
done <models.tsv
[ "$wrong" = 0 ] || die "$wrong of $checked models are not as they must be"
[ -n "$table" ] || printf 'all %d models are as they must be\n' "$checked"
