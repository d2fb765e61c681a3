# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The guest: what it has, its boot, and what it says. For run.sh.

boot_s=300 # until the guest has begun with the tests

# suite_list [FEATURE]: the tests of this run, as suite.sh wants them.
suite_list() {
    awk -F'\t' -v OFS='\t' -v size="$size" -v feature="${1:-}" -v tests="$tests" '
        /^#/ || (feature && $2 != feature) { next }
        tests && index("," tests ",", "," $1 ",") == 0 { next }
        size == "full" { print $1, $4, $5 }
        size == "quick" { print $1, $3, 1800 }' "$here/tests.tsv"
}

programs() {
    suite_list | awk -F'\t' -v bin="$bin" '{
        print bin "/" ($1 == "doctor" ? "rollcall" : "test_" $1) }'
    printf '%s\n' "$bin/load-child" "$bin/rollcalld" "$bin/tap_static" "$bin/tap_other"
}

# What they are linked with, and what the C library itself loads for pthread_exit(3).
libraries() {
    {
        { programs && echo /bin/rm; } | xargs ldd 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*'
        realpath "$(gcc -print-file-name=libgcc_s.so.1)"
    } | sort -u
}

# Programs lie where they lie here, as they know each other by their paths, and so do libraries.
make_root() {
    local root=$1 program library
    rm -rf "$root"
    mkdir -p "$root/bin" "$root/suite" "$root$bin"
    cp /bin/busybox "$root/bin/"
    for program in sh mkdir mount; do
        ln -s busybox "$root/bin/$program"
    done
    for program in $(programs); do
        strip --strip-debug -o "$root$program" "$program"
    done
    cp /bin/rm "$root/bin/" # that of busybox fails on paths that are too long
    for library in $(libraries); do
        install -D "$library" "$root$library"
    done
    cp "$here/init" "$root/init"
    cp "$here/suite.sh" "$root/suite/"
    suite_list >"$root/suite/list"
    echo "$bin" >"$root/suite/bin"
}

make_initramfs() {
    local root=$work/root
    initramfs=$work/initramfs.$size
    make_root "$root"
    (cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$initramfs"
}

# boot NAME LOG: emulated, as nested virtualisation is not to be had everywhere. What only costs time is
# turned off: mitigations, zeroing of pages, doubts about clock and timer (which a busy machine raises).
# Both processors are emulated by one thread: with two, QEMU 7.2 lets one of them run an instruction
# that the other has just replaced, and attaching a program does that: guests ended with `int3`. And they
# are told to do without CMPXCHG16B, as an interrupt right behind it can find flags that are none: a
# guest ended with a double fault in the kernel's allocator.
boot() {
    local limit feature=${only[$1]}
    limit=$(suite_list "$feature" | awk -F'\t' -v boot="$boot_s" '{ sum += $3 } END { print boot + sum }')
    timeout "$limit" qemu-system-x86_64 -accel tcg,thread=single -cpu qemu64,-cx16 -smp 2 -m 2048 \
        -nodefaults -no-user-config -display none -no-reboot -serial "file:$2" -kernel "$image" -initrd "$initramfs" \
        -append "console=ttyS0 quiet panic=-1 oops=panic mitigations=off init_on_alloc=0 tsc=reliable no_timer_check ${parameters[$1]} only=$(suite_list "$feature" | cut -f 1 | paste -s -d ,)" \
        </dev/null
}

run_native() {
    suite_list >"$work/list"
    {
        printf 'matrix-kernel\t%s\t%s\n' "$(uname -r)" "$(uname -v)"
        "$here/suite.sh" "$bin" "$work/list"
        echo matrix-end
    } >"$1"
}

# run_guest NAME LOG
run_guest() {
    [ -n "${initramfs:-}" ] || make_initramfs
    boot "$1" "$2" || true
    [ -f "$2" ] && tr -d '\r' <"$2" >"$2.text" && mv "$2.text" "$2"
}

# keep LOG RESULTS: what came of it, in place of what is there of the same tests.
keep() {
    touch "$1" "$2"
    awk -F'\t' 'FNR == NR { if (/^matrix/) { said[$1, $2]; new[++n] = $0 } next }
        $1 == "matrix" && !(($1, $2) in said)
        END { for (i = 1; i <= n; i++) print new[i] }' "$1" "$2" >"$2.new"
    mv "$2.new" "$2"
}

# run_kernel NAME: leaves the results in $results/NAME.tsv, and prints a line about them. Fails if
# anything did. If it cannot be run at all: why not, in $unusable.
run_kernel() {
    local name=$1 log=$results/$1.log began=$SECONDS
    unusable=
    rm -f "$log" "$results/$name.skipped"
    [ -n "$tests" ] || rm -f "$results/$name.tsv"
    if [ "$name" = native ]; then
        run_native "$log"
    else
        get_kernel "$name"
        if [ -n "$unusable" ]; then
            echo "$unusable" >"$results/$name.skipped"
            printf '%-11s skipped: %s\n' "$name" "$unusable"
            return 0
        fi
        run_guest "$name" "$log"
    fi
    keep "$log" "$results/$name.tsv"
    printf '%s of %s\n' "$(git describe --always --dirty)" "$(date -u +%F)" >"$results/$name.of"
    summary "$name" $((SECONDS - began))
}
