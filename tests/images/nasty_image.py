# SPDX-License-Identifier: Apache-2.0
"""An image in which everything that layers can do to each other happens, and why what becomes of it here is
not always what umoci unpacks."""

import gzip
import os
import random
import struct
import tarfile

from harness import check
from image_builder import entry, folder, hardlink, symlink, tar, zstd

CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
# u::rw-, u:1000:rw-, g::---, m::rw-, o::---
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in (
    (1, 6, 0xffffffff), (2, 6, 1000), (4, 0, 0xffffffff), (16, 6, 0xffffffff), (32, 0, 0xffffffff)))
LATER = 1600000000
LONG = "n" * 240

LOWEST = tar(
    folder("./", mode=0o755, mtime=LATER),
    folder("bin"), entry("bin/hello", data=b"#!/bin/sh\n", mode=0o755), entry("bin/su", mode=0o4755, uid=0),
    entry("bin/ping", data=b"ping", mode=0o755, xattrs={"security.capability": CAPABILITY, "user.b": b"2"}),
    folder("own", mode=0o1770, uid=7, gid=8, mtime=LATER, xattrs={"user.d": b"x"}), entry("own/old", uid=9),
    folder("d"), entry("d/a", data=b"a"), entry("d/b", data=b"b", mtime=LATER), folder("d/c"), entry("d/c/e"),
    folder("op", mode=0o750, uid=4), folder("fresh", mode=0o700, uid=7), entry("op/x"), folder("op/y"), entry("op/y/z"),
    folder("w1"), entry("w1/f", data=b"low"), folder("w2"), entry("w2/f", data=b"low"),
    folder("gone"), entry("gone/old"), folder("deep"), folder("deep/er"), entry("deep/er/x"),
    entry("keep", data=b"kept" * 5000, uid=70000, gid=70001, mode=0o640, xattrs={"user.k": b"v"}),
    entry("h1", data=b"linked"), hardlink("h2", "h1"), hardlink("d/h3", "./h2"),
    symlink("s", "/nowhere", uid=5, mtime=LATER), symlink("long", "t/" * 200),
    entry("zero", tarfile.CHRTYPE, devmajor=1, devminor=5, mode=0o666), entry("disk", tarfile.BLKTYPE, devmajor=259,
                                                                           devminor=70000),
    entry("fifo", tarfile.FIFOTYPE, mode=0o600), entry("twice", data=b"first"), entry("twice", data=b"second", uid=3),
    entry("file-to-dir"), folder("dir-to-file"), entry("dir-to-file/x"), entry("to-link"),
    entry("big", data=bytes(range(256)) * 2000 + bytes(300000) + b"end"), entry("zeros", data=bytes(1 << 20)),
    folder("real"), symlink("lnk", "real"), entry("lnk/through", data=b"t"), entry("real/../up", data=b"u"),
    entry("/abs/solute", data=b"abs"), entry("../../escape", data=b"e"), folder("old-time", mtime=1),
    entry("mover", data=b"moved", mode=0o604, uid=44), entry("past", mtime=-5), entry("future", mtime=1 << 33), entry("half", mtime=1500000000.75),
    symlink("dirlink", "real"), entry("odd/./name//x"),
    folder("veiled"), entry("veiled/low"), folder("shroud"), entry("shroud/low"),
    folder("many"), *(entry(f"many/{'m' * 40}-{i}", data=b"%d" % i, uid=i, gid=2 * i, mtime=LATER + i) for i in range(700)),
    entry("noise", data=random.Random(1).randbytes(300001)), entry("e" * 255), folder("setgid", mode=0o2775),
    entry("acl", mode=0o660, xattrs={"system.posix_acl_access": ACL}), entry("trust", xattrs={"trusted.mark": b"t"}),
)
MIDDLE = tar(
    entry("d/.wh.a"), entry("own/inside", data=b"i"), entry("op/new", data=b"n"), entry("op/.wh..wh..opq"),
    entry(".wh..wh.plnk/1.2"), entry(".wh..wh.aufs"),
    entry("w1/.wh.f"), entry("w1/f", data=b"high"), entry("w2/f", data=b"high"), entry("w2/.wh.f"),
    entry(".wh.fresh"), entry("fresh/f"), folder("fresh2"), entry(".wh.gone"), folder("gone"), entry("gone/new"), hardlink("cross", "keep"), hardlink("cross2", "cross"),
    entry("dirlink/x", data=b"x"), folder("veiled", mode=0o711), entry("veiled/.wh..wh..opq"), entry("veiled/mid"),
    folder("shroud", mode=0o711), entry("shroud/.wh..wh..opq"), entry("shroud/mid"),
    entry("h1", data=b"replaced"),
)
HIGHEST = tar(
    entry(".wh.file-to-dir"), folder("file-to-dir", mode=0o711), entry("file-to-dir/x"), entry("dir-to-file", data=b"f"),
    hardlink("moved", "mover"), entry(".wh.mover"),
    symlink("to-link", "keep"), entry("deep/.wh.er"), entry("cross2", data=b"apart"), entry(".wh.nothing"),
    entry("veiled/high"), entry("shroud/high"), entry("shroud/.wh..wh..opq"),
)
GNU = tar(folder(LONG), entry(LONG + "/" + LONG, data=b"long"), entry("odd-\udcff\udc80-\u00e9", data=b"o"),
          symlink("far", LONG * 4), entry("big-uid", uid=3000000, gid=3000000), form=tarfile.GNU_FORMAT)
