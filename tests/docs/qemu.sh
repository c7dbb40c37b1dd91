#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# qemu.sh SMK BUNDLE WORDS: runs the QEMU command line of docs/boot-contract.md as it stands there: with virtio over
# MMIO and over PCI, with the control channel and with the console alone, and in the variants that the text names.
# SMK provides kernel, initramfs and layer. The container's output must contain WORDS, and the run must end with
# an exit record of code 0.
set -u

[ $# -eq 3 ] || { echo "usage: qemu.sh SMK BUNDLE WORDS" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
words=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" run --print-vmm --keep "$2" >"$work/vmm" || exit 1
# part NAME: a file that smk made for the machine.
part() {
    sed -nE "s/^# $1: ([^ ]*)( \(.*)?\$/\1/p" "$work/vmm"
}
ln -s "$(part kernel)" "$work/kernel"
mv "$(part initramfs)" "$work/initramfs.cpio"
rmdir "$(dirname "$(part initramfs)")"
ln -s "$(part layer)" "$work/layer.squashfs"
document=$here/../../docs/boot-contract.md
failed=0

# The first command line in the document, continued lines joined.
command_line() {
    sed -n '/^    qemu-system-aarch64/,/[^\\]$/p' "$document" | sed 's/\\$//' | tr '\n' ' '
}

# judge NAME FILE: FILE is what came out of the machine.
judge() {
    local reason=
    grep -qF "$words" "$2" || reason="the container's output is missing"
    grep -aq '"phase":"run","code":0,' "$2" || reason=${reason:-"no exit record with code 0"}
    if [ -z "$reason" ]; then
        echo "ok docs/qemu-$1"
    else
        sed 's/^/    /' "$2" | tail -n 20
        echo "not ok docs/qemu-$1: $reason"
        failed=1
    fi
}

run_console() {
    (cd "$work" && timeout 60 bash -c "$2" </dev/null >"out-$1" 2>&1)
    judge "$1" "$work/out-$1"
}

# QEMU waits for the channel's other end before it starts the machine.
run_channel() {
    (cd "$work" && timeout 60 bash -c "$2" </dev/null >"console-$1" 2>&1) &
    python3 "$here/listen.py" "$work/control.sock" >"$work/out-$1"
    wait $!
    cat "$work/console-$1" >>"$work/out-$1"
    judge "$1" "$work/out-$1"
    rm -f "$work/control.sock"
}

mmio=$(command_line)
pci=${mmio//-device,/-pci,}
pci=${pci//-global virtio-mmio.force-legacy=false/}
console_only() {
    sed 's/-chardev socket,[^ ]* *-device virtserialport,[^ ]*//' <<<"$1"
}

run_channel mmio-channel "$mmio"
run_channel pci-channel "$pci"
run_console mmio-console "$(console_only "$mmio")"
run_console pci-console "$(console_only "$pci")"
# As for a VMM that cannot set serials.
no_serials=$(console_only "${mmio/,serial=smk-layer-000/}")
run_console disk-by-name "${no_serials/panic=-1/panic=-1 smk.layers=vda}"
exit $failed
