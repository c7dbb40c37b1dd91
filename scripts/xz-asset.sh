#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xz-asset.sh RAW OUT.xz: compresses an asset in the one form that libsmkernel decodes.
#
# Four blocks of equal size, so that they can be decoded in parallel; the arm64 branch filter; a dictionary of
# 4 MiB (what a decoder needs as memory for each block); SHA-256 of each block inside the file. The result depends
# on the input and on the version of xz alone, not on the number of threads.
set -eu

blocks=4
dictionary=4MiB
check=sha256

[ $# -eq 2 ] || { echo "usage: xz-asset.sh RAW OUT.xz" >&2; exit 2; }
size=$(stat -c %s "$1")
block=$((((size + blocks - 1) / blocks + 3) / 4 * 4))

xz --stdout --format=xz --check="$check" --threads=1 --block-size="$block" \
    --arm64 --lzma2="preset=9e,dict=$dictionary,lc=0,lp=2,pb=2" -- "$1" >"$2.new"
mv "$2.new" "$2"
