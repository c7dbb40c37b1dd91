#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machines.sh IMAGE INITRD: the kernel finds its devices on the machines that VMMs build: virtio
# over MMIO and over PCI, GIC version 2 and 3, messages on a PL011.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
image=$1 initrd=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
truncate -s 2M "$work/disk"

# Devices over PCI, beside those over MMIO that the bench machine has.
pci=(-drive "if=none,id=pcidisk,format=raw,readonly=on,file=$work/disk"
    -device "virtio-blk-pci,drive=pcidisk,serial=smk-layer-001"
    -netdev "user,id=net" -device "virtio-net-pci,netdev=net,romfile="
    -device virtio-rng-pci -device virtio-balloon-pci
    -device "virtio-serial-pci,id=pciserial" -chardev "null,id=pciconsole"
    -device "virtconsole,bus=pciserial.0,chardev=pciconsole")

# expect MACHINE PATTERN NAME: a line of the kernel's log.
expect() {
    if grep -Eq -- "$2" "$work/log"; then
        echo "ok kernel-machines: $1: $3"
    else
        echo "not ok kernel-machines: $1: $3: no line like '$2' in the log"
        failed=1
    fi
}

for gic in 2 3; do
    name="GICv$gic"
    "$top/tests/bench/icount.sh" "$image" "$initrd" "loglevel=7 console=ttyAMA0" \
        -serial "file:$work/log" -M "virt,gic-version=$gic" "${pci[@]}" >"$work/counts" 2>&1 || true
    if grep -q '^87 ' "$work/counts"; then
        echo "ok kernel-machines: $name: PID 1 runs"
    else
        echo "not ok kernel-machines: $name: PID 1 runs: $(head -n 1 "$work/counts")"
        failed=1
    fi
    expect "$name" 'Run /init as init process' 'console on a PL011'
    expect "$name" '\[vda\] 2048 512-byte' 'disk over MMIO'
    expect "$name" '\[vdb\] 4096 512-byte' 'disk over PCI'
    expect "$name" 'rtc-pl031.*setting system clock to 20' 'clock from the RTC'
    expect "$name" 'legacy console \[hvc0\] enabled' 'console on virtio'
done
exit $failed
