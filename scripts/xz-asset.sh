#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xz-asset.sh RAW OUT.xz: compresses an asset in the one form that libsmkernel decodes.
#
# Blocks that can be decoded in parallel: an eighth of the input each, so that two or four threads end
# together although the blocks compress unequally, but not below 1 MiB, where splitting costs size and
# saves no time. The arm64 branch filter; a dictionary of 4 MiB (what a decoder needs as memory for each
# block). CRC64 finds damage early; what is believed is the SHA-256 of the whole, in the manifest. The
# result depends on the input and on the version of xz alone, not on the machine.
set -eu

blocks=8
smallest=1048576
dictionary=4MiB
check=crc64

[ $# -eq 2 ] || { echo "usage: xz-asset.sh RAW OUT.xz" >&2; exit 2; }
size=$(stat -c %s "$1")
block=$((((size + blocks - 1) / blocks + 3) / 4 * 4))
[ "$block" -ge "$smallest" ] || block=$smallest

xz --stdout --format=xz --check="$check" --threads=1 --block-size="$block" \
    --arm64 --lzma2="preset=9e,dict=$dictionary,lc=2,lp=2,pb=2" -- "$1" >"$2.new"
mv "$2.new" "$2"
