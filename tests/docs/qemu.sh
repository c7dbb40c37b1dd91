#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# qemu.sh KERNEL BOOT.CPIO LAYER WORDS: runs the QEMU command line of docs/boot-contract.md as it stands there:
# with virtio over MMIO and over PCI, with the control channel and with the console alone. The container's
# output must contain WORDS, and the run must end with an exit record of code 0.
set -u

[ $# -eq 4 ] || { echo "usage: qemu.sh KERNEL BOOT.CPIO LAYER WORDS" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
words=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$(realpath "$1")" "$work/kernel"
ln -s "$(realpath "$2")" "$work/boot.cpio"
ln -s "$(realpath "$3")" "$work/layer.squashfs"
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
exit $failed
