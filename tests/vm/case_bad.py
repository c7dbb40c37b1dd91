# SPDX-License-Identifier: Apache-2.0
"""Bad input: one line of the failure contract's form, the right code, the machine off, no panic."""

import os
import random

from harness import base_config, bundle, case, check, check_in, small_root, write_config
from images import config_for, layer, make, small_image
from machine import Machine, read


def broken_config(name, text, *parts):
    def run(context):
        machine = Machine(context, text).disk(small_image(context), "smk-layer-000")
        machine.boot().expect_failure("init-oci: fatal: ", *parts)

    run.__name__ = "config_" + name
    case()(run)


broken_config("empty", b"", "config")
broken_config("no_json", b"{nonsense", "parse: ")
broken_config("array", b"[1]", "parse: ")
broken_config("nul", b'{"ociVersion":"1.0.2"\0}', "parse: ")
broken_config("no_process", b'{"ociVersion":"1.0.2","root":{"path":"/"}}', "process")


@case()
def no_config(context):
    machine = Machine(context).disk(small_image(context), "smk-layer-000")
    machine.boot().expect_failure("discover: ", "config")


@case()
def config_named_but_absent(context):
    machine = Machine(context, config_for(["/bin/true"]), "smk.config=file:/absent")
    machine.disk(small_image(context), "smk-layer-000").boot().expect_failure("/absent", "errno 2")


@case()
def no_layer(context):
    Machine(context, config_for(["/bin/true"])).boot().expect_failure("discover: ", "layer")


@case()
def missing_layer_in_between(context):
    machine = Machine(context, config_for(["/bin/true"])).disk(small_image(context), "smk-layer-000")
    machine.disk(layer(context, "two", {"x": ""}), "smk-layer-002").boot().expect_failure("smk-layer-001")


@case()
def layer_named_but_absent(context):
    machine = Machine(context, config_for(["/bin/true"]), "smk.layers=disk:base,disk:absent")
    machine.disk(small_image(context), "base").boot().expect_failure("absent")


@case()
def two_disks_of_one_serial(context):
    machine = Machine(context, config_for(["/bin/true"]))
    machine.disk(small_image(context), "smk-layer-000").disk(layer(context, "x", {"y": ""}), "smk-layer-000")
    machine.boot().expect_failure("smk-layer-000")


def bad_key(name, words, *parts):
    def run(context):
        machine = Machine(context, config_for(["/bin/true"]), words)
        machine.disk(small_image(context), "smk-layer-000").boot().expect_failure("bootargs: ", *parts)

    run.__name__ = "key_" + name
    case()(run)


bad_key("unknown", "smk.layer=vda", "smk.layer", "smk.layers")
bad_key("without_value", "smk.config", "smk.config")
bad_key("twice", "smk.upper=none smk.upper=tmpfs", "smk.upper")
bad_key("bad_upper", "smk.upper=disc:x", "smk.upper")
bad_key("bad_control", "smk.control=tcp:1", "smk.control")


def bad_disk(name, mutate):
    """A layer of each kind, spoilt by mutate(bytes): 125 or, when what is needed was spared, 0."""

    def run(context):
        for kind in ("squashfs", "erofs", "ext4"):
            path = context.path("disk-" + kind)
            with open(path, "wb") as file:
                file.write(mutate(read(small_image(context, kind))))
            machine = Machine(context, config_for(["/bin/true"])).disk(path, "smk-layer-000")
            machine.boot().expect_failure("smk-layer-000")

    run.__name__ = "disk_" + name
    case(timeout=120)(run)


bad_disk("of_zeros", lambda data: b"\0" * len(data))
bad_disk("of_512_bytes", lambda data: data[:512])
bad_disk("of_4096_bytes", lambda data: data[:4096])
bad_disk("of_noise", lambda data: random.Random(3).randbytes(1 << 20))
bad_disk("without_its_first_block", lambda data: b"\0" * 4096 + data[4096:])


def survives(context, machine, what):
    """A spoilt disk may still work. It must not hang, panic, or end without a record."""
    outcome = machine.boot()
    record = outcome.record or outcome.console_record
    check(record is not None, f"{what}: no exit record; console {outcome.console[-500:]!r}")
    check("Kernel panic" not in outcome.console, f"{what}: a panic")
    return record["code"]


