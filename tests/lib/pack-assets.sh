#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pack-assets.sh DIRECTORY: DIRECTORY/{kernel,init-oci} -> the same .xz, in the form of the real ones but
# with small blocks, and assets.h from a manifest, as the real one is made.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
directory=$1
mkdir -p "$directory/assets"

entry() { # entry NAME: its object in the manifest
    jq -n --arg file "$1.xz" \
        --argjson raw_size "$(stat -c %s "$directory/$1")" \
        --arg raw_sha256 "$(sha256sum "$directory/$1" | cut -d ' ' -f 1)" \
        --argjson xz_size "$(stat -c %s "$directory/$1.xz")" \
        --arg xz_sha256 "$(sha256sum "$directory/$1.xz" | cut -d ' ' -f 1)" \
        --arg version "1.0-test" '$ARGS.named'
}

for name in kernel init-oci; do
    xz --stdout --check=crc64 --threads=1 --block-size=32768 --arm64 \
        --lzma2=preset=6,dict=64KiB "$directory/$name" >"$directory/$name.xz"
done
jq -n --argjson kernel "$(entry kernel)" --argjson init "$(entry init-oci)" \
    '{format: 1, assets: {kernel: $kernel, "init-oci": $init}}' >"$directory/assets/manifest.json"
SMK_MANIFEST_TOP=$directory "$top/scripts/manifest.sh" header >"$directory/assets.h"
