#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""damaged-assets.py SMALL OUT: copies of the small assets, each damaged in one way, in OUT/NAME. The
file OUT/expected has a line for each: NAME ASSET RESULT."""
import lzma
import pathlib
import re
import shutil
import sys

small, out = map(pathlib.Path, sys.argv[1:])
ARGUMENT, DATA, CHECKSUM, FORMAT = 1, 4, 5, 6


def flip_in_xz(d):
    path = d / "kernel.xz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 16
    path.write_bytes(data)


def truncate_xz(d):
    path = d / "init-oci.xz"
    path.write_bytes(path.read_bytes()[:-40])


def empty_xz(d):
    (d / "kernel.xz").write_bytes(b"")


def set_define(d, name, value):
    path = d / "assets.h"
    text, count = re.subn(rf"(#define {name}) .*", rf"\1 {value}", path.read_text())
    assert count == 1
    path.write_text(text)


def other_checksum(d):
    set_define(d, "SMK_KERNEL_RAW_SHA256", '"' + "0" * 64 + '"')


def other_length(d):
    raw = (d / "kernel").stat().st_size
    set_define(d, "SMK_KERNEL_RAW_SIZE", raw + 1)


def swapped(d):
    """Each is intact, but the kernel is an ELF and the init an Image."""
    for name in ("", ".xz"):
        (d / f"kernel{name}").rename(d / "t")
        (d / f"init-oci{name}").rename(d / f"kernel{name}")
        (d / "t").rename(d / f"init-oci{name}")
    text = (d / "assets.h").read_text()
    text = text.replace("SMK_KERNEL_", "SMK_X_").replace("SMK_INIT_OCI_", "SMK_KERNEL_")
    (d / "assets.h").write_text(text.replace("SMK_X_", "SMK_INIT_OCI_"))


def unequal_bytes(d):
    """Well-formed xz of other bytes of the same length: only the SHA-256 tells."""
    data = bytearray((d / "kernel").read_bytes())
    data[-1] ^= 1
    (d / "kernel.xz").write_bytes(lzma.compress(bytes(data), check=lzma.CHECK_CRC64))


VARIANTS = [
    ("flip", flip_in_xz, "kernel", DATA),
    ("truncated", truncate_xz, "init-oci", DATA),
    ("empty", empty_xz, "kernel", DATA),
    ("length", other_length, "kernel", DATA),
    ("checksum", other_checksum, "kernel", CHECKSUM),
    ("replaced", unequal_bytes, "kernel", CHECKSUM),
    ("swapped-kernel", swapped, "kernel", FORMAT),
    ("swapped-init", swapped, "init-oci", FORMAT),
]

for name, damage, asset, result in VARIANTS:
    directory = out / name
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(small, directory, ignore=shutil.ignore_patterns("*.o", "debug", "host", "tsan"))
    damage(directory)
(out / "expected").write_text("".join(f"{n} {a} {r}\n" for n, _, a, r in VARIANTS))
