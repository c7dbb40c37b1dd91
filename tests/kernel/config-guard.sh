#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# config-guard.sh IMAGE: the committed kernel keeps its promises, and the guard notices when one is
# broken.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/kernel
required=$top/assets/kernel/required.config
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
config=$work/config
failed=0

report() {
    if [ "$2" = ok ]; then
        echo "ok kernel-config: $1"
    else
        echo "not ok kernel-config: $1: $2"
        failed=1
    fi
}

# guard_says EXPECTED CONFIG REQUIRED: the checker fails and prints exactly this line first.
guard_says() {
    local said
    if said=$("$top/assets/kernel/check-config.sh" "$2" "$3"); then
        echo "the guard passed"
    elif [ "$(head -n 1 <<<"$said")" = "$1" ]; then
        echo ok
    else
        echo "expected '$1', got '$(head -n 1 <<<"$said")'"
    fi
}

# The group of required.config that promises $1, as the guard prints it.
group_of() {
    awk -v o="$1" '/^## / { g = substr($0, 4) } $0 == o { print g }' "$required"
}

# case_broken NAME PROMISE: $work/broken breaks this promise.
case_broken() {
    local expected
    expected="kernel config: dropped: $2 ($(group_of "$2"))"
    report "$1" "$(guard_says "$expected" "$work/broken" "$required")"
}

"$here/image-config.sh" "$1" >"$config"
said=$("$top/assets/kernel/check-config.sh" "$config" "$required") && said=ok
report "the committed Image has every promised option" "$(head -n 1 <<<"$said")"

for option in CONFIG_SQUASHFS_XATTR=y CONFIG_NF_TABLES=y 'CONFIG_LOCALVERSION="-smk"'; do
    grep -vxF "$option" "$config" >"$work/broken"
    case_broken "dropped $option" "$option"
done

sed 's/^CONFIG_OVERLAY_FS=y$/# CONFIG_OVERLAY_FS is not set/' "$config" >"$work/broken"
case_broken "switched off" CONFIG_OVERLAY_FS=y

sed 's/^CONFIG_NR_CPUS=.*/CONFIG_NR_CPUS=2/' "$config" >"$work/broken"
case_broken "another value" CONFIG_NR_CPUS=64

{ grep -v CONFIG_MODULES "$config"; echo CONFIG_MODULES=y; } >"$work/broken"
case_broken "promised absence" "# CONFIG_MODULES is not set"

echo 'CONFIG OVERLAY_FS=y' >"$work/typo"
expected="kernel config: $work/typo:1: not an option line: CONFIG OVERLAY_FS=y"
report "a typing error in the contract" "$(guard_says "$expected" "$config" "$work/typo")"

: >"$work/empty"
expected="kernel config: $work/empty: promises nothing"
report "a contract that promises nothing" "$(guard_says "$expected" "$config" "$work/empty")"
exit $failed
