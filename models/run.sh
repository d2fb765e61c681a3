#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the models of models.tsv with spin: those that hold must hold in all their states, and the
# broken ones must be found broken, so that a model that checks nothing is noticed.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'USAGE'
usage: models/run.sh [--trace] [MODEL...]

  --trace  print the steps that lead to the violation of each model that fails

MODEL is a name in models.tsv; without any, all are checked.
USAGE
}

die() {
    printf 'models: %s\n' "$*" >&2
    exit 1
}

trace=
names=()
while [ $# -gt 0 ]; do
    case $1 in
    --trace) trace=1 ;;
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
    [ ${#names[@]} -gt 0 ] || return 0
    for name in "${names[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

# check FILE: with $options; prints holds, fails or incomplete, and how many states there are.
check() {
    local model=$PWD/$1
    cd "$work"
    cp "$model" model.pml
    rm -f ./*.trail
    spin -a "${options[@]}" model.pml >spin.out 2>&1 || { cat spin.out >&2; die "$1: spin refuses it"; }
    cc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=2000 -o pan pan.c
    ./pan -m200000 >pan.out 2>&1 || true
    awk '
        /errors: [0-9]+/ { match($0, /errors: [0-9]+/); errors = substr($0, RSTART + 8, RLENGTH - 8) }
        /states, stored/ { states = $1 }
        /max search depth too small|out of memory|Search not completed/ { incomplete = 1 }
        END {
            verdict = errors == "" ? "incomplete" : errors > 0 ? "fails" : incomplete ? "incomplete" : "holds"
            print verdict, states + 0
        }' pan.out
    cd - >/dev/null
}

wrong=0 checked=0
while IFS=$'\t' read -r name file defines verdict shows; do
    case $name in '#'* | '') continue ;; esac
    chosen "$name" || continue
    options=()
    [ "$defines" = - ] || read -ra options <<<"$defines"
    read -r found states <<<"$(check "$file")"
    checked=$((checked + 1))
    if [ "$found" = "$verdict" ]; then
        mark=ok
    else
        mark=WRONG
        wrong=$((wrong + 1))
    fi
    printf '%-5s %-30s %-10s %9d states  %s\n' "$mark" "$name" "$found" "$states" "$shows"
    if [ "$found" = fails ] && [ -n "$trace" ]; then
        (cd "$work" && spin -t -p -g "${options[@]}" model.pml | sed 's/^/    /')
    fi
done <models.tsv
[ "$wrong" = 0 ] || die "$wrong of $checked models are not as they must be"
printf 'all %d models are as they must be\n' "$checked"
