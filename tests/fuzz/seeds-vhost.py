#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-vhost.py DIRECTORY: what QEMU says to a vhost-user device at its start, the memory first, and each message alone."""
import pathlib
import struct
import sys

BASE, USER, SIZE = 0x40000000, 0x7F0000000000, 0x10000


def message(request, payload=b"", flags=1):
    return struct.pack("<III", request, flags, len(payload)) + payload


MEMORY = message(5, struct.pack("<IIQQQQ", 1, 0, BASE, SIZE, USER, 0))
RINGS = [message(request, payload) for i in range(2) for request, payload in (
    (8, struct.pack("<II", i, 128)), (10, struct.pack("<II", i, 0)),
    (9, struct.pack("<IIQQQQ", i, 0, USER + i * 0x4000, USER + i * 0x4000 + 0x2000, USER + i * 0x4000 + 0x1000, 0)),
    (13, struct.pack("<Q", i | 0x100)), (12, struct.pack("<Q", i | 0x100)), (18, struct.pack("<II", i, 1)),
    (11, struct.pack("<II", i, 0)))]
START = [message(1), message(2, struct.pack("<Q", 1 << 32 | 1 << 30)), message(3), message(15),
         message(16, struct.pack("<Q", 0x208)), message(17), message(24, struct.pack("<III8x", 0, 8, 0))]

seeds = [MEMORY + b"".join(START + RINGS), b"".join(START + [MEMORY]), MEMORY + b"".join(RINGS) + MEMORY]
seeds += START + RINGS + [message(99), message(99, flags=9), MEMORY[:20]]
for number, seed in enumerate(seeds):
    (pathlib.Path(sys.argv[1]) / f"{number}").write_bytes(seed)
