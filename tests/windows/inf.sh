#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rollcall.inf, as far as it can be looked at without InfVerif: inf.sh SOURCE. What Microsoft
# documents for a primitive driver, whole references, and that it installs what `rollcall service
# install` does. Then it is falsified in one place after the other: each must show.
set -euo pipefail
source_dir=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# entries FILE: a line "section<tab>key<tab>value" for each entry, without comments and quotes;
# sections in lower case.
entries() {
    awk '{ sub(/\r$/, "") }
        /^[ \t]*(;|$)/ { next }
        /^\[.*\]$/ { section = tolower(substr($0, 2, length($0) - 2)); print section; next }
        {
            if ($0 !~ /"/) sub(/[ \t]*;.*/, "")
            split($0, part, "=")
            key = part[1]; value = substr($0, length(key) + 2)
            if ($0 !~ /=/) { key = $0; value = "" }
            gsub(/^[ \t]+|[ \t]+$/, "", key); gsub(/^[ \t"]+|[ \t"]+$/, "", value)
            print section "\t" key "\t" value
        }' "$1"
}

# value SECTION KEY
value() { awk -F '\t' -v s="$1" -v k="$2" '$1 == s && $2 == k { print $3 }' "$work/entries"; }

# number NAME FILE: what a macro is defined as, computed.
number() {
    local text
    text=$(sed -n "s/^#define $1  *\([^/]*\).*/\1/p" "$source_dir/$2" | sed 's/\([0-9]\)u/\1/g')
    echo $((text))
}

expect() { # WHAT FOUND EXPECTED
    [ "$2" = "$3" ] || { echo "$1 is '$2', not '$3'"; return 1; }
}

# What stands in the references of each section, and that what is referred to is there once.
references() {
    local install=$1 files service registry
    files=$(value "$install" CopyFiles | tr '[:upper:]' '[:lower:]')
    service=$(value "$install.services" AddService | cut -d, -f3 | tr '[:upper:]' '[:lower:]')
    registry=$(value "$service" AddReg | tr '[:upper:]' '[:lower:]')
    printf '%s\n' version sourcedisksnames sourcedisksfiles destinationdirs strings "$install" \
        "$install.services" "$files" "$service" "$registry" | sort >"$work/referred"
    grep -v $'\t' "$work/entries" | sort >"$work/sections"
    diff "$work/referred" "$work/sections" || {
        echo '< is referred to or needed, > is there'
        return 1
    }
    expect 'the destination of the files' \
        "$(awk -F '\t' -v s="$files" '$1 == "destinationdirs" && tolower($2) == s { print $3 }' \
            "$work/entries")" 13 || return 1
    expect 'what is copied' "$(awk -F '\t' -v s="$files" '$1 == s && $2 { print $2 }' \
        "$work/entries")" rollcall.sys || return 1
    expect 'the disk of the file' "$(value sourcedisksfiles rollcall.sys)" 1 || return 1
    [ -n "$(value sourcedisksnames 1)" ] || { echo 'there is no disk 1'; return 1; }
}

# Each %string% is defined, and each definition is used.
strings() {
    grep -v '^strings' "$work/entries" | grep -oE '%[A-Za-z]+%' | tr -d % | sort -u >"$work/used"
    awk -F '\t' '$1 == "strings" && $2 { print $2 }' "$work/entries" | sort >"$work/defined"
    diff "$work/used" "$work/defined" || { echo '< is used, > is defined'; return 1; }
}

version() {
    local date version project
    expect Signature "$(value version Signature)" "\$Windows NT\$" || return 1
    for key in Class ClassGuid Provider; do
        [ -n "$(value version $key)" ] || { echo "there is no $key"; return 1; }
    done
    expect CatalogFile "$(value version CatalogFile)" rollcall.cat || return 1
    expect PnpLockdown "$(value version PnpLockdown)" 1 || return 1
    date=$(value version DriverVer | cut -d, -f1)
    version=$(value version DriverVer | cut -d, -f2)
    if ! [[ $date =~ ^[0-9]{2}/[0-9]{2}/[0-9]{4}$ ]] || ! date -d "$date" >/dev/null; then
        echo "the date '$date' is none"
        return 1
    fi
    project=$(sed -n 's/^project(rollcall VERSION \([0-9.]*\).*/\1/p' "$source_dir/CMakeLists.txt")
    expect 'the version' "$version" "$project.0" || return 1
    expect "the version in rollcall.vcxproj" "$(sed -n 's/.*<TimeStamp>\(.*\)<.*/\1/p' \
        "$source_dir/windows/driver/wdk/rollcall.vcxproj")" "$version"
}

# The same service as `rollcall service install` makes.
service() {
    local section=$1 install=$2 manager=$source_dir/windows/service/manager.c name start
    name=$(sed -n 's/^#define DRIVER_SERVICE *L"\(.*\)"/\1/p' "$source_dir/windows/service/names.h")
    expect 'the service' "$(value "$install.services" AddService | cut -d, -f1)" "$name" || return 1
    start=$(sed -n 's/.*\.driver_start = \([A-Z_]*\).*/\1/p' "$source_dir/windows/cli/service.c")
    expect 'the default start type of service.c' "$start" SERVICE_DEMAND_START || return 1
    expect StartType "$(value "$section" StartType)" 3 || return 1
    grep -q 'SERVICE_KERNEL_DRIVER, options->driver_start' "$manager" ||
        { echo 'manager.c makes another kind of service'; return 1; }
    expect ServiceType "$(value "$section" ServiceType)" 1 || return 1
    grep -q 'SERVICE_ERROR_NORMAL, image' "$manager" ||
        { echo 'manager.c has another error control'; return 1; }
    expect ErrorControl "$(value "$section" ErrorControl)" 1 || return 1
    expect ServiceBinary "$(value "$section" ServiceBinary)" '%13%\rollcall.sys' || return 1
    for key in DisplayName Description; do
        grep -qF "L\"$(value strings "$(value "$section" $key | tr -d %)")\"" "$manager" ||
            { echo "manager.c has another $key"; return 1; }
    done
}

# parameter NAME DEFAULT LINES: the driver reads it, and does without it what it says.
parameter() {
    local line
    line=$(grep "^HKR,Parameters,$1," <<<"$3" || true)
    [ -n "$line" ] || { echo "$1 is not set"; return 1; }
    expect "the type of $1" "$(cut -d, -f4 <<<"$line")" 0x00010003 || return 1
    expect "$1" "$(($(cut -d, -f5 <<<"$line")))" "$2" || return 1
    grep -q "L\"$1\"" "$source_dir/windows/driver/parameters.c" ||
        { echo "the driver does not read $1"; return 1; }
}

parameters() {
    local lines protocol=include/rollcall/protocol.h
    lines=$(awk -F '\t' -v s="$1" '$1 == s && $2 { print $2 }' "$work/entries")
    parameter Budget "$(number ROLLCALL_BUDGET_DEFAULT $protocol)" "$lines" &&
        parameter RecordMax "$(number ROLLCALL_RECORD_MAX $protocol)" "$lines" &&
        parameter Policy 0 "$lines" &&
        expect 'the number of parameters' "$(wc -l <<<"$lines")" \
            "$(grep -c 'read(key' "$source_dir/windows/driver/parameters.c")"
}

# look FILE: all of it; says what is wrong.
look() {
    local install="defaultinstall.nt\$arch\$" service_section
    entries "$1" >"$work/entries"
    # What a primitive driver may not have.
    ! grep -iE $'^(manufacturer|defaultinstall|defaultuninstall[^\t]*)(\t|$)' "$work/entries" ||
        return 1
    version && references "$install" && strings || return 1
    service_section=$(value "$install.services" AddService | cut -d, -f3 | tr '[:upper:]' '[:lower:]')
    service "$service_section" "$install" &&
        parameters "$(value "$service_section" AddReg | tr '[:upper:]' '[:lower:]')"
}

inf=$source_dir/windows/driver/rollcall.inf
look "$inf" || { echo "inf: $inf is not right" >&2; exit 1; }

# falsify SED-SCRIPT: so changed it is wrong.
falsify() {
    sed "$1" "$inf" >"$work/false.inf"
    ! cmp -s "$inf" "$work/false.inf" || { echo "inf: this changes nothing: $1" >&2; exit 1; }
    ! look "$work/false.inf" >/dev/null 2>&1 || { echo "inf: this goes unnoticed: $1" >&2; exit 1; }
}
falsify 's/^\[Driver.Files\]/[Driver.File]/'
falsify 's/AddReg *= Driver.Parameters/AddReg = Driver.Parameter/'
falsify 's/Driver.Files = 13/Driver.Files = 12/'
falsify 's/%13%/%12%/'
falsify 's/^rollcall.sys = 1/rollcall.sys = 2/'
falsify 's/rollcall,0x00000010,/rollcal,0x00000010,/'
falsify 's/StartType     = 3/StartType     = 2/'
falsify 's/ServiceType   = 1/ServiceType   = 2/'
falsify 's/^Name .*/Name = "another"/'
falsify 's/^Disk .*//'
falsify 's/Budget,0x00010003,0x02000000/Budget,0x00010003,0x03000000/'
falsify 's/Policy,0x00010003/Policy,0x00010001/'
falsify '/RecordMax/d'
falsify 's/,0.1.0.0/,0.1.0/'
falsify 's,11/24/2026,24/11/2026,'
falsify "\$a [DefaultInstall]\nCopyFiles = Driver.Files"
falsify "\$a [Manufacturer]"
falsify '/^ClassGuid/d'
echo "$(grep -vc $'\t' "$work/entries") sections"
