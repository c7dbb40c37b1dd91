# SPDX-License-Identifier: Apache-2.0
"""What becomes of an image's layers: the overlay of our images, and the one image of --flatten, beside
what umoci unpacks, entry by entry. Needs root, for umoci's owners and devices, and for mounts."""

import hashlib
import os

from harness import case, check, check_equal
from host_case import own_cache
from image_builder import Image, entry, hardlink, layer, tar
from image_compare import Reasons, mounted_tree, unpacked_tree
from nasty_image import LOWEST, PACKED, REASONS, STREAMS, sparse_streams


def baked(context, image, name, *options):
    """The images of all layers, lowest first."""
    directory = context.path(name)
    context.smk("bake", *options, image, directory).expect(0)
    return [os.path.join(directory, n) for n in sorted(os.listdir(directory)) if n.startswith("layer-")]


@case(timeout=120)
def image_tree_as_umoci_unpacks_it(context):
    own_cache(context)
    image = Image([layer(stream, packing) for stream, packing in
                   zip(STREAMS.values(), ("", "+gzip", "+gzip", "", "+gzip"))]).layout(context.path("image"))
    theirs = unpacked_tree(context, image, "umoci")
    check(len(theirs) > 50, "umoci unpacked next to nothing")
    reasons = Reasons(REASONS)
    for options in ([], ["--layer-fs", "erofs"], ["--flatten"], ["--flatten", "--layer-fs", "erofs"]):
        name = "ours" + "".join(options)
        images = baked(context, image, name, *options)
        check_equal(len(images), 1 if "--flatten" in options else len(STREAMS), "number of images")
        reasons.compare(mounted_tree(context, name, images), theirs, " ".join(options))
    reasons.all_needed()


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
    want, streams = sparse_streams(context)
    for form, stream in streams.items():
        for system in ("squashfs", "erofs"):
            image = Image([layer(stream)]).layout(context.path(form + system))
            images = baked(context, image, "baked-" + form + system, "--layer-fs", system)
            found = mounted_tree(context, form + system, images)["holes-" + form]
            check_equal((found["size"], found["data"]), (len(want), hashlib.sha256(want).hexdigest()), form + system)


def hashes(images):
    found = []
    for image in images:
        with open(image, "rb") as file:
            found.append(hashlib.sha256(file.read()).hexdigest())
    return found


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


@case()
def image_stream_without_its_padding(context):
    """As `umoci insert` ends one: with the last byte of a file."""
    own_cache(context)
    for size in (0, 1, 511, 512, 513, 9000):
        stream = tar(entry("a", data=b"a"), entry("b", data=b"b" * size))[:1536 + size]
        image = Image([layer(stream, "+gzip")]).layout(context.path(str(size)))
        found = mounted_tree(context, str(size), baked(context, image, f"baked-{size}"))
        check_equal((sorted(found), found["b"]["size"], found["b"]["data"]),
                    ([".", "a", "b"], size, hashlib.sha256(b"b" * size).hexdigest()), "the tree")
