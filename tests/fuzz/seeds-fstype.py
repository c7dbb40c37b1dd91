#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-fstype.py DIRECTORY: superblocks on disks that are long enough and too short. Before them stand the disk's
size (big endian) and four bytes of its name."""
import pathlib
import struct
import sys


def disk(*pieces):
    block = bytearray(2048)
    for at, piece in pieces:
        block[at:at + len(piece)] = piece
    return bytes(block)


SQUASHFS = disk((0, b"hsqs"), (40, struct.pack("<Q", 4096)))
EROFS = disk((1024, b"\xe2\xe1\xf5\xe0"), (1036, b"\x0c"), (1060, struct.pack("<I", 1)))
EXT4 = disk((1080, b"\x53\xef"), (1028, struct.pack("<I", 4)), (1048, b"\0"))
directory = pathlib.Path(sys.argv[1])
for name, block in (("squashfs", SQUASHFS), ("erofs", EROFS), ("ext4", EXT4), ("zeros", disk()),
                    ("text", disk((0, b"text")))):
    for size in (4095, 4096):
        (directory / f"{name}-{size}").write_bytes(struct.pack(">Q", size) + b"a b\n" + block)
