#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Breaks each protocol in one place and sees that something notices. A mutation of mutations.tsv is a
# patch of the sources, NAME.patch, and the test program that must fail with it; or, where no test can
# show it on every machine, a broken variant of a model, which spin must find broken.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'USAGE'
usage: tests/mutations/run.sh [--table] [NAME...]

  --table  print the table of models/README.md, and run nothing

NAME is a name in mutations.tsv; without any, all are tried.
USAGE
}

die() {
    printf 'mutations: %s\n' "$*" >&2
    exit 1
}

limit_s=300 # what takes longer is not caught but hangs: each of them takes some seconds
table=''
chosen=()
while [ $# -gt 0 ]; do
    case $1 in
    --table) table=1 ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) chosen+=("$1") ;;
    esac
    shift
done

names=() catchers=() texts=()
while IFS=$'\t' read -r name catcher text; do
    case $name in '#'* | '') continue ;; esac
    if [ ${#chosen[@]} -gt 0 ] && ! printf '%s\n' "${chosen[@]}" | grep -qxF -- "$name"; then
        continue
    fi
    names+=("$name")
    catchers+=("$catcher")
    texts+=("$text")
done <mutations.tsv
[ ${#names[@]} -ge ${#chosen[@]} ] || die 'not all of these are in mutations.tsv'

if [ -n "$table" ]; then
    printf '| mutation | what is broken | caught by |\n| --- | --- | --- |\n'
    for i in "${!names[@]}"; do
        printf "| \`%s\` | %s | \`%s\` |\n" "${names[i]}" "${texts[i]}" "${catchers[i]}"
    done
    exit
fi

repository=$(cd ../.. && pwd)
patches=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
(cd "$repository" && git ls-files -z | xargs -0 cp --parents -t "$work/tree")

is_model() { [[ $1 == model\ * ]]; }

configure() {
    cmake -S "$work/tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        >"$work/build.log" 2>&1
}

build() { cmake --build "$work/build" --target "$@" >"$work/build.log" 2>&1; }

# try CATCHER: 0: it passes, 77: it cannot run here, else it fails.
try() {
    local words
    read -ra words <<<"$1"
    timeout "$limit_s" "$work/build/bin/${words[0]}" "${words[@]:1}" >"$work/test.log" 2>&1
}

programs() {
    local catcher
    for catcher in "${catchers[@]}"; do
        is_model "$catcher" || printf '%s\n' "${catcher%% *}"
    done | sort -u
}

# All are green without a mutation; those that cannot run here are left out.
declare -A skipped=()
mapfile -t targets < <(programs)
if [ ${#targets[@]} -gt 0 ]; then
    if ! configure || ! build "${targets[@]}"; then
        die "the tree does not build: $(tail -n 20 "$work/build.log")"
    fi
fi
while IFS= read -r catcher; do
    ! is_model "$catcher" || continue
    status=0
    try "$catcher" || status=$?
    case $status in
    0) ;;
    77) skipped[$catcher]=1 ;;
    *) die "'$catcher' fails without a mutation: $(tail -n 20 "$work/test.log")" ;;
    esac
done < <(printf '%s\n' "${catchers[@]}" | sort -u)

# mutate NAME CATCHER: prints what came of it.
mutate() {
    patch -d "$work/tree" -p1 --fuzz=0 --silent <"$patches/$1.patch" >"$work/patch.log" 2>&1 ||
        die "$1.patch does not apply: $(cat "$work/patch.log")"
    if ! build "${2%% *}"; then
        echo 'NO BUILD'
    elif try "$2"; then
        echo MISSED
    else
        [ $? = 124 ] && echo HANGS || echo caught
    fi
    patch -d "$work/tree" -p1 --fuzz=0 --silent -R <"$patches/$1.patch"
}

# The variant is one that must fail, and does.
check_model() {
    if awk -F'\t' -v name="$1" '$1 == name && $4 == "fails" { found = 1 } END { exit !found }' \
        "$work/tree/models/models.tsv" && "$work/tree/models/run.sh" "$1" >"$work/test.log" 2>&1; then
        echo caught
    else
        echo MISSED
    fi
}

wrong=0
for i in "${!names[@]}"; do
    catcher=${catchers[i]}
    started=$SECONDS
    if is_model "$catcher"; then
        found=$(check_model "${catcher#model }")
    elif [ -n "${skipped[$catcher]:-}" ]; then
        found=skipped
    else
        found=$(mutate "${names[i]}" "$catcher")
    fi
    case $found in caught | skipped) ;; *) wrong=$((wrong + 1)) ;; esac
    printf '%-10s %-34s %-52s %3d s\n' "$found" "${names[i]}" "$catcher" $((SECONDS - started))
done
[ "$wrong" = 0 ] || die "$wrong of ${#names[@]} mutations were not caught"
printf 'all %d mutations are caught\n' "${#names[@]}"
