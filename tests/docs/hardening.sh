#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hardening.sh: every row of docs/hardening.md names a guard and cases, and the files and cases exist.
set -u
export LC_ALL=C
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

{
    tests/ns/run.py --list
    tests/ns/test_matrix.py --list
    tests/fault/sweep.py --list
    python3 tests/vm/run.py --list
    find tests/cases -mindepth 1 -maxdepth 1 -type d -printf 'cases/%f\n'
} | sort -u >"$scratch/cases"

# The rows without their outer bars: "attack | guard | cases".
rows() {
    sed -n 's/^| \(.*\) |$/\1/p' "$1" | grep -v '^\(attack\|fault\) |'
}

# names COLUMN DOCUMENT: what stands in the column between backticks and looks like a path.
names() {
    rows "$2" | awk -F ' [|] ' -v n="$1" '{print $n}' | grep -o '`[a-z]*/[^`]*`' | tr -d '`' | sort -u
}

# What is wrong with a document, a line each.
problems() {
    rows "$1" | awk -F ' [|] ' 'NF != 3 || $2 == "" || $3 !~ /^`[^|]*`$/ {print "the row \"" $1 "\" lacks something"}'
    names 2 "$1" | while read -r file; do
        [ -f "$file" ] || echo "no file $file"
    done
    comm -23 <(names 3 "$1") "$scratch/cases" | sed 's/^/no case /'
    [ "$(rows "$1" | wc -l)" -ge 50 ] || echo "only $(rows "$1" | wc -l) rows"
}

# is NAME WANTED GOT
is() {
    if [ "$2" = "$3" ]; then
        echo "ok docs/$1"
    else
        echo "not ok docs/$1: wanted '$2', got '$3'"
        failed=1
    fi
}

# spoilt NAME WANTED SED-COMMAND: a copy with that change is found out.
spoilt() {
    sed "$3" docs/hardening.md >"$scratch/copy"
    is "$1" "$2" "$(problems "$scratch/copy" | head -n 1)"
}

is hardening-rows "" "$(problems docs/hardening.md | head -n 1)"
spoilt hardening-notices-a-lost-case "no case ns/nosuch" 's,ns/var-run-link,ns/nosuch,'
spoilt hardening-notices-a-lost-file "no file init/nosuch.c" 's,init/lookup.c,init/nosuch.c,'
spoilt hardening-notices-a-row-without-cases 'the row "modes of a tmpfs are lost" lacks something' 's,| `ns/tmpfs-modes` .* |$,| |,'
spoilt hardening-notices-lost-rows "only 0 rows" 's/^| .*//'
exit $failed
