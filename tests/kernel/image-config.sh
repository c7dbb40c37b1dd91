#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image-config.sh IMAGE: prints the .config that a kernel Image carries (CONFIG_IKCONFIG).
set -eu

python3 - "$1" <<'PYTHON'
import sys, zlib

image = open(sys.argv[1], "rb").read()
start = image.find(b"IKCFG_ST\x1f\x8b")
if start < 0:
    sys.exit("image-config.sh: %s: carries no configuration" % sys.argv[1])
sys.stdout.write(zlib.decompressobj(31).decompress(image[start + 8 :]).decode())
PYTHON
