# SPDX-License-Identifier: Apache-2.0
"""What becomes of an image's layers: the overlay of our images, and the one image of --flatten, beside
what umoci unpacks, entry by entry. Needs root, for umoci's owners and devices, and for mounts."""

import gzip
import hashlib
import json
import os
import sys
import tarfile

from harness import case, check, check_equal
from host_case import own_cache
from image_builder import Image, entry, folder, hardlink, layer, symlink, tar, zstd

HERE = os.path.dirname(os.path.abspath(__file__))
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
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
)
MIDDLE = tar(
    entry("d/.wh.a"), entry("own/inside", data=b"i"), entry("op/new", data=b"n"), entry("op/.wh..wh..opq"),
    entry(".wh..wh.plnk/1.2"), entry(".wh..wh.aufs"),
    entry("w1/.wh.f"), entry("w1/f", data=b"high"), entry("w2/f", data=b"high"), entry("w2/.wh.f"),
    entry(".wh.fresh"), entry("fresh/f"), folder("fresh2"), entry(".wh.gone"), folder("gone"), entry("gone/new"), hardlink("cross", "keep"), hardlink("cross2", "cross"),
    entry("dirlink/x", data=b"x"),
    entry("h1", data=b"replaced"),
)
HIGHEST = tar(
    entry(".wh.file-to-dir"), folder("file-to-dir", mode=0o711), entry("file-to-dir/x"), entry("dir-to-file", data=b"f"),
    hardlink("moved", "mover"), entry(".wh.mover"),
    symlink("to-link", "keep"), entry("deep/.wh.er"), entry("cross2", data=b"apart"), entry(".wh.nothing"),
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
    (".wh..wh.plnk", None): "umoci knows nothing of aufs, whose records these are",
    (".wh..wh.plnk/1.2", None): "likewise",
}


def baked(context, image, name, *options):
    """The images of all layers, lowest first."""
    directory = context.path(name)
    context.smk("bake", *options, image, directory).expect(0)
    return [os.path.join(directory, n) for n in sorted(os.listdir(directory)) if n.startswith("layer-")]


def mounted_tree(context, name, images):
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, os.path.join(HERE, "overlay_tree.py"),
               "--mount", context.path(name + "-mounts"), *images]
    return json.loads(context.tool(*command).out)


def unpacked_tree(context, image, name):
    context.tool("umoci", "unpack", "--image", image + ":latest", context.path(name))
    root = context.path(name, "rootfs")
    return json.loads(context.tool(sys.executable, os.path.join(HERE, "overlay_tree.py"), root).out)


def differences(ours, theirs, used):
    for path in sorted(set(ours) | set(theirs)):
        if path not in ours or path not in theirs:
            used.add((path, None))
            if (path, None) not in REASONS:
                yield path, "is missing in " + ("umoci's" if path in ours else "ours")
            continue
        for member in sorted(set(ours[path]) | set(theirs[path])):
            got, want = ours[path].get(member), theirs[path].get(member)
            if got == want:
                continue
            used.add((path, member))
            if (path, member) not in REASONS:
                yield path, f"{member} {got}, not {want}"


@case(timeout=120)
def image_tree_as_umoci_unpacks_it(context):
    own_cache(context)
    image = Image([layer(stream, packing) for stream, packing in
                   zip(STREAMS.values(), ("", "+gzip", "+gzip", "", "+gzip"))]).layout(context.path("image"))
    theirs = unpacked_tree(context, image, "umoci")
    check(len(theirs) > 50, "umoci unpacked next to nothing")
    used = set()
    for options in ([], ["--layer-fs", "erofs"], ["--flatten"], ["--flatten", "--layer-fs", "erofs"]):
        name = "ours" + "".join(options)
        images = baked(context, image, name, *options)
        check_equal(len(images), 1 if "--flatten" in options else len(STREAMS), "number of images")
        wrong = [f"{path}: {what}" for path, what in differences(mounted_tree(context, name, images), theirs, used)]
        check(not wrong, f"{' '.join(options)}: {len(wrong)} differences: {'; '.join(wrong)}")
    check_equal(set(REASONS) - used, set(), "reasons for what does not differ")


