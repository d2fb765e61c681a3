#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Boots kernels of Debian in QEMU, with the tests of tests.tsv in place of a system, and runs the
# same tests on this machine's kernel. One line a kernel; and with --full, docs/kernels.md.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=tests/matrix/kernel.sh
. "$here/kernel.sh"
# shellcheck source=tests/matrix/guest.sh
. "$here/guest.sh"
# shellcheck source=tests/matrix/report.sh
. "$here/report.sh"

usage() {
    cat <<'USAGE'
usage: tests/matrix/run.sh [--full] [--tests TEST,...] [KERNEL...]
       tests/matrix/run.sh --page

  --full            the tests larger: hundred_thousand whole. And write docs/kernels.md
  --tests TEST,...  only these tests
  --page            write docs/kernels.md from the results that are there, and run nothing

KERNEL is a name in kernels.tsv, or `native`: the one that runs here. Without any, all of them.
A kernel that is here already, in build/matrix/kernels, is not looked for again.
USAGE
}

die() {
    printf 'matrix: %s\n' "$*" >&2
    exit 1
}

bin=$PWD/build/release/bin
work=$PWD/build/matrix
size=quick
tests=
chosen=()
while [ $# -gt 0 ]; do
    case $1 in
    --full) size=full ;;
    --tests) tests=${2:-} && shift ;;
    --page) size=page ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) chosen+=("$1") ;;
    esac
    shift
done

read_kernels
for name in "${chosen[@]}"; do
    [ "$name" = native ] || [ -n "${suites[$name]:-}" ] || die "there is no kernel '$name' in kernels.tsv"
done
for name in ${tests//,/ }; do
    grep -q "^$name"$'\t' "$here/tests.tsv" || die "there is no test '$name' in tests.tsv"
done
if [ "$size" = page ]; then
    report >docs/kernels.md
    exit
fi
[ ${#chosen[@]} -gt 0 ] || chosen=("${kernels[@]}" native)
results=$work/$size
mkdir -p "$results"

failed=0 shown=0
for name in "${chosen[@]}"; do
    run_kernel "$name" || failed=1
    [ -z "${unusable:-}" ] || continue
    shown=1
done
[ "$size" = quick ] || report >docs/kernels.md
[ "$failed" = 0 ] || exit 1
[ "$shown" = 1 ] || exit 77
