# SPDX-License-Identifier: Apache-2.0
"""Images made by hand: what a process inside sees, entry by entry, is what umoci unpacks of the same image."""

import tarfile

from guest_tree import MADE, ROOT_TIME, RUNTIME, guest_tree, probe_layer, runs_probe
from harness import case, check
from image_builder import TIME, Image, docker_archive, entry, folder, hardlink, layer, symlink, tar
from image_compare import Reasons, unpacked_tree
from nasty_image import CAPABILITY, PACKED, REASONS, STREAMS, sparse_streams

FILE_SYSTEMS = (["--layer-fs", "squashfs"], ["--layer-fs", "erofs"])
FLAT = [[*options, "--flatten"] for options in FILE_SYSTEMS]
PLAIN = {**REASONS, ("trust", "xattrs"): "only a process with CAP_SYS_ADMIN sees trusted attributes"}


def packed(streams, packing):
    return [layer(stream, kind, packed=data) for stream in streams for kind, data in [packing(stream)]]


def nasty(context, name, packing):
    """The image in a directory."""
    layers = [probe_layer(), *packed(STREAMS.values(), packing)]
    return Image(layers, config=runs_probe).layout(context.path(name))


def nasty_unpacked(context):
    theirs = unpacked_tree(context, nasty(context, "for-umoci", PACKED["gzip"]), "umoci")
    check(len(theirs) > 700, "umoci unpacked next to nothing")
    return theirs


@case(timeout=180)
def guest_tree_of_layers(context):
    """Whiteouts, opaque directories, links across layers, attributes, devices, long and odd names."""
    image, theirs = nasty(context, "image", PACKED["gzip"]), nasty_unpacked(context)
    reasons = Reasons(PLAIN, MADE)
    for options in (*FILE_SYSTEMS, *FLAT):
        reasons.compare(guest_tree(context, image, *options), theirs, " ".join(options))
    reasons.all_needed()


@case()
def guest_tree_of_trusted_attributes(context):
    image, theirs = nasty(context, "image", PACKED["gzip"]), nasty_unpacked(context)
    reasons = Reasons(REASONS, MADE)
    reasons.compare(guest_tree(context, image, "--cap-add", "sys_admin"), theirs, "with CAP_SYS_ADMIN")
    reasons.all_needed()


@case(timeout=180)
def guest_tree_however_packed(context):
    """umoci 0.4 knows no zstd: what it unpacks are the same streams, of the same diff ids, with gzip."""
    theirs = nasty_unpacked(context)
    for name, packing in PACKED.items():
        reasons = Reasons(PLAIN, MADE)
        reasons.compare(guest_tree(context, nasty(context, name, packing)), theirs, name)
        reasons.all_needed()


@case(timeout=120)
def guest_tree_of_archives(context):
    """docker-archive: what umoci unpacks is skopeo's copy of that very file."""
    image = Image([probe_layer(), *packed(STREAMS.values(), PACKED["plain"])], config=runs_probe)
    layers = [probe_layer(), *packed(STREAMS.values(), PACKED["plain"])]
    saved = docker_archive(context.path("docker.tar"), layers, config=runs_probe)
    context.tool("skopeo", "copy", "-q", "docker-archive:" + saved, f"oci:{context.path('copied')}:latest")
    theirs = unpacked_tree(context, context.path("copied"), "umoci")
    for source in ("docker-archive:" + saved, saved, "oci-archive:" + image.archive(context.path("oci.tar")),
                   context.path("oci.tar")):
        reasons = Reasons(PLAIN, MADE)
        reasons.compare(guest_tree(context, source), theirs, source)
        reasons.all_needed()


