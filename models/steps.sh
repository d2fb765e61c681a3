#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The table of README.md says which function of the sources each step of a model is. This sees that
# both are there: the step as an inline, a process or a label, the function with its body.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")"

wrong=0 rows=0

complain() {
    printf 'steps: %s\n' "$*" >&2
    wrong=1
}

has_step() { grep -qE "^(inline|(active )?proctype) $2\(|^$2:" "$1"; }

# Not one that is only declared or called.
has_function() {
    awk -v name="$2" '
        $0 ~ "^[a-zA-Z].*[ *]" name "\\(" || $0 ~ "^int BPF_PROG\\(" name "," { head = 1 }
        head && /;$/ { head = 0 }
        head && /^\{/ { found = 1 }
        END { exit !found }' "$1"
}

while IFS='|' read -r _ model step function source _; do
    read -r model step function source <<<"$(tr -d '`' <<<"$model $step $function $source")"
    rows=$((rows + 1))
    if [ ! -f "$model" ]; then
        complain "there is no model '$model'"
    elif ! has_step "$model" "$step"; then
        complain "$model has no step '$step'"
    fi
    if [ ! -f "../$source" ]; then
        complain "there is no file '$source'"
    elif ! has_function "../$source" "${function%()}"; then
        complain "$source has no function '$function'"
    fi
done < <(grep -E "^\| \`[a-z_]+\.pml\` \|" README.md)

# Each model has its rows.
for model in *.pml; do
    grep -qF "| \`$model\` |" README.md || complain "README.md names no step of '$model'"
done
[ "$wrong" = 0 ] || exit 1
printf '%d steps are where README.md says\n' "$rows"