USTAR = tar(folder("u" * 90), entry("u" * 90 + "/" + "v" * 90, data=b"ustar"), entry("new\nline"),
            form=tarfile.USTAR_FORMAT)
STREAMS = {"lowest": LOWEST, "middle": MIDDLE, "highest": HIGHEST, "gnu": GNU, "ustar": USTAR}

# (path, member of the description) -> why ours differs from umoci's.
REASONS = {
    (".", "time"): "umoci leaves the root's time at that of the unpacking",
    ("abs", "time"): "no layer has an entry for it: here it is always 0, at umoci that of the unpacking",
    ("fresh", "time"): "likewise, after its whiteout",
    ("odd", "time"): "likewise",
    ("odd/name", "time"): "likewise",
    ("future", "time"): "squashfs counts in 32 bits: the last it knows",
    ("past", "time"): "squashfs knows no time before 1970",
    ("dirlink", "mode"): "a layer alone knows no lower layer's links: as podman and docker, it makes a directory",
    ("dirlink", "target"): "likewise",
    ("dirlink", "time"): "likewise",
    ("dirlink/x", None): "likewise",
    ("real/x", None): "likewise",
    ("acl", "mode"): "without its ACL, the group's own rights are left, and not those of the ACL's mask",
    ("acl", "xattrs"): "squashfs has no POSIX ACLs, and erofs gets none so that both say the same",
    (".wh..wh.plnk", None): "umoci knows nothing of aufs, whose records these are",
    (".wh..wh.plnk/1.2", None): "likewise",
}


def skippable(data):
    return b"\x50\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


PACKED = {
    "plain": lambda data: ("", data),
    "gzip": lambda data: ("+gzip", gzip.compress(data)),
    "gzip of many members": lambda data: ("+gzip", b"".join(gzip.compress(data[i:i + 3000])
                                                            for i in range(0, len(data), 3000))),
    "zstd": lambda data: ("+zstd", zstd(data)),
    "zstd:chunked": lambda data: ("+zstd", b"".join(zstd(data[i:i + 9000]) + skippable(b"table") for i in
                                                    range(0, len(data), 9000)) + skippable(b"\0" * 64)),
    "gzip called zstd": lambda data: ("+zstd", gzip.compress(data)),
}

# GNU tar's options for each of its forms of a file with holes.
SPARSE_FORMS = {"gnu": ["--format=gnu"], **{f"pax-{version}": ["--format=posix", "--sparse-version=" + version]
                                            for version in ("0.0", "0.1", "1.0")}}


def sparse_streams(context):
    """What a file has, and for each form a stream with it, as holes-FORM."""
    os.makedirs(context.path("in"))
    want = bytearray(6 << 20)
    for at in (0, 70000, 4 << 20):
        want[at:at + 5000] = os.urandom(5000)
    streams = {}
    for form, options in SPARSE_FORMS.items():
        with open(context.path("in", "holes-" + form), "wb") as file:
            for at in (0, 70000, 4 << 20):
                file.seek(at)
                file.write(want[at:at + 5000])
            file.truncate(len(want))
        streams[form] = context.tool("tar", "-C", context.path("in"), "-cSf", "-", *options, "holes-" + form).out
        check(len(streams[form]) < 100000, f"tar wrote no holes: {form}")
    return bytes(want), streams
