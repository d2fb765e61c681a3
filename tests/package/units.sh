#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The units are what systemd understands, and leave the daemon little that it does not need.
# usage: units.sh BUILD-DIRECTORY SOURCE-DIRECTORY
set -euo pipefail

build=$1
source=$2
exposed=30 # of 100, what systemd-analyze calls the exposure; root with CAP_BPF and the network of this machine
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

command -v systemd-analyze >/dev/null || skip 'there is no systemd-analyze'
systemd-analyze security --help 2>&1 | grep -q -- --offline || skip 'systemd-analyze cannot do it offline'

# The programs that the units start are not installed here.
mkdir "$work/units"
sed "s|^ExecStart=[^ ]*|ExecStart=$build/bin/rollcalld|" \
    "$build/linux/daemon/rollcalld.service" >"$work/units/rollcalld.service"
cp "$source/linux/daemon/rollcalld.socket" "$work/units/"
sed "s|=[^ ]*/rollcall |=$build/bin/rollcall |" "$build/service/rollcall-handlers.service" \
    >"$work/units/rollcall-handlers.service"

SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no --recursive-errors=one \
    "$work"/units/* >"$work/verified" 2>&1 ||
    fail "systemd-analyze verify: $(cat "$work/verified")"
[ ! -s "$work/verified" ] || fail "systemd-analyze verify: $(cat "$work/verified")"

systemd-analyze security --no-pager --offline=true --threshold="$exposed" \
    "$work/units/rollcalld.service" >"$work/security" 2>&1 ||
    fail "systemd-analyze security: $(tail -n 3 "$work/security")"
tail -n 1 "$work/security"
