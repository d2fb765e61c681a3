#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the libraries that rollcall.exe contains, for Windows, from Debian's source packages:
# libraries.sh DIRECTORY. What is there already is not built again.
set -euo pipefail

mkdir -p "$1"
directory=$(cd "$1" && pwd)
prefix=$directory/install
host=x86_64-w64-mingw32
jobs=$(nproc)

# The machine's own package sources, as sources of source packages. In a place of their own, so
# that nothing of the machine's is changed.
sources() {
    local file
    rm -rf "$directory/apt"
    mkdir -p "$directory/apt/sources" "$directory/apt/lists/partial" "$directory/apt/cache"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $file in
        *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$directory/apt/sources/${file##*/}" ;;
        *.list) sed -n 's/^deb /deb-src /p' "$file" >"$directory/apt/sources/${file##*/}" ;;
        esac
    done
}

apt() {
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$directory/apt/sources" \
        -o Dir::State::Lists="$directory/apt/lists" -o Dir::Cache="$directory/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

# unpack PACKAGE: its sources, in a folder of that name
unpack() {
    local file
    [ -d "$directory/apt/lists" ] || { sources && apt update; }
    (cd "$directory" && apt source --download-only "$1")
    rm -rf "${directory:?}/$1" "$directory/$1.part"
    for file in "$directory/$1"_*.dsc; do
        dpkg-source --no-check -x "$file" "$directory/$1.part"
    done
    mv "$directory/$1.part" "$directory/$1"
}

sqlite() {
    unpack sqlite3
    (cd "$directory/sqlite3" && ./configure >/dev/null && make sqlite3.c >/dev/null)
    $host-gcc -O2 -g -c -DSQLITE_THREADSAFE=1 -DSQLITE_DQS=0 -DSQLITE_OMIT_LOAD_EXTENSION \
        -DSQLITE_ENABLE_JSON1 "$directory/sqlite3/sqlite3.c" -o "$directory/sqlite3/sqlite3.o"
    install -Dm644 "$directory/sqlite3/sqlite3.h" "$prefix/include/sqlite3.h"
    mkdir -p "$prefix/lib"
    $host-ar rcs "$prefix/lib/libsqlite3.a" "$directory/sqlite3/sqlite3.o"
}

jansson() {
    unpack jansson
    (cd "$directory/jansson" &&
        cmake -S . -B build -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=$host-gcc \
            -DCMAKE_BUILD_TYPE=Release -DJANSSON_BUILD_SHARED_LIBS=OFF -DJANSSON_BUILD_DOCS=OFF \
            -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX="$prefix" \
            -DCMAKE_INSTALL_LIBDIR=lib &&
        cmake --build build -j "$jobs" && cmake --install build) >/dev/null
}

rm -rf "$directory/apt"
[ -f "$prefix/lib/libsqlite3.a" ] || sqlite
[ -f "$prefix/lib/libjansson.a" ] || jansson
rm -rf "$directory/apt"
