# SPDX-License-Identifier: Apache-2.0
"""Baked directories: what is written boots by QEMU alone, and with --verity a changed bit is an error."""

import json
import os
import re
import subprocess

import image_builder
from images import image_of
from harness import bundle, case, check, check_equal, check_in, shell

SEEN = re.compile(r"^([0-9a-f]{64})  /bin/busybox\r?$", re.M)
EXIT = re.compile(r"^smk-exit: (.*?)\r?$", re.M)


def boot(context, directory):
    """The directory by its own script: the console's text, and the exit record."""
    run = context.run(["sh", f"{directory}/qemu.sh"], stdin=b"")
    records = EXIT.findall(run.text)
    check_equal(len(records), 1, f"exit records in {run.text}")
    return run.text, json.loads(records[0])


def bake(context, what, *words):
    context.smk("bake", *words, what, context.path("baked")).expect(0)
    return context.path("baked")


@case()
def baked_directory_boots(context):
    directory = bake(context, bundle(context, ["/bin/probe", "exit", "9"]))
    check_equal(boot(context, directory)[1]["code"], 9, "code")


@case()
def baked_disk_keeps_what_is_written(context):
    directory = bake(context, shell(context, "cat /kept; echo before >/kept"), "--upper", "disk:16M")
    check("before" not in boot(context, directory)[0], "the first boot has a file already")
    check_in("before", boot(context, directory)[0], "the second boot")


def manifest(directory):
    with open(f"{directory}/manifest.json", encoding="utf-8") as file:
        return json.load(file)


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


DAMAGED = "init-oci: fatal: {}: <builtin:layer/000>: dm-verity: the layer is damaged"


def check_end(context, directory, place, digest):
    """The right end and nothing of the wrong data, whatever the workload made of it. Its phase."""
    text, record = boot(context, directory)
    check(SEEN.findall(text) in ([], [digest]), f"{place}: another file is seen: {text}")
    check_equal(record["code"], 125, f"{place}: code in {text}")
    check_equal((record["failure"]["field"], record["failure"]["why"]),
                ("<builtin:layer/000>", "the layer is damaged"), f"{place}: failure")
    check_in(DAMAGED.format(record["failure"]["stage"]), text, place)
    return record["phase"]


def baked_with_verity(context, script):
    """The directory, its layer's path and blocks, and the digest that a whole layer shows."""
    directory = bake(context, shell(context, script), "--verity")
    layer = manifest(directory)["layers"][0]
    text, record = boot(context, directory)
    check_equal(record["code"], 0, "code")
    return directory, f"{directory}/{layer['path']}", layer["verity"], SEEN.search(text)[1]


@case(timeout=240)
def verity_layers_boot_and_lie_never(context):
    """
    One bit, somewhere: of the superblock, of the tables at the end, of the hash tree, of a file's data that is
    executed and read. Whatever came of it, the end names the layer.
    """
    directory, path, verity, digest = baked_with_verity(context, "sha256sum /bin/busybox && echo whole")
    blocks = verity["dataBlocks"]
    subprocess.run(["veritysetup", "verify", path, path, verity["rootHash"], f"--hash-offset={blocks * 4096}"],
                   check=True, capture_output=True)
    phases = {5: "setup", blocks * 4096 - 3000: "setup", (blocks + 1) * 4096 + 1: "setup"}
    for at in [*phases, 4096 * (blocks // 3), 4096 * (blocks // 2) + 7, 4096 * (blocks * 2 // 3) + 999]:
        flip(path, at)
        phase = check_end(context, directory, f"byte {at}", digest)
        flip(path, at)
        check_equal(phase, phases.get(at, phase), f"phase with byte {at}")
    check_equal(boot(context, directory)[1]["code"], 0, "code of the mended layer")


@case(timeout=120)
def verity_blames_the_layer_of_a_workload_that_goes_on(context):
    """The workload's own end is 0, because it did not look at what its command said; the other layer is whole."""
    data = os.urandom(1 << 16)
    image = image_of(context, {}, [image_builder.tar(image_builder.entry("data", data=data))])
    directory = context.path("baked")
    context.smk("bake", "--verity", image, directory, "--", "/bin/sh", "-c", "busybox cat /data >/dev/null; true").expect(0)
    check_equal(boot(context, directory)[1]["code"], 0, "code")
    path = f"{directory}/{manifest(directory)['layers'][1]['path']}"
    with open(path, "rb") as file:
        at = file.read().index(data[:64])
    flip(path, at + 40000)
    text, record = boot(context, directory)
    check_equal((record["phase"], record["code"], record["signal"]), ("run", 125, 0), f"end: {text}")
    check_in("init-oci: fatal: supervise: <builtin:layer/001>: dm-verity: the layer is damaged", text, "console")


@case(timeout=120)
def verity_layer_that_is_cut_off(context):
    directory, path, verity, _ = baked_with_verity(context, "sha256sum /bin/busybox")
    blocks = verity["dataBlocks"]
    for size, what in (((blocks + 2) * 4096, "apply: <builtin:layer/000>: dm-verity: the disk is cut off"),
                       (blocks // 2 * 4096, "discover: /dev/vda: detect file system: disk smk-layer-000 is cut off")):
        os.truncate(path, size)
        text, record = boot(context, directory)
        check_equal((record["phase"], record["code"]), ("setup", 125), f"end with {size} bytes: {text}")
        check_in("init-oci: fatal: " + what, text, f"{size} bytes")
