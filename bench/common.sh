# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# What the scripts that measure share. $memory is where their tables are put together.

say() { printf '%s\n' "bench: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# take_options OPTION...: sets $quick and $out, of a script that has only these.
take_options() {
    quick=
    out=build/bench
    while [ $# -gt 0 ]; do
        case $1 in
        --quick) quick=1 ;;
        --out)
            [ $# -ge 2 ] || { usage >&2 && exit 2; }
            out=$2
            shift
            ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
        esac
        shift
    done
}

# How much of the processors is used before anything is measured, in percent.
busy_percent() {
    local first second
    first=$(head -1 /proc/stat)
    sleep 3
    second=$(head -1 /proc/stat)
    printf '%s\n%s\n' "$first" "$second" | awk '
        { idle[NR] = $5 + $6; for (i = 2; i <= 9; i++) all[NR] += $i }
        END { printf "%d\n", 100 - 100 * (idle[2] - idle[1]) / (all[2] - all[1]) }'
}

# group FILE VALUE KEY...: of a column VALUE, for each combination of the columns KEY:
# "key|key<TAB>count<TAB>min<TAB>median<TAB>p99<TAB>max".
group() {
    awk -F'\t' -v OFS='\t' -v value="$2" -v keys="${*:3}" '
        NR > 1 {
            n = split(keys, k, " ")
            key = $k[1]
            for (i = 2; i <= n; i++) key = key "|" $k[i]
            print key, $value
        }' "$1" | sort -t $'\t' -k1,1 -k2,2g | awk -F'\t' -v OFS='\t' '
        function flush() {
            if (n)
                print key, n, v[1], (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2,
                    v[int((n * 99 + 99) / 100)], v[n]
            n = 0
        }
        $1 != key { flush(); key = $1 }
        { v[++n] = $2 }
        END { flush() }'
}

# figure FILE KEY FORMAT DIVISOR COLUMN...: columns (3 min, 4 median, 5 p99, 6 max) of a group.
figure() {
    awk -F'\t' -v key="$2" -v format="$3" -v divisor="$4" -v columns="${*:5}" '
        function commas(text,    sign) {
            while (match(text, /[0-9][0-9][0-9][0-9]+/) && text !~ /[.]/)
                sub(/[0-9][0-9][0-9]($|,)/, ",&", text)
            return text
        }
        $1 == key {
            n = split(columns, c, " ")
            for (i = 1; i <= n; i++) v[i] = commas(sprintf(format, $c[i] / divisor))
            if (n == 3) printf "%s (%s .. %s)", v[1], v[2], v[3]
            else printf "%s", v[1]
        }' "$1"
}

# goal NAME MEASURED RELATION LIMIT
goal() {
    awk -v name="$1" -v measured="$2" -v relation="$3" -v limit="$4" 'BEGIN {
        if (measured == "") verdict = "not measured"
        else if (relation == "at least") verdict = measured + 0 >= limit + 0 ? "yes" : "no"
        else verdict = measured + 0 <= limit + 0 ? "yes" : "no"
        printf "| %s | %s %s | %s | %s |\n", name, relation, limit, measured, verdict
    }'
}

# raw FILE KEY COLUMN [FACTOR]
raw() {
    awk -F'\t' -v key="$2" -v column="$3" -v factor="${4:-1}" '
        $1 == key { printf "%.6g", $column * factor }' "$1" 2>/dev/null
}

commit() {
    git describe --always 2>/dev/null || echo unknown
}

# measured DATE COMMIT BUSY [WHAT]: when this was measured, and of what.
measured() {
    echo "- ${4:-measured}: $1; rollcall $2; processors busy before: $3 %"
}

# machine PACKAGE...: where this was measured, and with which versions of what.
machine() {
    local package version
    echo "- processor: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) used here"
    echo "- memory: $(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)"
    echo "- kernel: $(uname -srm)"
    for package in "$@"; do
        version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)
        echo "- $package: ${version:-not installed}"
    done
}

# fill_template TEMPLATE: puts each table, a file in $memory, in the place of its name.
fill_template() {
    awk -v directory="$memory" '
        /^@[a-z]+@$/ {
            file = directory "/" substr($0, 2, length($0) - 2) ".md"
            while ((getline line < file) > 0) print line
            next
        }
        { print }' "$1"
}
