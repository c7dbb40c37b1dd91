#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""small-assets.py DIRECTORY: makes a small pair of assets that have the right form and always the same
bytes: kernel (an arm64 Image header and compressible filler), init-oci (a static aarch64 ELF)."""
import pathlib
import random
import struct
import sys


def filler(length, seed):
    """Words from a small vocabulary: compresses about four to one."""
    rng = random.Random(seed)
    words = [rng.randbytes(rng.randint(3, 12)) for _ in range(200)]
    out = bytearray()
    while len(out) < length:
        out += rng.choice(words)
    return bytes(out[:length])


def kernel(length=400_000):
    header = bytearray(64)
    struct.pack_into("<Q", header, 16, length)
    header[56:60] = b"ARM\x64"
    return bytes(header) + filler(length - 64, 1)


def init_oci(length=40_001):
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x400078, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, length, length, 4096)
    note = struct.pack("<IIQQQQQQ", 4, 4, 176, 0x4000b0, 0x4000b0, 0, 0, 4)
    return ident + header + load + note + filler(length - 176, 2)


directory = pathlib.Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
(directory / "kernel").write_bytes(kernel())
(directory / "init-oci").write_bytes(init_oci())
