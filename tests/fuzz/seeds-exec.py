#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-exec.py DIRECTORY: beginnings of programs. The first byte is the fuzz target's: the room for the answer."""
import pathlib
import struct
import sys

ROOM = b"\x7f"
INTERPRETER = b"/lib/ld-musl-aarch64.so.1\0"


def elf(bits, kind, count, at=None, length=None):
    """A header, `count` entries of which the last is of this kind, and the interpreter's name."""
    header, entry = (64, 56) if bits == 64 else (52, 32)
    text = header + count * entry
    at, length = text if at is None else at, len(INTERPRETER) if length is None else length
    ident = b"\x7fELF" + bytes([bits // 32, 1, 1]) + bytes(9)
    if bits == 64:
        head = struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0, header, 0, 0, header, entry, count, 0, 0, 0)
        entries = [struct.pack("<IIQQQQQQ", kind if i == count - 1 else 1, 4, at, 0, 0, length, 0, 1)
                   for i in range(count)]
    else:
        head = struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0, header, 0, 0, header, entry, count, 0, 0, 0)
        entries = [struct.pack("<IIIIIIII", kind if i == count - 1 else 1, at, 0, 0, length, 0, 4, 1)
                   for i in range(count)]
    return ident + head + b"".join(entries) + INTERPRETER


SEEDS = [
    b"#!/bin/sh\n", b"#! \t/usr/bin/env python\n", b"#!/bin/sh\r\n", b"#!\n", b"#!" + b"x" * 200,
    elf(64, 3, 1), elf(64, 3, 4), elf(32, 3, 1), elf(32, 3, 3), elf(64, 1, 2), elf(64, 3, 1, 4000),
    elf(64, 3, 1, None, 1), elf(64, 3, 2, 2 ** 64 - 1, 2), elf(64, 3, 1)[:40], b"MZ", b"",
]
for number, seed in enumerate(SEEDS):
    (pathlib.Path(sys.argv[1]) / str(number)).write_bytes(ROOM + seed)
