# SPDX-License-Identifier: Apache-2.0
"""Layers that leave something to those below them, several converted at once, beside what umoci unpacks."""

import os

from case_image_tree import baked, hashes
from harness import SMK, case, check, check_equal
from host_case import own_cache
from image_builder import Image, entry, folder, hardlink, layer, tar
from image_compare import mounted_tree, unpacked_tree

BASE = tar(
    folder("./"), entry("pad", data=b"p"), entry("keep", data=b"kept" * 50000, uid=7, mode=0o640, xattrs={"user.k": b"v"}),
    entry("gone", data=b"still here" * 100, gid=3), entry("empty", uid=9), entry("same", data=b"s" * 9000),
    folder("op", mode=0o750, uid=4, xattrs={"user.d": b"1"}), entry("op/low"), folder("own"), entry("own/low"), folder("d", mode=0o700, uid=6), entry("d/f", data=b"f"),
    entry("bin/hello"),
)
LINKS = [
    BASE,
    # Links to lower files, one of which goes in the same layer, and to the link itself; an opaque directory.
    tar(entry("x", data=b"xx"), hardlink("cross", "keep"), hardlink("d/cross2", "cross"), hardlink("saved", "gone"),
        entry(".wh.gone"), hardlink("none", "empty"), entry("op/new", data=b"n"), entry("op/.wh..wh..opq"),
        folder("own", mode=0o711, uid=5), entry("own/.wh..wh..opq"), entry("own/new")),
    # Links to what the layer below linked, one file by two of its names, into a directory without an entry.
    tar(hardlink("third", "cross"), hardlink("d/fourth", "keep"), hardlink("op/fifth", "saved"), hardlink("again", "none"),
        entry("op/third", data=b"t"), entry("own/third"), hardlink("same2", "same"), entry("same", data=b"other")),
    tar(hardlink("last", "third"), hardlink("other-last", "d/fourth"), entry("d/x"), entry("same2", data=b"apart")),
]


def image_of(context, streams, name):
    return Image([layer(stream, "+gzip" if i % 2 else "") for i, stream in enumerate(streams)]).layout(context.path(name))


def comparable(tree):
    """umoci gives directories without an entry, and the root, the time of the unpacking. What a link of a layer
    leads to is there under those two names, as after a copy-up; further names stay the lower file's."""
    for path in (".", "bin"):
        tree[path].pop("time")
    return {path: {key: value for key, value in found.items() if key != "names"} for path, found in tree.items()}


# Of each layer, the highest first, what is one file.
NAMES = (["d/fourth", "last", "other-last", "third"], ["op/fifth", "saved"], ["again", "none"])


@case(timeout=120)
def image_links_across_layers(context):
    """From a cache without any layer, with those below each, and as one image."""
    own_cache(context)
    image = image_of(context, LINKS, "image")
    theirs = comparable(unpacked_tree(context, image, "umoci"))
    for system in ("squashfs", "erofs"):
        cold = baked(context, image, "cold-" + system, "--layer-fs", system)
        tree = mounted_tree(context, "cold-" + system, cold)
        check_equal([tree[names[0]]["names"] for names in NAMES], list(NAMES), "files with two names")
        check_equal(comparable(tree), theirs, system)
        for count in range(1, len(LINKS)):
            context.env["XDG_CACHE_HOME"] = context.path(f"cache-{system}-{count}")
            baked(context, image_of(context, LINKS[:count], f"lower-{system}-{count}"), f"first-{system}-{count}",
                  "--layer-fs", system)
            warm = baked(context, image, f"warm-{system}-{count}", "--layer-fs", system)
            check_equal(hashes(warm), hashes(cold), f"{system} with {count} layers in the cache")
        flat = baked(context, image, "flat-" + system, "--layer-fs", system, "--flatten")
        tree = mounted_tree(context, "flat-" + system, flat)
        check_equal(tree["last"]["names"], sorted(["cross", "d/cross2", "d/fourth", "keep", "last", "other-last", "third"]),
                    "names of one file")
        check_equal(comparable(tree), theirs, system + " flat")


@case(timeout=60)
def image_links_that_lead_nowhere(context):
    """Each is told as the lowest of the layers that fail says it, however many are converted at once."""
    own_cache(context)
    good = tar(folder("./"), entry("bin/hello", data=os.urandom(3 << 20)), folder("dir"), entry("gone"))
    after = tar(hardlink("late", "nothing-either"))
    for name, stream, why in (
            ("nothing", tar(hardlink("a", "nothing")), "a: a hard link to nothing, which is no file"),
            ("directory", tar(hardlink("a", "dir")), "a: a hard link to dir, which is no file"),
            ("root", tar(hardlink("a", ".")), "a: a hard link to ., which is no file"),
            ("itself", tar(hardlink("a", "a")), "a: a hard link to a, which is no file"),
            ("hidden", tar(entry(".wh.gone"), hardlink("a", "gone")), "a: a hard link to gone, which is hidden")):
        for options in ([], ["--flatten"]):
            image = image_of(context, [good, stream, after], name)
            context.smk("bake", *options, image, context.path("out")).expect_line(125, "smk: " + why)
            check(not os.path.exists(context.path("out")), "something was baked")
            context.tool("rm", "-r", image)


@case(timeout=60)
def image_layers_in_two_orders(context):
    """Two smk that have the same layers, in opposite orders, do not wait for each other for ever."""
    own_cache(context)
    streams = [tar(folder("./"), entry(f"f{i}", data=os.urandom(1 << 20)), entry("bin/hello")) for i in range(8)]
    there = image_of(context, streams, "there")
    back = image_of(context, [*streams[:1], *reversed(streams[1:])], "back")
    for turn in range(3):
        context.env["XDG_CACHE_HOME"] = context.path(f"cache-{turn}")
        runs = [context.popen([SMK, "bake", image, context.path(f"out-{turn}-{i}")])
                for i, image in enumerate((there, back))]
        for run in runs:
            check_equal(run.wait(context.left()), 0, "exit code")

