#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian packages in a system of their own: installed with what they depend on, the daemon works and
# goes on after an upgrade, and when they are removed and purged nothing is left.
# usage: debian.sh DIRECTORY-WITH-PACKAGES
set -euo pipefail

packages=$1
limit=60 # seconds that the daemon may take for anything

skip() {
    echo "skipped: $*"
    exit 77
}

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || skip 'this needs root'
for program in debootstrap dpkg-deb unshare curl; do
    command -v "$program" >/dev/null || skip "there is no $program"
done
ls "$packages"/rollcall_*.deb >/dev/null 2>&1 || skip "there is no package: './dev package' makes it"
mirror=$(sed -n 's|^\(URIs: \|deb \)\(http[^ ]*/debian\)/\{0,1\}\( .*\)\{0,1\}$|\2|p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)
mirror=${mirror:-http://deb.debian.org/debian}
curl -sfIL --max-time 20 "$mirror/dists/bookworm/Release" >/dev/null ||
    skip "the mirror $mirror does not answer"

# Whatever is mounted here is gone with this process.
if [ -z "${ROLLCALL_UNSHARED:-}" ]; then
    exec env ROLLCALL_UNSHARED=1 unshare --mount --propagation private "$0" "$@"
fi

root=$(mktemp -d)
mount -t tmpfs -o size=1500M,mode=755 tmpfs "$root" # dpkg waits for the disk after each file
daemon=
clean_up() {
    local status=$?

    set +e
    [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
    umount -R -l "$root"
    rmdir "$root"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- a small Debian ----

cache=/var/cache/apt/archives
debootstrap --variant=minbase --cache-dir="$cache" bookworm "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log"
    rm -f "$root.log"
    skip 'debootstrap did not work'
}
rm -f "$root.log"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
# Pins of its own: what the machine has under the same name stays as it is.
mount -t bpf bpf "$root/sys/fs/bpf"
mount --bind "$cache" "$root$cache"
cp -L /etc/resolv.conf "$root/etc/" 2>/dev/null || true
find /etc/apt/apt.conf.d -name '*proxy*' -exec cp {} "$root/etc/apt/apt.conf.d/" \;

enter=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"}
    chroot "$root")

inside() {
    "${enter[@]}" "$@"
}

# What is in the file system that has to do with us. The lists of dpkg say what was there once.
list() {
    (cd "$root" && find . -xdev \( -path ./tmp -o -path .$cache -o -path ./var/log \) -prune -o \
        -name '*rollcall*' -print)
}

install() {
    inside sh -c "apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 $*" \
        >"$root/tmp/apt.log" 2>&1 || fail "apt-get install $*: $(tail -n 15 "$root/tmp/apt.log")"
}

wait_until() {
    local what=$1
    local end=$((SECONDS + limit))

    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "waited $limit seconds in vain: $what"
        sleep 0.05
    done
}

answers() {
    inside rollcall stats --daemon
}

start_daemon() {
    # Not by a function: what the shell starts becomes the daemon.
    "${enter[@]}" rollcalld --config /etc/rollcall/rollcalld.conf &
    daemon=$!
    wait_until 'the daemon listens' answers
}

end_daemon() {
    kill -TERM "$daemon"
    wait "$daemon" || fail "the daemon ended with status $?"
    daemon=
}

pinned() {
    [ -d "$root/sys/fs/bpf/rollcall/rollcalld" ]
}

# ---- installed ----

inside apt-get update -q >"$root/tmp/apt.log" 2>&1 || skip "apt-get update: $(tail -n 3 "$root/tmp/apt.log")"
[ -z "$(list)" ] || fail "before it was installed: $(list)"
cp "$packages"/*.deb "$root/tmp/"
install '/tmp/rollcall_*.deb' '/tmp/librollcall-dev_*.deb'
inside rollcall --version >/dev/null
inside getent group rollcall >/dev/null || fail 'there is no group rollcall'
inside sh -c 'ldconfig -p | grep -q librollcall.so.0' || fail 'the library is not found'
[ "$(stat -c %a "$root/var/lib/rollcall")" = 700 ] || fail 'everyone may look for the journal'
for link in sysinit.target.wants/rollcalld.service sockets.target.wants/rollcalld.socket; do
    [ -L "$root/etc/systemd/system/$link" ] || fail "$link is not enabled"
done

start_daemon
[ "$(stat -c '%a %G' "$root/run/rollcall/rollcalld.socket")" = "660 $(stat -c %G "$root/run/rollcall/rollcalld.socket")" ] ||
    fail 'the socket has another mode'
gid=$(inside getent group rollcall | cut -d: -f3)
[ "$(stat -c %g "$root/run/rollcall/rollcalld.socket")" = "$gid" ] || fail 'the socket is of another group'
inside /bin/true

# ---- upgraded ----

echo '# of the administrator' >>"$root/etc/rollcall/rollcalld.conf"
for package in "$root"/tmp/*.deb; do
    dpkg-deb -R "$package" "$root/tmp/unpacked"
    sed -i -e 's/^Version: .*/&+1/' -e 's/^\(Depends: .*rollcall (= [0-9.]*\)/\1+1/' \
        "$root/tmp/unpacked/DEBIAN/control"
    dpkg-deb -b "$root/tmp/unpacked" "${package%.deb}+1.deb" >/dev/null
    rm -rf "$root/tmp/unpacked" "$package"
done
install '/tmp/rollcall_*+1.deb' '/tmp/librollcall-dev_*+1.deb'
inside sh -c 'dpkg -s rollcall' | grep -q '^Version: .*+1$' || fail 'it is not the newer version'
grep -q '^# of the administrator$' "$root/etc/rollcall/rollcalld.conf" || fail 'the settings are lost'
answers >/dev/null || fail 'the daemon was ended by the upgrade'
end_daemon
pinned || fail 'the kernel does not go on without the daemon'
inside /bin/true
start_daemon
end_daemon
holes=$(inside rollcall query /var/lib/rollcall/journal.db \
    'SELECT count(*) FROM epochs WHERE first_seq <> 1 OR last_seq <> events')
[ "$(tail -n 1 <<<"$holes" | tr -d ' ')" = 0 ] || fail "the journal has holes: $holes"

# ---- removed ----

inside apt-get remove -y -q rollcall librollcall-dev >"$root/tmp/apt.log" 2>&1 ||
    fail "apt-get remove: $(tail -n 15 "$root/tmp/apt.log")"
! pinned || fail 'it is still in the kernel'
[ -e "$root/var/lib/rollcall/journal.db" ] || fail 'the journal is gone with the package'
[ -e "$root/etc/rollcall/rollcalld.conf" ] || fail 'the settings are gone with the package'
inside dpkg --purge rollcall >"$root/tmp/apt.log" 2>&1 ||
    fail "dpkg --purge: $(tail -n 15 "$root/tmp/apt.log")"
rm -rf "$root/run/rollcall" # as at the next boot
[ -z "$(list)" ] || fail "left behind: $(list)"
! inside getent group rollcall >/dev/null || fail 'the group is left'
! inside dpkg -L rollcall >/dev/null 2>&1 || fail 'dpkg still knows files of it'
