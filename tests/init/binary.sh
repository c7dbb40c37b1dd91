#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# binary.sh INIT_OCI ASSET: what the guest's init-oci must be as a file.
set -u
export LC_ALL=C
binary=$1 asset=$2
max_size=$((256 * 1024))
max_xz=$((110 * 1024))
failed=0

verdict() { # verdict NAME WHY-NOT
    if [ -z "$2" ]; then
        echo "ok init/$1"
    else
        echo "not ok init/$1: $2"
        failed=1
    fi
}

at_most() { # at_most VALUE LIMIT
    [ "$1" -le "$2" ] || echo "$1 bytes, at most $2"
}

headers=$(readelf --wide --program-headers --dynamic "$binary")
verdict static "$(grep -oE 'INTERP|NEEDED|DYNAMIC' <<<"$headers" | head -n 1)"
verdict machine "$(readelf --file-header "$binary" | grep -q 'AArch64' || echo 'not AArch64')"
verdict no-executable-stack "$(grep 'GNU_STACK' <<<"$headers" | grep -o 'RWE')"
verdict no-writable-code "$(grep 'LOAD' <<<"$headers" | grep -o 'RWE')"
verdict stripped "$(readelf --sections --wide "$binary" | grep -oE '\.(symtab|debug_[a-z]*)' | head -n 1)"
verdict size "$(at_most "$(stat -c %s "$binary")" "$max_size")"
verdict xz-size "$(at_most "$(stat -c %s "$asset")" "$max_xz")"
verdict asset-is-this-build "$(xz -dc "$asset" | cmp - "$binary" 2>&1)"
verdict no-build-paths "$(strings "$binary" | grep -F "$PWD" | head -n 1)"
exit $failed
