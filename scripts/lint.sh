#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh [--rules] [RULE...]: checks the tree below the current directory, one line a rule: "ok lint/RULE" or
# "not ok lint/RULE: first finding" with all findings, indented, before it.
#
# A rule is a function rule_RULE that prints findings, one a line, and prints nothing when all is well.
# scripts/lint-selftest.sh proves for each of them that it can fail.
set -u
export LC_ALL=C

file_max=400     # lines
function_max=60  # lines, the braces included
out=${LINT_BUILD:-build/lint}

# sys/stat.h is let through for its constants; lint-pure.sh sees to it that oci/ calls nothing of it.
# Each folder and the #include lines that must not stand in it (extended regular expression on what is
# between the quotes or angle brackets).
walls=(
    'oci     (unistd|fcntl|poll|dirent|sched|pthread|mntent|termios|spawn|time|ifaddrs)\.h|sys/([a-rt-z]|s[^t]|st[^a]|stat[a-z])|net/|netinet/|arpa/|linux/(fs|if|mount_setattr)|(init|lib|host)/|lzma\.h|smkernel\.h'
    'init    jansson\.h|(lib|host)/|lzma\.h|smkernel\.h'
    'lib     jansson\.h|(init|oci|host)/'
    'host    jansson\.h|init/'
    'include jansson\.h|(init|oci|lib|host)/'
)

# Files of the tree, tracked or about to be, that exist: those whose names match the expression.
files() {
    git ls-files --cached --others --exclude-standard | grep -E "$1" | while IFS= read -r file; do
        [ -f "$file" ] && printf '%s\n' "$file"
    done
}

c_files() {
    files '\.[ch]$'
}

# Shell scripts by name or by first line.
shell_files() {
    {
        files '\.sh$'
        files '^([^.]|\.ci/)*$' | while IFS= read -r file; do
            head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*\b(ba|da)?sh\b' && printf '%s\n' "$file"
        done
    } | sort -u
}

source_files() {
    {
        files '\.([chS]|sh|py|mk)$|(^|/)Makefile$'
        shell_files
    } | sort -u
}

# What people wrote, as opposed to what a licence's author or a compressor did.
text_files() {
    files . | grep -vE '\.(xz|gz|zst|cpio|img|bin|patch|png)$|^LICENSE-|^tests/cases/|/(corpus|data)/'
}

# SC2317: functions that are called by a name made at run time look unreachable. SC2016: awk and jq programs
# have dollars of their own. SC2001: sed where an expansion would do is no fault.
rule_shellcheck() {
    shell_files | xargs -r -d '\n' shellcheck -f gcc -x -e SC2317,SC2016,SC2001 2>&1
}

# Style is clang-format's subject. System headers are left out: they cost minutes and find nothing of ours.
# syntaxError: cppcheck 2.10 does not know a variadic macro without arguments; the compilers are the judges.
# nullPointerRedundantCheck in tests: CHECK() notes what is not so and goes on.
rule_cppcheck() {
    mkdir -p "$out/cppcheck"
    c_files | xargs -r -d '\n' cppcheck --quiet --std=c11 --enable=warning,performance,portability \
        --inline-suppr --suppress=missingIncludeSystem --suppress=syntaxError '--suppress=nullPointerRedundantCheck:tests/*' \
        --cppcheck-build-dir="$out/cppcheck" -I. -Iinclude \
        --template='{file}:{line}: {id}: {message}' 2>&1
}

rule_man() {
    files '^docs/man/[^/]*\.[1-8]$' | xargs -r -d '\n' mandoc -T lint -W warning 2>&1
}

rule_walls() {
    local wall room forbidden
    for wall in "${walls[@]}"; do
        read -r room forbidden <<<"$wall"
        files "^$room/.*\.[ch]\$" | xargs -r -d '\n' grep -nHE \
            "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($forbidden)" |
            sed "s,\$, (not allowed in $room/),"
    done
    files '^include/.*\.c$' | sed 's,$,: no code in include/,'
    json_headers | while IFS= read -r header; do
        files '^(init|lib|host|include)/.*\.[ch]$' | xargs -r -d '\n' grep -nHF "#include \"$header\"" |
            sed 's,$, (a JSON type leaves oci/),'
    done
}

# Headers of oci/ that name a JSON type, and those that include one of them.
json_headers() {
    local all more
    all=$(files '^oci/.*\.h$' | xargs -r -d '\n' grep -lw 'json_t')
    while [ -n "$all" ]; do
        more=$(files '^oci/.*\.h$' | xargs -r -d '\n' grep -lFf <(sed 's,.*/,",' <<<"$all"))
        more=$(printf '%s\n' "$all" "$more" | sed '/^$/d' | sort -u)
        [ "$more" != "$all" ] || break
        all=$more
    done
    [ -z "$all" ] || printf '%s\n' "$all"
}

