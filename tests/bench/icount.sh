#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# icount.sh IMAGE INITRD [APPEND] [QEMU ARGUMENT...]: boots the standard bench machine and counts.
#
# Prints what the counting plugin says: for each marker instruction "NUMBER INSTRUCTIONS", and
# "value N" for what the guest reported (plugins/icount.c). The machine's console goes to standard
# error when ICOUNT_VERBOSE is set. Environment:
#   ICOUNT_CPUS=1     virtual CPUs
#   ICOUNT_MEMORY=256 MiB of RAM
#   ICOUNT_DISK       raw file for the layer disk smk-layer-000 (default: 1 MiB of zeros)
#   ICOUNT_PLUGIN     plugin with its options (default: the counting one)
#   ICOUNT_TIMEOUT=60 seconds until the boot counts as hung
#   ICOUNT_KEEP       directory for what the guest wrote (console, control, stdout, stderr)
#   ICOUNT_TRIES=20   boots at most; see undisturbed() below
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 2 ] || { echo "usage: icount.sh IMAGE INITRD [APPEND] [QEMU ARGUMENT...]" >&2; exit 2; }
image=$1 initrd=$2 append=${3:-}
shift $(($# > 2 ? 3 : 2))

work=${ICOUNT_KEEP:-$(mktemp -d)}
[ -n "${ICOUNT_KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
truncate -s 1M "$work/zeros"
disk=${ICOUNT_DISK:-$work/zeros}
cpus=${ICOUNT_CPUS:-1}
plugin=${ICOUNT_PLUGIN:-$top/build/bench/icount.so,out=$work/counts}

ports=()
for port in control stdout stderr; do
    ports+=(-chardev "file,id=$port,path=$work/$port")
    ports+=(-device "virtserialport,chardev=$port,name=smk.$port")
done

# While every CPU is idle, -icount moves the clock to the next timer at once: a disk request that a busy
# host answers late is then seen as a wait of the guest, and as ticks. QEMU's trace has the real time of
# each request; a boot in which one took over 300 us says nothing about the guest, and is repeated.
max_request_us=300
undisturbed() {
    awk -v max=$max_request_us '
        { split($1, at, "[@:]"); match($0, /req 0x[0-9a-f]+/); request = substr($0, RSTART, RLENGTH) }
        /virtio_blk_handle_read/ { begin[request] = at[2] }
        /virtio_blk_req_complete/ && request in begin {
            us = (at[2] - begin[request]) * 1000000
            if (us > worst) worst = us
            delete begin[request]
            seen++
        }
        END { exit !(seen && worst <= max) }' "$work/trace"
}

boot() {
    local status=0
    rm -f "$work/trace"
    timeout "${ICOUNT_TIMEOUT:-60}" qemu-system-aarch64 \
        -M virt,gic-version=3 -cpu cortex-a57 -smp "$cpus" -m "${ICOUNT_MEMORY:-256}" \
        -nodefaults -no-user-config -display none -nic none -no-reboot \
        -global virtio-mmio.force-legacy=false -icount shift=0,sleep=off \
        -kernel "$image" -initrd "$initrd" -append "console=hvc0 quiet panic=-1 $append" \
        -device virtio-serial-device,max_ports=8 \
        -chardev "file,id=console,path=$work/console" -device virtconsole,chardev=console \
        "${ports[@]}" \
        -drive "if=none,id=layer,format=raw,readonly=on,file=$disk" \
        -device virtio-blk-device,drive=layer,serial=smk-layer-000 \
        -trace enable=virtio_blk_handle_read -trace enable=virtio_blk_req_complete \
        -msg timestamp=on -D "$work/trace" \
        -plugin "$plugin" "$@" </dev/null >&2 || status=$?
    [ -z "${ICOUNT_VERBOSE:-}" ] || cat "$work/console" >&2
    if [ $status -ne 0 ]; then
        echo "icount.sh: QEMU ended with $status; the console's last lines:" >&2
        tail -n 5 "$work/console" >&2
        exit 1
    fi
}

for ((tries = ${ICOUNT_TRIES:-20}; ; tries--)); do
    if [ "$tries" -eq 0 ]; then
        echo "icount.sh: in no boot was the host quick enough with the disk: it is too busy" >&2
        exit 1
    fi
    boot "$@"
    undisturbed && break
done
[ ! -e "$work/counts" ] || cat "$work/counts"
