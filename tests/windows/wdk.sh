#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The project for the WDK builds what the build with mingw-w64 builds: wdk.sh SOURCE BUILD. Then
# it is falsified: a source too few and one too many must show. Status 77: no such build.
set -euo pipefail
source_dir=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$source_dir/windows/driver/wdk
project=$folder/rollcall.vcxproj
solution=$folder/rollcall.sln

fail() {
    printf 'wdk: %s\n' "$*" >&2
    exit 1
}

# What the project compiles, below the source directory.
of_project() {
    sed -n 's/.*<ClCompile Include="\([^"]*\)".*/\1/p' "$1" | tr "\\\\" / | while read -r file; do
        realpath -m --relative-to="$source_dir" "$folder/$file"
    done | sort
}

# What makes rollcall.sys here, but for what the WDK brings itself.
of_build() {
    sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$build/compile_commands.json" |
        while read -r file; do
            realpath -m --relative-to="$source_dir" "$file"
        done | grep -E '^(core|windows/driver)/' | sort -u
}

if [ ! -f "$build/compile_commands.json" ]; then
    echo "skipped: the Windows build is not there: ./dev windows"
    exit 77
fi
of_build >"$work/build"
of_project "$project" >"$work/project"
grep -q '^core/' "$work/build" || fail 'the build compiles no core'
grep -q '^windows/driver/' "$work/build" || fail 'the build compiles no driver'
diff "$work/build" "$work/project" || fail '< only the build compiles, > only the project does'

# Objects lie in one folder.
twice=$(sed 's,.*/,,' "$work/project" | sort | uniq -d)
[ -z "$twice" ] || fail "two sources of this name overwrite each other's object: $twice"

# <wdf.h> is Microsoft's there.
! grep -n 'kmdf[\\/]' "$project" | grep -v '<!--' | grep -v 'has no part' ||
    fail 'the project sees windows/kmdf'
! grep -rn 'include.*kmdf' "$source_dir"/windows/driver/*.[ch] "$source_dir"/core/*.[ch] ||
    fail 'a source of the driver includes windows/kmdf by name'

for wanted in '<KMDF_VERSION_MINOR>15<' '<DriverType>KMDF<' '/INTEGRITYCHECK' \
    '<TreatWarningAsError>true<' '<RunCodeAnalysis>true<' '>0xA000003<' \
    'Inf Include="..\\rollcall.inf"'; do
    grep -q -- "$wanted" "$project" || fail "the project has no $wanted"
done

# The solution is of this project, and of each of its configurations.
guid=$(sed -n 's/.*<ProjectGuid>\(.*\)<.*/\1/p' "$project")
grep -qF "\"rollcall.vcxproj\", \"$guid\"" "$solution" || fail 'the solution has another project'
sed -n 's/.*<ProjectConfiguration Include="\(.*\)".*/\1/p' "$project" | while read -r each; do
    for wanted in "$each = $each" "$guid.$each.ActiveCfg = $each" "$guid.$each.Build.0 = $each"; do
        grep -qF "$wanted" "$solution" || fail "the solution lacks: $wanted"
    done
done

xmllint --noout "$project" || fail 'that is no XML'

# A source too few, and one too many.
sed '0,/<ClCompile Include/{/<ClCompile Include/d}' "$project" >"$work/fewer"
sed 's,.*<Inf Include.*,<ClCompile Include="..\\more.c" />&,' "$project" >"$work/more"
for changed in fewer more; do
    of_project "$work/$changed" >"$work/list"
    ! cmp -s "$work/build" "$work/list" || fail "this goes unnoticed: $changed"
done
echo "$(wc -l <"$work/project") sources"