rule_file-length() {
    source_files | while IFS= read -r file; do
        lines=$(wc -l <"$file")
        [ "$lines" -le "$file_max" ] || echo "$file: $lines lines, at most $file_max"
    done
}

# A function's body in C is what stands between a "{" and a "}" in the first column; in shell,
# between "name() {" and "}" there.
rule_function-length() {
    { c_files; shell_files; } | xargs -r -d '\n' awk -v max="$function_max" '
        FNR == 1 { begin = 0; name = "" }
        FILENAME ~ /\.[ch]$/ && /^[A-Za-z_].*\(/ && !/;/ { name = $0 }
        FILENAME ~ /\.[ch]$/ && /^\{/ { begin = FNR }
        FILENAME !~ /\.[ch]$/ && /^[A-Za-z_-]+\(\) *[{(]$/ { begin = FNR; name = $0 }
        /^[})]/ && begin {
            if (FNR - begin + 1 > max)
                print FILENAME ":" begin ": " FNR - begin + 1 " lines, at most " max ": " name
            begin = 0
        }'
}

# Package archives are found through the machine's own apt configuration; a source names no host at all. (The name
# of an XML vocabulary is no host.)
rule_hosts() {
    local archive='(deb|archive|security|ports|mirrors?|snapshot|packages|ftp|cdn|proxy)'
    text_files | xargs -r -d '\n' grep -nHIE "\b$archive(\.[a-z0-9-]+)*\.[a-z0-9-]+\.(org|com|net|io|edu|dev)\b"
    text_files | grep -vE '^docs/|^[^/]*\.md$|^NOTICE$' |
        xargs -r -d '\n' grep -nHIE '\b(https?|ftp|git|ssh|rsync)://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}' |
        grep -v 'xmlns="'
}

rule_spdx() {
    source_files | while IFS= read -r file; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0' ||
            echo "$file: no SPDX line with Apache-2.0 at the top"
    done
    # Patches are exported by git, which has no place for such a line: their directory has it.
    files '^assets/kernel/patches/.*\.patch$' | while IFS= read -r file; do
        grep -qs 'SPDX-License-Identifier: GPL-2\.0-only' "$file" "$(dirname "$file")/LICENSE" ||
            echo "$file: no SPDX line with GPL-2.0-only, and no LICENSE with one beside it"
    done
}

rule_whitespace() {
    text_files | xargs -r -d '\n' grep -nHI '[[:space:]]$' | sed 's/:[^:]*$/: blank at the end of the line/'
    text_files | while IFS= read -r file; do
        [ -z "$(tail -c 1 "$file" | tr -d '\n\0')" ] || echo "$file: no newline at the end"
    done
}

# Written so that this file does not find itself.
rule_promises() {
    text_files | xargs -r -d '\n' grep -nHIwE 'TO[D]O|FIX[M]E|XX[X]|HA[C]K'
}

rule_typedefs() {
    c_files | xargs -r -d '\n' grep -nHE '^[[:space:]]*typedef[[:space:]]+(struct|union)\b'
}

# Headings of a Markdown file as the anchors that its readers make of them.
anchors() {
    grep -E '^#+ ' "$1" | sed -E 's/^#+ +//; s/[^A-Za-z0-9 _-]//g; s/ /-/g' | tr '[:upper:]' '[:lower:]'
}

rule_links() {
    local file line target path anchor
    files '\.md$' | while IFS= read -r file; do
        grep -noE '\]\([^)[:space:]]+\)' "$file" | while IFS=: read -r line target; do
            target=${target#](}
            target=${target%)}
            case $target in
            *://* | mailto:*) continue ;;
            esac
            path=${target%%#*}
            anchor=${target#"$path"}
            path=${path:+$(dirname "$file")/$path}
            path=${path:-$file}
            if [ ! -e "$path" ]; then
                echo "$file:$line: $target: no such file"
            elif [ -n "$anchor" ] && ! anchors "$path" | grep -qx -- "${anchor#\#}"; then
                echo "$file:$line: $target: no such heading"
            fi
        done
    done
}

rules=(shellcheck cppcheck man walls file-length function-length hosts spdx whitespace promises typedefs links)

run_rule() {
    local found
    found=$("rule_$1")
    if [ -z "$found" ]; then
        echo "ok lint/$1"
        return 0
    fi
    sed 's/^/    /' <<<"$found"
    echo "not ok lint/$1: $(head -n 1 <<<"$found")"
    return 1
}

if [ "${1-}" = --rules ]; then
    printf '%s\n' "${rules[@]}"
    exit 0
fi
git rev-parse --is-inside-work-tree >/dev/null || exit 1
[ $# -gt 0 ] || set -- "${rules[@]}"
failed=0
for rule in "$@"; do
    run_rule "$rule" || failed=1
done
exit $failed
