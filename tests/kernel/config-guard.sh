#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# config-guard.sh IMAGE: the committed kernel keeps its promises, and the guard notices a broken one.
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
        echo "expected '$1', got '$said'"
    fi
}

# An option that the configurator dropped: the line is gone.
case_dropped() {
    local option=$1 group
    group=$(awk -v o="$option" '/^## / { g = substr($0, 4) } $0 == o { print g }' "$required")
    grep -vxF "$option" "$config" >"$work/broken"
    report "dropped $option" "$(guard_says "kernel config: dropped: $option ($group)" "$work/broken" "$required")"
}

"$here/image-config.sh" "$1" >"$config"
if said=$("$top/assets/kernel/check-config.sh" "$config" "$required"); then
    report "the committed Image has every promised option" ok
else
    report "the committed Image has every promised option" "$said"
fi

case_dropped CONFIG_SQUASHFS_XATTR=y
case_dropped CONFIG_NF_TABLES=y
case_dropped CONFIG_LOCALVERSION=\"-smk\"

sed 's/^CONFIG_OVERLAY_FS=y$/# CONFIG_OVERLAY_FS is not set/' "$config" >"$work/broken"
report "switched off" "$(guard_says "kernel config: dropped: CONFIG_OVERLAY_FS=y ($(sed -n 's/^## \(layers: .*\)/\1/p' "$required"))" "$work/broken" "$required")"

sed 's/^CONFIG_NR_CPUS=.*/CONFIG_NR_CPUS=2/' "$config" >"$work/broken"
report "another value" "$(guard_says "kernel config: dropped: CONFIG_NR_CPUS=64 ($(sed -n 's/^## \(machine: .*\)/\1/p' "$required"))" "$work/broken" "$required")"

{ cat "$config"; echo CONFIG_MODULES=y; } >"$work/broken"
report "promised absence" "$(guard_says "kernel config: dropped: # CONFIG_MODULES is not set ($(sed -n 's/^## \(identity: .*\)/\1/p' "$required"))" "$work/broken" "$required")"

echo 'CONFIG OVERLAY_FS=y' >"$work/typo"
report "a typing error in required.config" "$(guard_says "kernel config: $work/typo:1: not an option line: CONFIG OVERLAY_FS=y" "$config" "$work/typo")"

: >"$work/empty"
report "a contract that promises nothing" "$(guard_says "kernel config: $work/empty: promises nothing" "$config" "$work/empty")"
exit $failed