@case(timeout=200)
def truncated_disks(context):
    for kind in ("squashfs", "erofs", "ext4"):
        whole = read(small_image(context, kind))
        for percent in (10, 50, 90, 99):
            path = context.path("disk")
            with open(path, "wb") as file:
                file.write(whole[:len(whole) * percent // 100 // 512 * 512])
            machine = Machine(context, config_for(["/bin/true"])).disk(path, "smk-layer-000")
            code = survives(context, machine, f"{kind} cut to {percent} %")
            if kind != "erofs":  # it does not know its own size: what is not read is not missed
                check(code != 0 or kind == "ext4", f"{kind} cut to {percent} %: exit code {code}")


@case(timeout=280)
def flipped_bits(context):
    """A few of the many mutations; the farm for 10 000 of them is tests/fuzz's."""
    generator = random.Random(4)
    for kind in ("squashfs", "erofs", "ext4"):
        whole = read(small_image(context, kind))
        for turn in range(6):
            data = bytearray(whole)
            for _ in range(64):
                data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
            path = context.path("disk")
            with open(path, "wb") as file:
                file.write(data)
            machine = Machine(context, config_for(["/bin/true"])).disk(path, "smk-layer-000")
            survives(context, machine, f"{kind}, turn {turn}")


@case()
def ext4_that_asks_for_a_panic(context):
    """errors=panic in the superblock, and an inode that is wrong: we mount with remount-ro."""
    image = context.path("image")
    context.tool("cp", small_image(context, "ext4"), image)
    context.tool("/sbin/tune2fs", "-e", "panic", image)
    context.tool("/sbin/debugfs", "-w", "-R", "clri /bin/cat", image)
    machine = Machine(context, config_for(["/bin/sh", "-c", "cat /etc/hostname; ls -l /bin; echo alive"]))
    outcome = machine.disk(image, "smk-layer-000").boot().expect(0)
    check_in("alive", outcome.out, "stdout")
    check("Kernel panic" not in outcome.console, "a panic")


@case(timeout=120)
def read_errors(context):
    """The disk gives EIO: at once, or only once the machine runs."""
    for kind in ("squashfs", "ext4"):
        for sector in (0, 2, 2000):
            rules = context.path(f"rules-{kind}-{sector}")
            with open(rules, "w", encoding="utf-8") as file:
                file.write(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\n')
            machine = Machine(context, config_for(["/bin/sh", "-c", "cat /bin/* >/dev/null; echo alive"]))
            machine.disk(f"blkdebug:{rules}:{small_image(context, kind)}", "smk-layer-000")
            survives(context, machine, f"{kind}, EIO at sector {sector}")


@case()
def empty_layer(context):
    machine = Machine(context, config_for(["/bin/true"])).disk(layer(context, "empty", {}), "smk-layer-000")
    machine.boot().expect_failure("/bin/true", code=127)


LINKS = {"absolute": "/outside", "climbing": "../../../../outside", "magic": "/proc/1/root",
         "loop": "LOOP", "dangling": "/no/such/place"}


def linked_root(context, where, target):
    """The small root with `where` a symbolic link, and what it leads to full of names."""
    tree = context.path("tree")
    context.tool("cp", "-a", small_root(), tree)
    path = os.path.join(tree, where)
    if os.path.isdir(path):
        os.rmdir(path)
    os.symlink(where if target == "LOOP" else target, path)
    os.makedirs(os.path.join(tree, "outside"))
    for name in ("ptmx", "null", "hostname", "hosts"):
        with open(os.path.join(tree, "outside", name), "w", encoding="utf-8") as file:
            file.write("untouched\n")
    return make(context, "squashfs", tree, context.path("image"))


def linked(where):
    """/proc, /dev, /sys or /etc of the image is a symbolic link. Nothing outside the container is
    touched: it fails cleanly, or it works inside the root."""

    def run(context):
        for name, target in LINKS.items():
            context.tool("rm", "-rf", context.path("tree"), context.path("image"))
            machine = Machine(context, config_for(["/bin/sh", "-c", "ls /outside; echo end"]))
            machine.disk(linked_root(context, where, target), "smk-layer-000")
            code = survives(context, machine, f"/{where} is a link: {name}")
            check(code in (0, 125), f"/{where}, {name}: exit code {code}")

    run.__name__ = f"image_with_linked_{where}"
    case(timeout=120)(run)


for place in ("proc", "sys", "dev", "etc"):
    linked(place)


@case()
def cwd_is_a_file(context):
    context.smk("run", bundle(context, ["/bin/true"], cwd="/bin/sh")).expect_line(
        125, "init-oci: fatal: spawn: /process/cwd: ", "/bin/sh")


@case()
def mount_that_fails(context):
    directory = bundle(context, ["/bin/true"])
    config = base_config()
    config["process"]["args"] = ["/bin/true"]
    config["root"]["path"] = small_root()
    config["mounts"].append({"destination": "/data", "type": "ext4", "source": "/dev/absent"})
    write_config(directory, config)
    context.smk("run", directory).expect_line(
        125, "init-oci: fatal: apply: ", f"/mounts/{len(config['mounts']) - 1}", "errno 2")


def exec_case(name, code, content, mode, *parts):
    """The entrypoint is a file with this content."""

    def run(context):
        tree = context.path("tree")
        context.tool("cp", "-a", small_root(), tree)
        with open(tree + "/entry", "wb") as file:
            file.write(content)
        os.chmod(tree + "/entry", mode)
        context.smk("run", bundle(context, ["/entry"], root=tree)).expect_line(
            code, "init-oci: fatal: spawn: ", "/entry", *parts)

    run.__name__ = "exec_" + name
    case()(run)


exec_case("empty_file", 126, b"", 0o755, "errno 8")
exec_case("garbage", 126, b"\x7fELFgarbage" * 20, 0o755, "errno 8")
exec_case("text_without_interpreter", 126, b"echo hello\n", 0o755, "errno 8")
exec_case("of_another_machine", 126, read("/bin/true"), 0o755, "errno 8")
exec_case("missing_interpreter", 127, b"#!/no/such/sh\n", 0o755, "interpreter", "errno 2")
exec_case("interpreter_with_carriage_return", 127, b"#!/bin/sh\r\necho\r\n", 0o755, "errno 2")
exec_case("not_executable", 126, b"#!/bin/sh\n", 0o644, "errno 13")


@case()
def argument_that_is_too_long(context):
    context.smk("run", bundle(context, ["/bin/true", "x" * 131072])).expect_line(
        126, "init-oci: fatal: ", "errno 7")
