#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What docs/inverted-call.md shows a driver's writer is C that compiles: against the declarations,
# and with the warnings, that the driver is compiled with. Then it is falsified: a function of the
# framework misspelt, and a call with too few arguments, must show. usage: example.sh SOURCE
set -euo pipefail
source_dir=$1
cc=x86_64-w64-mingw32-gcc
command -v $cc >/dev/null || { echo "skipped: there is no $cc" && exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'example: %s\n' "$*" >&2
    exit 1
}

# The block that has the callback.
awk '/^```c$/ { inside = 1; block = ""; next }
    /^```$/ { if (block ~ /on_process/) printf "%s", block; inside = 0; block = "" }
    inside { block = block $0 "\n" }' "$source_dir/docs/inverted-call.md" >"$work/block"
[ "$(grep -c '^static VOID on_' "$work/block")" = 2 ] || fail 'the two functions are not found'

# What a driver has around it, and somebody who calls it.
cat >"$work/prologue" <<'PROLOGUE'
#include <ntifs.h>
#include <wdf.h>
#include <stdint.h>
struct event;
static WDFSPINLOCK lock;
static WDFQUEUE pended;
struct event *event_copy(PEPROCESS process, HANDLE pid, PPS_CREATE_NOTIFY_INFO info);
void log_append(struct event *event);
size_t log_take(WDFREQUEST request);
void log_forget(uint64_t acked_seq);
NTSTATUS start(void);
void fetch(WDFREQUEST request, uint64_t acked_seq);
PROLOGUE
cat >"$work/epilogue" <<'EPILOGUE'
NTSTATUS start(void)
{
    return PsSetCreateProcessNotifyRoutineEx(on_process, FALSE);
}
void fetch(WDFREQUEST request, uint64_t acked_seq)
{
    on_fetch(request, acked_seq);
}
EPILOGUE

# The driver's own, from the build's description of it.
flags=$(awk '/target_compile_options\(kmdf_options INTERFACE/ { inside = 1; next }
    inside { print; if (/\)/) exit }' "$source_dir/windows/kmdf/CMakeLists.txt" | tr -d '()')
[[ $flags == *-Werror* ]] || fail 'the flags of the driver are not found'

# compile BLOCK
compile() {
    cat "$work/prologue" "$1" "$work/epilogue" >"$work/example.c"
    # shellcheck disable=SC2086 # flags are words
    $cc -std=c11 $flags -I"$source_dir" -I"$source_dir/include" -I"$source_dir/windows/kmdf" \
        -isystem /usr/share/mingw-w64/include/ddk -O2 -c "$work/example.c" -o "$work/example.o"
}

compile "$work/block" || fail 'it does not compile'
sed 's/WdfSpinLockAcquire/WdfSpinlockAcquire/' "$work/block" >"$work/misspelt"
sed 's/, STATUS_SUCCESS, size)/, size)/' "$work/block" >"$work/fewer"
for changed in misspelt fewer; do
    ! cmp -s "$work/block" "$work/$changed" || fail "nothing was changed: $changed"
    ! compile "$work/$changed" 2>/dev/null || fail "this goes unnoticed: $changed"
done
echo "$(wc -l <"$work/block") lines"
