# SPDX-License-Identifier: Apache-2.0
"""Baked directories: what is written boots by QEMU alone, and with --verity a changed bit is an error."""

import json
import re
import subprocess

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


@case(timeout=180)
def verity_layers_boot_and_lie_never(context):
    """
    One bit, somewhere: of the superblock, of the tables at the end, of a file, of the hash tree. The layer is
    refused by its name, or what reads the block gets an error; the file's right digest or none at all.
    """
    script = "sha256sum /bin/busybox && echo whole"
    directory = bake(context, shell(context, script), "--verity")
    layer = manifest(directory)["layers"][0]
    path, blocks = f"{directory}/{layer['path']}", layer["verity"]["dataBlocks"]
    subprocess.run(["veritysetup", "verify", path, path, layer["verity"]["rootHash"],
                    f"--hash-offset={blocks * 4096}"], check=True, capture_output=True)
    text, record = boot(context, directory)
    check_equal(record["code"], 0, "code")
    digest = SEEN.search(text)[1]
    refused = {5: "mount", blocks * 4096 - 3000: "mount", (blocks + 1) * 4096 + 1: "mount"}
    for at in [*refused, 4096 * (blocks // 3), 4096 * (blocks // 2) + 7, 4096 * (blocks * 2 // 3) + 999]:
        flip(path, at)
        text, record = boot(context, directory)
        flip(path, at)
        if at in refused:
            check_equal((record["phase"], record["code"]), ("setup", 125), f"end with byte {at}: {text}")
            check_equal(record["failure"]["field"], "<builtin:layer/000>", "field")
        seen = SEEN.findall(text)
        check(seen in ([], [digest]), f"byte {at}: another file is seen: {text}")
        check(("whole" in text) == (seen == [digest]) and (record["code"] == 0) == bool(seen), f"byte {at}: {text}")
    check_equal(boot(context, directory)[1]["code"], 0, "code of the mended layer")