@case(timeout=120)
def guest_tree_of_sparse_files(context):
    """As GNU tar writes them, in each of its forms: a layer each. umoci 0.4 does not know GNU's own form; it
    gets that file with its zeros."""
    streams = sparse_streams(context)[1]
    image = Image([probe_layer(), *map(layer, streams.values())], config=runs_probe).layout(context.path("image"))
    streams["gnu"] = context.tool("tar", "-C", context.path("in"), "-cf", "-", "holes-gnu").out
    known = Image([probe_layer(), *map(layer, streams.values())], config=runs_probe).layout(context.path("known"))
    theirs = unpacked_tree(context, known, "umoci")
    check(all(f"holes-{form}" in theirs for form in streams), "umoci unpacked no holes")
    reasons = Reasons(ROOT_TIME, MADE)
    for options in FILE_SYSTEMS:
        reasons.compare(guest_tree(context, image, *options), theirs, " ".join(options))
    reasons.all_needed()


# ---- what the runtime mounts and writes --------------------------------------------------------------

def mount_points(*more):
    """An image that has all the places, so that none is made."""
    places = [folder(name, mtime=TIME + i, mode=0o755) for i, name in enumerate(("dev", "etc", "proc", "sys"))]
    return [folder("./", mode=0o751, uid=3, gid=4), *places, entry("etc/hosts", data=b"image's\n"),
            entry("etc/hostname", data=b"image's\n"), *more]


@case(timeout=120)
def guest_tree_where_nothing_is_made(context):
    """With places for all that is mounted and written, nothing else of the root is touched: /etc has its time, and the
    root its mode and owner."""
    image = Image([probe_layer(*mount_points(entry("dev/hidden"), entry("proc/hidden"), entry("etc/mine")))],
                  config=runs_probe).layout(context.path("image"))
    theirs = unpacked_tree(context, image, "umoci")
    reasons = Reasons(ROOT_TIME, RUNTIME)
    for options in FILE_SYSTEMS:
        reasons.compare(guest_tree(context, image, *options), theirs, " ".join(options))
    reasons.all_needed()


# ---- as many layers as can be -------------------------------------------------------------------------

TURNS = (lambda number: entry("turns", data=b"%d" % number, mtime=number),
         lambda number: folder("turns", mode=0o700 + number % 8, mtime=number),
         lambda number: symlink("turns", str(number), mtime=number))


def one_of_many(number):
    """A layer that adds, changes, removes, hides and links."""
    entries = [
        entry(f"added-{number}", data=b"%d" % number, uid=number, mtime=1400000000 + number, mode=0o600 + number % 8),
        entry("changed", data=b"version %d" % number, gid=number, xattrs={"user.number": b"%d" % number}),
        folder("merged", mode=0o700 + number % 64, uid=number, mtime=number), entry(f"merged/{number}"),
        entry(f"merged/.wh.{number - 3}"), TURNS[number % 3](number),
    ]
    if number % 7 == 0:
        entries.append(hardlink(f"link-{number}", f"added-{number - 1}"))
    if number % 11 == 0:
        entries.append(entry("able", data=b"a", xattrs={"security.capability": CAPABILITY[:-1] + bytes([number % 32])}))
    if number % 50 == 0:
        entries += [folder("hidden", mtime=number), entry("hidden/.wh..wh..opq")]
    entries += [entry(f"hidden/{number}", data=b"h"), entry(f"fifo-{number}", tarfile.FIFOTYPE)] if number % 5 == 0 else []
    return layer(tar(*entries), "+gzip" if number % 2 else "")


def many_layers(context, *boots):
    image = Image([probe_layer(*mount_points()), *map(one_of_many, range(1, 500))], config=runs_probe)
    image = image.layout(context.path("image"))
    theirs = unpacked_tree(context, image, "umoci")
    check(len(theirs) > 600, f"umoci unpacked {len(theirs)} entries")
    reasons = Reasons(ROOT_TIME, RUNTIME)
    for options in boots:
        reasons.compare(guest_tree(context, image, *options), theirs, " ".join(options))
    reasons.all_needed()


@case(timeout=400)
def guest_tree_of_500_squashfs_layers(context):
    many_layers(context, FILE_SYSTEMS[0], FLAT[0])


@case(timeout=400)
def guest_tree_of_500_erofs_layers(context):
    many_layers(context, FILE_SYSTEMS[1])
