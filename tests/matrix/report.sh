# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What came of it: a line a kernel, and the page. For run.sh.

features=(capture snapshot healing arguments redelivery waking deny faults)
declare -A titles=([capture]='capture' [snapshot]='snapshot' [healing]='healing'
    [arguments]='long arguments' [redelivery]='redelivery' [waking]='waking' [deny]='deny'
    [faults]='faults')

# feature_state NAME FEATURE: yes, no, or skipped; of those that were not asked for, -.
feature_state() {
    [ "${only[$1]:-$2}" = "$2" ] || { echo - && return; }
    awk -F'\t' -v feature="$2" '
        FNR == NR { if ($2 == feature) wanted[$1] = 1; next }
        $1 == "matrix" && $2 in wanted { came[$3]++ }
        END {
            for (test in wanted) count++
            if (came["passed"] == count) print "yes"
            else print (came["passed"] + came["skipped"] == count ? "skipped" : "no")
        }' "$here/tests.tsv" "$results/$1.tsv"
}

# kernel_of NAME FIELD: its release (2) or its version (3).
kernel_of() { awk -F'\t' -v field="$2" '$1 == "matrix-kernel" { print $field }' "$results/$1.tsv"; }

# summary NAME SECONDS: fails if a test did, or did not come to be run.
summary() {
    local name=$1 feature shown='' passed skipped missing
    for feature in "${features[@]}"; do
        [ "$(feature_state "$name" "$feature")" != yes ] || shown+=", ${titles[$feature]}"
    done
    passed=$(grep -c $'^matrix\t.*\tpassed\t' "$results/$name.log") || true
    skipped=$(grep -c $'^matrix\t.*\tskipped\t' "$results/$name.log") || true
    missing=$(($(suite_list "${only[$name]:-}" | wc -l) - passed - skipped))
    printf '%-11s %s: %s; %s passed, %s skipped, %s not; %s s\n' "$name" \
        "$(kernel_of "$name" 2)" "${shown#, }" "$passed" "$skipped" "$missing" "$2"
    if [ "$missing" = 0 ] && grep -q '^matrix-end' "$results/$name.log"; then return 0; fi
    tail -n 60 "$results/$name.log"
    printf 'matrix: %s: a test failed or was not run: see %s\n' "$name" "$results/$name.log" >&2
    return 1
}

# Each kernel that was ever run, into $results: of each test the result of --full, if it has one.
gather() {
    local name
    results=$1
    for name in "${kernels[@]}" native; do
        cat "$work"/{quick,full}/"$name.log" >"$results/$name.log" 2>/dev/null || true
        cp "$work/quick/$name.tsv" "$results/" 2>/dev/null || true
        [ ! -f "$work/full/$name.tsv" ] || keep "$work/full/$name.tsv" "$results/$name.tsv"
        cp "$work"/{quick,full}/"$name.skipped" "$results/" 2>/dev/null || true
    done
}

# Those of which there is something, in order.
all_results() {
    local name
    for name in "${kernels[@]}" native; do
        [ ! -s "$results/$name.tsv" ] && [ ! -f "$results/$name.skipped" ] || echo "$name"
    done
}

# size_of NAME: with which repetitions its tests were run.
size_of() {
    local full
    full=$(sed -n $'s/^matrix\t\\([^\t]*\\).*/`\\1`/p' "$work/full/$1.tsv" 2>/dev/null | paste -s -d ' ')
    [ -n "$full" ] || { echo quick && return; }
    [ "$(wc -w <<<"$full")" -lt "$(grep -c $'^matrix\t' "$results/$1.tsv")" ] || { echo full && return; }
    echo "quick; ${full// /, } full"
}

table_features() {
    local name feature state
    printf '| | Linux | build | tests |'
    printf ' %s |' "${features[@]/arguments/long arguments}"
    printf '\n| --- | --- | --- | --- |'
    printf ' --- |%.0s' "${features[@]}"
    echo
    while read -r name; do
        if [ -f "$results/$name.skipped" ]; then
            printf '| %s | not run: %s |\n' "$name" "$(cat "$results/$name.skipped")"
            continue
        fi
        printf '| %s | %s | %s | %s |' "$name" "$(kernel_of "$name" 2)" \
            "$(kernel_of "$name" 3 | grep -oE 'PREEMPT[A-Z_]*' || echo 'not preemptible')" \
            "$(size_of "$name")"
        for feature in "${features[@]}"; do
            state=$(feature_state "$name" "$feature")
            printf ' %s |' "${state/#yes/shown}"
        done
        echo
    done < <(all_results)
}

# said NAME TEST: the last line that it wrote.
said() { awk -F'\t' -v test="$2" '$1 == "matrix" && $2 == test { print $3 ": " $5 }' "$results/$1.tsv"; }

table_counts() {
    local name
    echo '| | hundred_thousand | preempt_storm |'
    echo '| --- | --- | --- |'
    while read -r name; do
        [ -f "$results/$name.tsv" ] || continue
        printf '| %s | %s | %s |\n' "$name" "$(said "$name" hundred_thousand)" \
            "$(said "$name" preempt_storm)"
    done < <(all_results)
}

table_tests() {
    echo '| feature | tests |'
    echo '| --- | --- |'
    awk -F'\t' '/^#/ { next }
        !($2 in tests) { order[++n] = $2 }
        function part(n) { return n > 1 ? "1/" n : "all" }
        { tests[$2] = tests[$2] (tests[$2] ? ", " : "") "`" $1 "` (" part($4) ", " part($3) ")" }
        END { for (i = 1; i <= n; i++) print "| " order[i] " | " tests[order[i]] " |" }' "$here/tests.tsv"
}

# Of what `rollcall doctor` found: what is not the same everywhere, or missing, or worse.
doctor_said() {
    local name
    while read -r name; do
        [ -f "$results/$name.tsv" ] || continue
        printf '%s:\n\n' "- $name"
        sed -nE 's/^    ((MISSING|advice) .*|ok +the end of a process .*)/        \1/p' "$results/$name.log"
        echo
    done < <(all_results)
}

# Where, when and of what the results are.
machine() {
    printf -- '- processor: %s, %s used here\n' \
        "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
    printf -- '- emulated by: %s\n' "$(qemu-system-x86_64 --version | head -n 1)"
    printf -- '- rollcall: %s\n' "$(cat "$work"/{full,quick}/*.of 2>/dev/null | sort -u | paste -s -d ',')"
}

report() {
    local memory
    memory=$(mktemp -d)
    mkdir "$memory/results"
    gather "$memory/results"
    machine >"$memory/machine.md"
    table_features >"$memory/features.md"
    table_tests >"$memory/tests.md"
    table_counts >"$memory/counts.md"
    doctor_said >"$memory/doctor.md"
    awk -v directory="$memory" '
        /^@[a-z]+@$/ {
            file = directory "/" substr($0, 2, length($0) - 2) ".md"
            while ((getline line < file) > 0) print line
            next
        }
        { print }' "$here/kernels.md.in"
    rm -r "$memory"
}
