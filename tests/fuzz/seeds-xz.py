#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-xz.py DIRECTORY: small xz streams of several checks, filters and numbers of blocks. The first byte
is the fuzz target's: bit 0 repairs checksums, bit 1 is a second thread."""
import itertools
import lzma
import pathlib
import subprocess
import sys

directory = pathlib.Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
TEXTS = [b"", b"hello hello hello hello", bytes(range(256)) * 4, b"ARM\x64" * 3000]
CHECKS = [lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256]
LZMA2 = {"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 4096}
FILTERS = [[LZMA2], [{"id": lzma.FILTER_DELTA, "dist": 4}, LZMA2]]

streams = [lzma.compress(text, check=check, filters=filters)
           for text, check, filters in itertools.product(TEXTS, CHECKS, FILTERS)]
for size in (16, 64, 200):
    streams.append(subprocess.run(
        ["xz", "-c", "--arm64", "--lzma2=preset=1,dict=4KiB", f"--block-size={size}"],
        input=b"one two three four " * 15, stdout=subprocess.PIPE, check=True).stdout)
for number, (first, stream) in enumerate(itertools.product(range(4), streams)):
    (directory / str(number)).write_bytes(bytes([first]) + stream)