@case()
def image_layer_without_its_last_zeros(context):
    """umoci insert ends a layer with the last file's data; what is missing of the data itself is missed."""
    own_cache(context)
    data = os.urandom(1000)
    whole = tar(entry("first", data=b"1"), entry("last", data=data))
    end = whole.index(data) + len(data)
    for system in ("squashfs", "erofs"):
        for cut in (0, 1, 23, 24):
            name = f"{system}-{cut}"
            images = baked(context, Image([layer(whole[:end + cut])]).layout(context.path(name)), "baked-" + name,
                           "--layer-fs", system)
            found = mounted_tree(context, name, images)["last"]
            check_equal((found["size"], found["data"]), (len(data), hashlib.sha256(data).hexdigest()), name)
        linking = Image([layer(whole[:end]), layer(tar(hardlink("again", "first")))]).layout(context.path(system + "2"))
        found = mounted_tree(context, system + "2", baked(context, linking, "baked-" + system, "--layer-fs", system))
        check_equal(found["again"]["data"], hashlib.sha256(b"1").hexdigest(), "a link to a file in front of the last")
        short = Image([layer(whole[:end - 1])]).layout(context.path(system))
        context.smk("bake", "--layer-fs", system, short, context.path("none")).expect_line(125, "smk: ", "Truncated")


@case()
def image_layer_of_umoci_insert(context):
    """A layer above another, as the distribution's umoci writes it."""
    own_cache(context)
    image = Image([layer(tar(entry("bin/hello", data=b"low")))]).layout(context.path("image"))
    with open(context.path("file"), "wb") as file:
        file.write(b"inserted")
    context.tool("umoci", "insert", "--image", image + ":latest", context.path("file"), "/etc/new")
    found = mounted_tree(context, "insert", baked(context, image, "baked"))
    check_equal(found["etc/new"]["data"], hashlib.sha256(b"inserted").hexdigest(), "the file's hash")


@case()
def image_sparse_files(context):
    """As GNU tar writes them, in each of its forms."""
    own_cache(context)
    os.makedirs(context.path("in"))
    want = bytearray(6 << 20)
    for at in (0, 70000, 4 << 20):
        want[at:at + 5000] = os.urandom(5000)
    with open(context.path("in", "holes"), "wb") as file:
        for at in (0, 70000, 4 << 20):
            file.seek(at)
            file.write(want[at:at + 5000])
        file.truncate(len(want))
    for form in (["gnu"], ["posix", "--sparse-version=0.0"], ["posix", "--sparse-version=0.1"],
                 ["posix", "--sparse-version=1.0"]):
        stream = context.tool("tar", "-C", context.path("in"), "-cSf", "-", "--format=" + form[0], *form[1:], "holes").out
        check(len(stream) < 100000, f"tar wrote no holes: {form}")
        for system in ("squashfs", "erofs"):
            name = "".join(form) + system
            image = Image([layer(stream)]).layout(context.path(name))
            images = baked(context, image, "baked-" + name, "--layer-fs", system)
            found = mounted_tree(context, name, images)["holes"]
            check_equal((found["size"], found["data"]), (len(want), hashlib.sha256(want).hexdigest()), name)


def hashes(images):
    found = []
    for image in images:
        with open(image, "rb") as file:
            found.append(hashlib.sha256(file.read()).hexdigest())
    return found


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


@case(timeout=120)
def image_layers_of_the_same_bytes(context):
    """However a stream is packed, and how often it is converted: one diff id, one image."""
    for system in ("squashfs", "erofs"):
        seen = {}
        for name, pack in PACKED.items():
            kind, data = pack(LOWEST)
            context.env["XDG_CACHE_HOME"] = context.path("cache-" + name + system)
            image = Image([layer(LOWEST, kind, packed=data)]).layout(context.path(name + system))
            seen[name] = hashes(baked(context, image, "baked-" + name + system, "--layer-fs", system))
        check_equal(len(set(map(tuple, seen.values()))), 1, f"number of {system} images of {seen}")


@case()
def image_whose_root_is_opaque(context):
    own_cache(context)
    opaque = tar(entry(".wh..wh..opq"), entry("bin/hello"))
    image = Image([layer(tar(entry("y"))), layer(opaque)]).layout(context.path("image"))
    found = mounted_tree(context, "flat", baked(context, image, "baked", "--flatten"))
    check_equal(sorted(found), [".", "bin", "bin/hello"], "flattened")
    # As the lowest it hides nothing; what is cached of it then is not taken where it would.
    baked(context, Image([layer(opaque)]).layout(context.path("alone")), "baked-alone")
    context.smk("bake", image, context.path("none")).expect_line(125, "smk: ", "hides all below it")


@case()
def image_layers_of_nothing(context):
    """An empty tar is a layer, be it two blocks of zeros, more of them, or none after its packing."""
    own_cache(context)
    hello = layer(tar(entry("bin/hello")))
    for name, stream in (("two", bytes(1024)), ("twenty", bytes(10240)), ("none", b"")):
        image = Image([hello, layer(stream, "+gzip")]).layout(context.path(name))
        images = baked(context, image, "baked-" + name)
        check_equal(sorted(mounted_tree(context, name, images)), [".", "bin", "bin/hello"], name)
