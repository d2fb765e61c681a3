# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What came of it: a line a kernel, and the page. For run.sh.

features=(capture snapshot healing arguments redelivery waking deny faults)
declare -A titles=([capture]='capture' [snapshot]='snapshot' [healing]='healing'
    [arguments]='long arguments' [redelivery]='redelivery' [waking]='waking' [deny]='deny'
    [faults]='faults')

# feature_state NAME FEATURE: yes, no, or skipped.
feature_state() {
    awk -F'\t' -v feature="$2" '
        FNR == NR { if ($2 == feature) wanted[$1] = 1; next }
        $1 == "matrix" && $2 in wanted { came[$3]++ }
        END {
            for (test in wanted) count++
            if (came["passed"] == count) print "yes"
            else print (came["passed"] + came["skipped"] == count ? "skipped" : "no")
        }' "$here/tests.tsv" "$results/$1.tsv"
}

# count NAME VERDICT
count() { awk -F'\t' -v verdict="$2" '$1 == "matrix" && $3 == verdict { n++ } END { print n + 0 }' "$results/$1.tsv"; }

# kernel_of NAME FIELD: its release (2) or its version (3).
kernel_of() { awk -F'\t' -v field="$2" '$1 == "matrix-kernel" { print $field }' "$results/$1.tsv"; }

# summary NAME SECONDS: fails if a test did, or did not come to be run.
summary() {
    local name=$1 feature shown='' passed skipped missing
    for feature in "${features[@]}"; do
        [ "$(feature_state "$name" "$feature")" != yes ] || shown+=", ${titles[$feature]}"
    done
    passed=$(count "$name" passed) skipped=$(count "$name" skipped)
    missing=$(($(suite_list | wc -l) - passed - skipped))
    printf '%-10s %s: %s; %s passed, %s skipped, %s not; %s s\n' "$name" \
        "$(kernel_of "$name" 2)" "${shown#, }" "$passed" "$skipped" "$missing" "$2"
    if [ "$missing" = 0 ] && grep -q '^matrix-end' "$results/$name.tsv"; then return 0; fi
    tail -n 60 "$results/$name.log"
    printf 'matrix: %s: a test failed or was not run: see %s\n' "$name" "$results/$name.log" >&2
    return 1
}

# For each kernel that was ever run: where its results are, the ones of --full before others.
all_results() {
    local name directory
    for name in "${kernels[@]}" native; do
        for directory in "$work/full" "$work/quick"; do
            [ -f "$directory/$name.tsv" ] || [ -f "$directory/$name.skipped" ] || continue
            printf '%s\t%s\n' "$directory" "$name"
            break
        done
    done
}

table_features() {
    local results name feature state
    printf '| | Linux | build | tests |'
    printf ' %s |' "${features[@]/arguments/long arguments}"
    printf '\n| --- | --- | --- | --- |'
    printf ' --- |%.0s' "${features[@]}"
    echo
    while IFS=$'\t' read -r results name; do
        if [ -f "$results/$name.skipped" ]; then
            printf '| %s | not run: %s |\n' "$name" "$(cat "$results/$name.skipped")"
            continue
        fi
        printf '| %s | %s | %s | %s |' "$name" "$(kernel_of "$name" 2)" \
            "$(kernel_of "$name" 3 | grep -oE 'PREEMPT[A-Z_]*' || echo 'not preemptible')" \
            "$(basename "$results")"
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
    local results name
    echo '| | hundred_thousand | preempt_storm |'
    echo '| --- | --- | --- |'
    while IFS=$'\t' read -r results name; do
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
    local results name
    while IFS=$'\t' read -r results name; do
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
