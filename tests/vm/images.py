# SPDX-License-Identifier: Apache-2.0
"""Disk images for the cases: of the small root, made once, and of little trees."""

import os
import sys
import threading

from harness import TOP, base_config, small_root

sys.path.append(os.path.join(TOP, "tests", "images"))
import image_builder  # noqa: E402

LOCK = threading.Lock()

MAKERS = {
    "squashfs": lambda tree, image: ["mksquashfs", tree, image, "-comp", "lz4", "-noappend", "-quiet",
                                     "-no-progress"],
    "squashfs-gzip": lambda tree, image: ["mksquashfs", tree, image, "-comp", "gzip", "-noappend", "-quiet",
                                          "-no-progress"],
    "squashfs-xz": lambda tree, image: ["mksquashfs", tree, image, "-comp", "xz", "-noappend", "-quiet",
                                        "-no-progress"],
    "squashfs-zstd": lambda tree, image: ["mksquashfs", tree, image, "-comp", "zstd", "-noappend", "-quiet",
                                          "-no-progress"],
    "erofs": lambda tree, image: ["mkfs.erofs", image, tree],
    "erofs-lz4": lambda tree, image: ["mkfs.erofs", "-zlz4", image, tree],
    "ext4": lambda tree, image: ["/sbin/mkfs.ext4", "-q", "-F", "-d", tree, image, "8M"],
}


def make(context, kind, tree, image):
    context.tool(*MAKERS[kind](tree, image))
    return image


def small_image(context, kind="squashfs"):
    """An image of the small root."""
    root = small_root()
    image = f"{root}.{kind}"
    with LOCK:
        if not os.path.exists(image):
            make(context, kind, root, f"{image}.new-{os.getpid()}")
            os.rename(f"{image}.new-{os.getpid()}", image)
    return image


def layer(context, name, files, kind="squashfs"):
    """An image of a tree given as {path: text}."""
    tree = context.path("tree-" + name)
    for path, text in files.items():
        path = os.path.join(tree, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    os.makedirs(tree, exist_ok=True)
    return make(context, kind, tree, context.path(f"{name}.{kind}"))


def config_for(args, without=None, **process):
    """The base configuration with other args; a root path of "/", as for a whole layer."""
    config = base_config(without)
    config["process"]["args"] = list(args)
    config["process"].update(process)
    config["root"]["path"] = "/"
    config["hostname"] = "box"
    return config


def image_of(context, config=None, layers=(), name="image"):
    """An OCI layout of the small root, with other layers over it; config: the members of "config"."""
    root = small_root()
    entries = []
    for path, folders, files in os.walk(root):
        for file in sorted(folders + files):
            whole = os.path.join(path, file)
            inside = os.path.relpath(whole, root)
            if os.path.islink(whole):
                entries.append(image_builder.symlink(inside, os.readlink(whole)))
            elif os.path.isdir(whole):
                entries.append(image_builder.folder(inside))
            else:
                with open(whole, "rb") as content:
                    entries.append(image_builder.entry(inside, data=content.read(), mode=0o755))
    streams = [image_builder.tar(*entries), *layers]
    image = image_builder.Image([image_builder.layer(stream) for stream in streams],
                                lambda document: document.update(config=config or {}))
    return image.layout(context.path(name))
