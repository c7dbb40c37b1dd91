#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-channel.py DIRECTORY: frames of each type, whole, cut and too long. The first byte is the size of the pieces."""
import pathlib
import struct
import sys


def frame(kind, flags, stream, payload, length=None):
    return struct.pack("<BBHI", kind, flags, stream, len(payload) if length is None else length) + payload


STREAMS = [
    frame(1, 0, 0, b'{"type":"signal","signal":15}'),
    frame(2, 0, 0, b"hello") + frame(2, 1, 0, b"") + frame(3, 0, 1, b"\0\0\1\0"),
    frame(9, 255, 65535, b"?"),
    frame(2, 0, 0, b"cut", 4),
    frame(2, 0, 0, b"", 65537) + b"x",
    frame(2, 0, 0, b"x" * 3000) + frame(1, 0, 0, b"{}"),
    frame(1, 0, 0, b"")[:5],
]
for number, stream in enumerate(STREAMS):
    for piece in (0, 2, 90):
        (pathlib.Path(sys.argv[1]) / f"{number}-{piece}").write_bytes(bytes([piece]) + stream)
