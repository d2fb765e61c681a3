#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which files `cmake --install` puts where, and that those which name others name what is there.
# usage: installed.sh BUILD-DIRECTORY SOURCE-DIRECTORY
set -euo pipefail

build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

DESTDIR=$work cmake --install "$build" >/dev/null
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:[A-Z]*=//p' "$build/CMakeCache.txt")
root=$work$prefix
libdir=$(dirname "$(find "$root" -name librollcall.a)")
libdir=${libdir#"$root/"}
version=$(sed -n 's/^Version: //p' "$root/$libdir/pkgconfig/rollcall.pc")

{
    cat <<END
bin/rollcall
etc/rollcall/rollcalld.conf
lib/systemd/system/rollcall-handlers.service
lib/systemd/system/rollcalld.service
lib/systemd/system/rollcalld.socket
$libdir/librollcall.a
$libdir/librollcall.so
$libdir/librollcall.so.0
$libdir/librollcall.so.$version
$libdir/pkgconfig/rollcall.pc
sbin/rollcalld
share/doc/librollcall-dev/copyright
share/doc/rollcall/README.md
share/doc/rollcall/copyright
END
    (cd "$source" && find include/rollcall -name '*.h')
    (cd "$source/man" && for page in *.[158]; do echo "share/man/man${page##*.}/$page"; done)
} | sort >"$work/expected"
(cd "$root" && find . -type f -o -type l) | sed 's|^\./||' | sort >"$work/found"
diff "$work/expected" "$work/found" >&2 || fail 'other files than these are installed'

[ -z "$(find "$work" -type f -path "$work/*" ! -path "$root/*" ! -path "$work/expected" \
    ! -path "$work/found")" ] || fail 'something is installed outside of the prefix'
for program in bin/rollcall sbin/rollcalld; do
    [ -x "$root/$program" ] || fail "$program cannot be executed"
done
grep -q "^ExecStart=$prefix/sbin/rollcalld --config $prefix/etc/rollcall/rollcalld.conf$" \
    "$root/lib/systemd/system/rollcalld.service" || fail 'the unit starts something else'

# What the example says is right: each line of it that is commented out, too. Its group may not be there.
sed -e 's/^#\([a-z\[]\)/\1/' -e 's/^group = .*/group = root/' -e 's/^users = .*/users = root/' \
    "$root/etc/rollcall/rollcalld.conf" >"$work/config"
"$root/sbin/rollcalld" --config "$work/config" --version >/dev/null ||
    fail 'the example is no configuration'
