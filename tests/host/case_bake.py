# SPDX-License-Identifier: Apache-2.0
"""smk bake: what the directory holds, and that it is there whole or not at all."""

import hashlib
import json
import os

from harness import case, check, check_equal, check_in
from host_case import leftovers, tiny_bundle

FILES = ["cloud-hypervisor.sh", "config.json", "firecracker.json", "initramfs", "kernel", "layer-000.squashfs",
         "libkrun.json", "manifest.json", "qemu.sh", "vz.json"]


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def tree(directory):
    return {name: read(directory, name) for name in sorted(os.listdir(directory))}


@case()
def baked_files(context):
    """Every digest and size of the manifest is the file's; each VMM's words name every file."""
    directory = context.path("baked")
    context.smk("bake", tiny_bundle(context), directory).expect(0, out="")
    check_equal(sorted(os.listdir(directory)), FILES, "files")
    manifest = json.loads(read(directory, "manifest.json"))
    check_equal((manifest["version"], manifest["platform"]), (1, "linux/arm64"), "manifest")
    for product in (manifest["kernel"], manifest["initramfs"], manifest["config"], *manifest["layers"]):
        data = read(directory, product["path"])
        check_equal((product["size"], product["digest"]), (len(data), "sha256:" + hashlib.sha256(data).hexdigest()),
                    product["path"])
    for name in ("qemu.sh", "cloud-hypervisor.sh", "firecracker.json", "libkrun.json", "vz.json"):
        text = read(directory, name).decode()
        for word in ("kernel", "initramfs", "layer-000.squashfs", "quiet panic=-1"):
            check_in(word, text, name)
        if name.endswith("json"):
            json.loads(text)
        else:
            context.tool("sh", "-n", os.path.join(directory, name))
    check_equal(leftovers(context), [], "temporary files")


@case()
def baked_twice_is_the_same(context):
    bundle = tiny_bundle(context)
    for name in ("a", "b"):
        context.smk("bake", "--verity", bundle, context.path(name)).expect(0)
    check(tree(context.path("a")) == tree(context.path("b")), "two bakes of one bundle differ")


@case()
def words_for_one_monitor(context):
    """--for prints that monitor's file, and the manifest has its kernel command line."""
    bundle = tiny_bundle(context)
    for name, file, word in (("qemu", "qemu.sh", "console=hvc0"), ("firecracker", "firecracker.json", "smk.layers=vda"),
                             ("cloud-hypervisor", "cloud-hypervisor.sh", "serial=smk-layer-000"),
                             ("libkrun", "libkrun.json", "smk.layers=vda"), ("vz", "vz.json", "smk-layer-000")):
        run = context.smk("bake", "--for", name, "--upper", "disk:8M", bundle, context.path(name)).expect(0)
        check_equal(run.out, read(context.path(name), file), f"words for {name}")
        check_in(word, run.text, name)
        line = json.loads(read(context.path(name), "manifest.json"))["commandLine"]
        check_in(line, run.text, f"command line for {name}")
        check_equal(os.path.getsize(context.path(name, "upper.ext4")), 8 << 20, "the upper's size")


@case()
def only_a_new_directory(context):
    """An empty one is new; any other stays as it is, and nothing is left beside it."""
    bundle = tiny_bundle(context)
    os.mkdir(context.path("empty"))
    context.smk("bake", bundle, context.path("empty")).expect(0)
    os.mkdir(context.path("full"))
    with open(context.path("full", "x"), "w", encoding="utf-8"):
        pass
    context.smk("bake", bundle, context.path("full")).expect_line(125, "smk: ", "/full", "new one, or an empty one")
    check_equal(os.listdir(context.path("full")), ["x"], "files of the full directory")
    context.smk("bake", bundle, context.path("absent", "x")).expect_line(125, "smk: ", "/absent/x")
    check_equal([n for n in os.listdir(context.path()) if "tmp-" in n], [], "left beside")


@case()
def bake_options(context):
    bundle = tiny_bundle(context)
    for words, part in ((["bake"], "bake needs"), (["bake", bundle], "bake needs"),
                        (["bake", bundle, context.path("d"), "more"], "more than one bundle"),
                        (["bake", "--timeout", "3", bundle, context.path("d")], "--timeout"),
                        (["bake", "--for", "xen", bundle, context.path("d")], "--for xen"),
                        (["run", "--verity", bundle], "--verity"),
                        (["bake", "--upper", "file:/x", bundle, context.path("d")], "--upper file"),
                        (["bake", "--user", "x", bundle, context.path("d")], "--user is for images")):
        context.smk(*words).expect_line(125, "smk: ", part)
        check(not os.path.exists(context.path("d")), f"{words}: a directory is left")
