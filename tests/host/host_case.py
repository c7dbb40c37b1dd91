# SPDX-License-Identifier: Apache-2.0
"""What the cases of smk without a guest share: a tiny bundle, and a PATH with a fake QEMU."""

import json
import os
import sys

import image_builder
from harness import base_config, check_equal, children_of, write_config

FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_qemu.py")


def tiny_bundle(context, name="bundle", **members):
    """A bundle of three files; keywords replace members of the configuration."""
    directory = context.path(name)
    root = os.path.join(directory, "rootfs")
    os.makedirs(os.path.join(root, "bin"))
    with open(os.path.join(root, "bin", "hello"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho hello\n")
    os.symlink("hello", os.path.join(root, "bin", "link"))
    config = base_config()
    config["process"]["args"] = ["/bin/hello"]
    config.update(members)
    write_config(directory, config)
    return directory


def tiny_image(context, config=None, name="image"):
    """An image of one file; config: the members of "config"."""
    files = image_builder.tar(image_builder.folder("bin"), image_builder.entry("bin/hello", data=b"x", mode=0o755))
    image = image_builder.Image([image_builder.layer(files)],
                                lambda document: document.update(config=config or {"Cmd": ["/bin/hello"]}))
    return image.layout(context.path(name))


def fake_qemu(context, part):
    """Puts the fake first in PATH; it plays `part`."""
    tools = context.path("tools")
    os.makedirs(tools, exist_ok=True)
    with open(os.path.join(tools, "qemu-system-aarch64"), "w", encoding="utf-8") as file:
        file.write(f"#!{sys.executable} -S\nimport runpy\nrunpy.run_path({FAKE!r}, "
                   "run_name='__main__')\n")
    os.chmod(os.path.join(tools, "qemu-system-aarch64"), 0o755)
    context.env["PATH"] = tools + ":" + context.env["PATH"]
    context.env["FAKE_QEMU"] = part
    context.env["FAKE_QEMU_ARGV"] = context.path("argv.json")


def fake_argv(context):
    with open(context.path("argv.json"), encoding="utf-8") as file:
        return json.load(file)


def vmm_of(process):
    """The child of smk's that is no smk: QEMU, or who plays it."""
    found = [pid for pid in children_of(process.pid) if comm_of(pid) != "smk"]
    check_equal(len(found), 1, "number of QEMUs")
    return found[0]


def comm_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()


def own_cache(context):
    """A cache that no other case uses."""
    context.env["XDG_CACHE_HOME"] = context.path("cache")
    return context.path("cache", "smk")


def images(context):
    directory = context.path("cache", "smk", "layers")
    return sorted(n for n in os.listdir(directory) if n.endswith(".squashfs"))


def leftovers(context):
    """What smk left in its temporary directory."""
    return os.listdir(context.env["TMPDIR"])
