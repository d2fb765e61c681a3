# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Which kernels there are, and how to get them: from the mirror that this machine's apt uses, but
# with lists of their own, so that nothing of the machine is changed. For run.sh.

# Of some there are only the tests of one feature, as they are booted otherwise than usual for it.
kernels=()
declare -A suites packages parameters only

read_kernels() {
    local name suite package feature booted
    while IFS=$'\t' read -r name suite package feature booted; do
        case $name in '#'* | '') continue ;; esac
        kernels+=("$name")
        suites[$name]=$suite
        packages[$name]=$package
        only[$name]=$feature
        parameters[$name]=$booted
    done <"$here/kernels.tsv"
}

mirror() {
    # shellcheck disable=SC2016 # the variable is apt's
    apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

# apt_in SUITE COMMAND...: apt-get or apt-cache, with that suite alone.
apt_in() {
    local apt=$work/apt/$1
    "$2" -q=2 -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Sandbox::User=root \
        -o Acquire::Languages=none "${@:3}"
}

# Once in a run: what a suite has.
update_suite() {
    local apt=$work/apt/$1 from
    [ ! -f "$apt/updated.$$" ] || return 0
    from=$(mirror)
    [ -n "$from" ] || return 1
    rm -rf "$apt"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    printf 'deb [signed-by=%s] %s %s main\n' /usr/share/keyrings/debian-archive-keyring.gpg \
        "$from" "$1" >"$apt/sources.list"
    apt_in "$1" apt-get update || return 1
    touch "$apt/updated.$$"
}

# depends_on SUITE PACKAGE PREFIX: the first package with that prefix that it depends on.
depends_on() {
    apt_in "$1" apt-cache show "$2" | grep '^Depends:' | grep -o "$3[0-9][^ ,]*" | head -n 1
}

# The package that holds the kernel which a package of all kernels of its kind leads to now. Newer
# ones have it in one of its own.
real_package() {
    local real binary
    real=$(depends_on "$1" "$2" linux-image-)
    binary=$([ -z "$real" ] || depends_on "$1" "$real" linux-binary-)
    echo "${binary:-$real}"
}

# It is among the first files; what comes after them, the modules, is not waited for.
unpack_kernel() {
    (set +o pipefail && dpkg-deb --fsys-tarfile "$1"/*.deb 2>/dev/null |
        tar -x -O --occurrence=1 --wildcards '*/vmlinuz*') >"$1/vmlinuz"
}

# get_kernel NAME: leaves the kernel's file in $image. If there is none, why not, in $unusable.
get_kernel() {
    local suite=${suites[$1]} package
    local directory=$work/kernels/$suite/${packages[$1]}
    image=$(compgen -G "$directory/linux-*" | head -n 1) || true
    [ -z "$image" ] || return 0
    unusable="this machine's mirror does not have $suite"
    update_suite "$suite" || return 0
    unusable="$suite has no ${packages[$1]}"
    package=$(real_package "$suite" "${packages[$1]}")
    [ -n "$package" ] || return 0
    unusable="$package cannot be downloaded"
    rm -rf "$directory"
    mkdir -p "$directory"
    (cd "$directory" && apt_in "$suite" apt-get download "$package") || return 0
    unusable="$package holds no kernel"
    unpack_kernel "$directory" && rm "$directory"/*.deb || return 0
    mv "$directory/vmlinuz" "$directory/$package"
    image=$directory/$package unusable=
}
