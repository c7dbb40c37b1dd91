#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boot.sh IMAGE XZ INITRD: the kernel's budgets: sizes, memory, instructions and waits up to PID 1.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
image=$1 xz=$2 initrd=$3
max_image=$((12 << 20))
max_xz=$((4 << 20))
max_instructions=20000000
max_wait_ns=1000000
failed=0

report() {
    if [ "$2" = ok ]; then
        echo "ok kernel-boot: $1"
    else
        echo "not ok kernel-boot: $1: $2"
        failed=1
    fi
}

# budget NAME VALUE LIMIT
budget() {
    if [ "$2" -le "$3" ]; then
        report "$1 ($2 of $3)" ok
    else
        report "$1" "$2 is more than $3"
    fi
}

# boot CPUS MEMORY: prints the instructions and the waited nanoseconds up to PID 1.
boot() {
    ICOUNT_CPUS=$1 ICOUNT_MEMORY=$2 "$top/tests/bench/icount.sh" "$image" "$initrd" 2>&1 |
        awk '$1 == 87 { n = $2 } $1 == "value" { print n, ($2 > n ? $2 - n : 0); found = 1 }
            END { if (!found) print "none" }'
}

budget "size of the Image" "$(stat -Lc %s "$image")" $max_image
budget "size of the xz" "$(stat -Lc %s "$xz")" $max_xz
for cpus in 1 2; do
    read -r instructions wait <<<"$(boot $cpus 256)"
    if [ "$instructions" = none ]; then
        report "boots with $cpus CPUs" "PID 1 did not run"
        continue
    fi
    budget "instructions to PID 1, $cpus CPUs" "$instructions" $max_instructions
    budget "waits to PID 1 in ns, $cpus CPUs" "$wait" $max_wait_ns
done
read -r instructions wait <<<"$(boot 1 32)"
[ "$instructions" = none ] && said="PID 1 did not run" || said=ok
report "boots with 32 MiB" "$said"
exit $failed
