#!/bin/sh
# SPDX-License-Identifier: MIT
# Every option that `rollcall COMMAND --help` tells is in the man page of the command, and the
# reverse; every command has a page; and mandoc finds nothing wrong.
#
# usage: man_options.sh ROLLCALL MAN_DIRECTORY [COMMAND...]
# COMMAND: has a page, but is there on other systems only.
set -eu

rollcall=$1
pages=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=

# Lines like "-j --json" or "--for", sorted.
of_help() {
    "$rollcall" "$1" --help |
        sed -n -E 's/^ +(-[a-z]), (--[a-z-]+).*/\1 \2/p; s/^ +(--[a-z-]+).*/\1/p' | sort
}

of_page() {
    sed -n -E 's/^\.It Fl ([a-z]) , (Fl )?-([a-z-]+).*/-\1 --\3/p; s/^\.It Fl -([a-z-]+).*/--\1/p' "$1" |
        sort
}

"$rollcall" --help | sed -n -E 's/^  ([a-z]+) .*/\1/p' | sort >"$scratch/commands"
for page in "$pages"/rollcall-*.1; do
    basename "$page" .1
done | sed 's/^rollcall-//' | sort >"$scratch/all-pages"
printf '%s\n' "$@" | sort >"$scratch/elsewhere"
comm -23 "$scratch/all-pages" "$scratch/elsewhere" >"$scratch/pages"
diff "$scratch/commands" "$scratch/pages" || failed=yes

while read -r command; do
    of_help "$command" >"$scratch/help"
    of_page "$pages/rollcall-$command.1" >"$scratch/page"
    test -s "$scratch/help"
    diff "$scratch/help" "$scratch/page" || {
        echo "$command: < is only in --help, > only in the man page"
        failed=yes
    }
done <"$scratch/pages"

if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$pages"/*.1 "$pages"/*.5 || failed=yes
elif test -z "$failed"; then
    echo "skipped: mandoc is not installed, so the pages themselves were not checked"
    exit 77
fi
test -z "$failed"
