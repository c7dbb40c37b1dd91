# SPDX-License-Identifier: Apache-2.0
"""Layers, writable layer, configuration and streams by every way of the boot contract; no smk."""

import json
import os

from harness import BUSYBOX, INIT, case, check, check_equal, check_in, small_root
from images import config_for, layer, make, small_image
from machine import Machine, read


def shell_config(script, **process):
    return config_for(["/bin/sh", "-c", script], **process)


def one_layer(kind):
    def run(context):
        machine = Machine(context, shell_config("cat /etc/hostname; echo x >/new && cat /new"))
        machine.disk(small_image(context, kind), "smk-layer-000").boot().expect(0, "box\nx\n")

    run.__name__ = "layer_" + kind.replace("-", "_")
    case()(run)


for each in ("squashfs", "squashfs-gzip", "squashfs-xz", "squashfs-zstd", "erofs", "erofs-lz4", "ext4"):
    one_layer(each)


@case()
def layer_9p(context):
    machine = Machine(context, shell_config("cat /bin/mark; ls /bin/probe"))
    tree = context.path("root")
    context.tool("cp", "-a", small_root(), tree)
    with open(tree + "/bin/mark", "w", encoding="utf-8") as file:
        file.write("over 9p\n")
    machine.ninep(tree, "smk-layer-000").boot().expect(0, "over 9p\n/bin/probe\n")


@case()
def layer_virtiofs(context):
    machine = Machine(context, shell_config("cat /bin/mark; echo x >/bin/new && cat /bin/new"))
    tree = context.path("root")
    context.tool("cp", "-a", small_root(), tree)
    with open(tree + "/bin/mark", "w", encoding="utf-8") as file:
        file.write("over virtiofs\n")
    machine.virtiofs(tree, "smk-layer-000").boot().expect(0, "over virtiofs\nx\n")
    check(not os.path.exists(tree + "/bin/new"), "the layer was written to")


@case()
def layers_in_order_of_their_names(context):
    """Three kinds of disk, attached in the wrong order: the highest serial wins."""
    low = layer(context, "low", {"f/who": "low", "f/low": "", "f/both": "low"})
    high = layer(context, "high", {"f/who": "high", "f/high": "", "f/both": "high"}, "erofs")
    machine = Machine(context, shell_config("cat /f/who /f/both; echo; ls /f"))
    machine.disk(high, "smk-layer-002").disk(small_image(context), "smk-layer-000").disk(low, "smk-layer-001")
    machine.boot().expect(0, "highhigh\nboth\nhigh\nlow\nwho\n")


@case()
def layers_by_key(context):
    """Disks without serials, named by device; and a disk that no layer is."""
    machine = Machine(context, shell_config("cat /who"), "smk.layers=disk:base,top")
    other = layer(context, "other", {"who": "other"})
    machine.disk(other, "unrelated").disk(layer(context, "top", {"who": "top"}), "top")
    machine.disk(small_image(context), "base").boot().expect(0, "top")


@case()
def whiteouts_hide(context):
    """A character device 0:0 and an opaque directory, as image builders leave them."""
    check_equal(os.getuid(), 0, "user (the case makes devices)")
    tree = context.path("tree")
    os.makedirs(tree + "/f")
    os.makedirs(tree + "/opaque")
    os.mknod(tree + "/f/gone", 0o020000, 0)
    os.setxattr(tree + "/opaque", "trusted.overlay.opaque", b"y")
    low = layer(context, "low", {"f/gone": "x", "f/stays": "x", "opaque/hidden": "x"})
    machine = Machine(context, shell_config("ls /f /opaque"))
    machine.disk(small_image(context), "smk-layer-000").disk(low, "smk-layer-001")
    machine.disk(make(context, "squashfs", tree, context.path("top")), "smk-layer-002")
    machine.boot().expect(0, "/f:\nstays\n\n/opaque:\n")


@case(timeout=180)
def twenty_layers(context):
    machine = Machine(context, shell_config("ls /n | wc -l; cat /who"), memory="192M")
    machine.disk(small_image(context), "smk-layer-000")
    for i in range(1, 21):
        machine.disk(layer(context, f"l{i}", {f"n/{i}": "", "who": f"{i}\n"}), f"smk-layer-{i:03}")
    machine.boot().expect(0, "20\n20\n")


@case()
def single_layer_without_upper_has_no_overlay(context):
    machine = Machine(context, shell_config("mount | head -n 1; echo x >/new"), "smk.upper=none")
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(1)
    check_in(" on / type squashfs (ro", outcome.out, "the root's mount")


@case()
def two_layers_without_upper(context):
    machine = Machine(context, shell_config("mount | head -n 1; cat /x; echo x >/new"), "smk.upper=none")
    machine.disk(small_image(context), "smk-layer-000").disk(layer(context, "x", {"x": "text"}), "smk-layer-001")
    outcome = machine.boot().expect(1)
    check_in(" on / type overlay (ro", outcome.out, "the root's mount")
    check_in("text", outcome.out, "stdout")


@case()
def readonly_root_with_upper(context):
    """root.readonly: init-oci's own files are there, the workload writes nothing."""
    config = shell_config("cat /etc/hostname; echo x >/new || echo x >/etc/hostname")
    config["root"]["readonly"] = True
    machine = Machine(context, config).disk(small_image(context), "smk-layer-000")
    machine.boot().expect(1, "box\n")


def new_upper(context, size="16M"):
    disk = context.path("upper")
    context.tool("/sbin/mkfs.ext4", "-q", "-F", disk, size)
    return disk


@case(timeout=120)
def upper_disk_over_two_boots(context):
    disk = new_upper(context)
    first = Machine(context, shell_config("echo kept >/new; rm /bin/mkdir; mkdir -p /a/b && echo deep >/a/b/c"))
    first.disk(small_image(context), "smk-layer-000").disk(disk, "smk-upper", readonly=False)
    first.boot().expect(0)
    context.tool("/sbin/e2fsck", "-fn", disk)
    check_equal(read(disk)[1024 + 58:1024 + 60], b"\1\0", "state of the file system (1: clean)")
    second = Machine(context, shell_config("cat /new /a/b/c; ls /bin/mkdir || echo gone"))
    second.disk(small_image(context), "smk-layer-000").disk(disk, "smk-upper", readonly=False)
    second.boot().expect(0, "kept\ndeep\ngone\n")
    context.tool("/sbin/e2fsck", "-fn", disk)


@case()
def upper_disk_by_key(context):
    machine = Machine(context, shell_config("echo x >/new"), "smk.upper=disk:scratch")
    disk = new_upper(context)
    machine.disk(small_image(context), "smk-layer-000").disk(disk, "scratch", readonly=False)
    machine.boot().expect(0)
    check_in("new", context.run(["/sbin/debugfs", "-R", "ls /upper", disk]).text, "the disk's upper directory")


@case()
def upper_disk_that_is_readonly(context):
    machine = Machine(context, shell_config("true"))
    machine.disk(small_image(context), "smk-layer-000").disk(new_upper(context), "smk-upper")
    machine.boot().expect_failure("discover: ", "disk smk-upper is read-only")


@case()
def layers_are_never_written(context):
    """Whatever a boot does, each layer's bytes are the same afterwards, even on writable disks."""
    images = {}
    for kind in ("squashfs", "erofs", "ext4"):
        tree = layer(context, "tree" + kind, {"x": kind}, kind)
        images[tree] = read(tree)
    base = context.path("base")
    context.tool("cp", small_image(context), base)
    images[base] = read(base)
    machine = Machine(context, shell_config("echo x >/x; rm /bin/ls; touch /bin/sh; sync"))
    machine.disk(base, "smk-layer-000", readonly=False)
    for i, path in enumerate([p for p in images if p != base], 1):
        machine.disk(path, f"smk-layer-{i:03}", readonly=False)
    machine.boot().expect(0)
    for path, before in images.items():
        check(read(path) == before, f"{path} was written to")


@case()
def config_on_a_disk(context):
    text = json.dumps(shell_config("echo from the disk")).encode()
    path = context.path("config")
    with open(path, "wb") as file:
        file.write(text + b"\0" * (-len(text) % 4096))
    machine = Machine(context).disk(path, "smk-config").disk(small_image(context), "smk-layer-000")
    machine.boot().expect(0, "from the disk\n")


@case()
def config_by_key(context):
    machine = Machine(context, shell_config("echo the wrong one"), "smk.config=file:/other.json")
    machine.files["other.json"] = (0o100600, json.dumps(shell_config("echo the right one")).encode())
    machine.disk(small_image(context), "smk-layer-000").boot().expect(0, "the right one\n")


@case()
def over_pci(context):
    machine = Machine(context, shell_config("cat; echo x >/new; ls /new"), bus="pci")
    machine.disk(small_image(context), "smk-layer-000").input_port(b"input\n")
    machine.boot().expect(0, "input\n/new\n")


@case()
def with_nothing_but_a_console(context):
    """No control port: the console has the output and, at the end, the exit record."""
    machine = Machine(context, shell_config("echo out; echo err >&2; exit 6"))
    machine.has_control = False
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(6)
    check(outcome.record is None, "a record on a channel that is not there")
    for line in ("out", "err"):
        check(line in outcome.console.splitlines(), f"{line!r} is not on the console: {outcome.console!r}")
    words = [l for l in outcome.console.splitlines() if l in ("out", "err") or l.startswith("smk-exit: ")]
    check(words[-1].startswith("smk-exit: "), f"output after the record: {words}")


@case()
def control_by_another_name(context):
    machine = Machine(context, shell_config("echo x"), "smk.control=none")
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(0)
    check_equal(outcome.events, [], "events on a channel that is not to be used")


@case()
def dedicated_ports(context):
    """smk.stdin, smk.stdout and smk.stderr: raw bytes, the control channel has only events."""
    machine = Machine(context, shell_config("cat; echo err >&2; exit 5"))
    machine.disk(small_image(context), "smk-layer-000")
    machine.input_port(b"through a port\n").port("smk.stdout").port("smk.stderr")
    outcome = machine.boot().expect(5, "")
    check_equal(outcome.ports["smk.stdout"], b"through a port\n", "stdout")
    check_equal(outcome.ports["smk.stderr"], b"err\n", "stderr")
    check_equal([e["type"] for e in outcome.events], ["hello", "started", "exit"], "events")


@case()
def events_of_a_run(context):
    machine = Machine(context, config_for(["/bin/probe", "exit", "3"]))
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(3)
    hello, started, record = outcome.events
    check_equal([hello["type"], started["type"], record["type"]], ["hello", "started", "exit"], "events")
    check_equal(hello["version"], 1, "version")
    check(started["pid"] > 1, f"pid {started['pid']}")
    times = record["timings"]
    order = [times[m] for m in ("main", "bootargs", "discover", "parse", "plan", "apply", "spawn", "exit", "report")]
    check_equal(order, sorted(order), "the flight recorder's times")
    check_equal((record["signal"], record["oomKilled"], record["droppedBytes"]), (0, False, 0), "record")


@case()
def record_of_a_killed_workload(context):
    machine = Machine(context, config_for(["/bin/sh", "-c", "kill -11 $$"], without="pid"))
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(139)
    check_equal(outcome.record["signal"], 11, "signal")


def init_on_the_vmms_root(kind):
    """init=: init-oci lies on a root file system of the VMM's, which is the only layer. The root is the
    last disk, which is /dev/vda on QEMU's MMIO machine; root.path is a directory in it."""

    def run(context):
        tree = context.path("tree")
        for name in ("proc", "sys", "dev", "sbin", "run", "srv/box/bin"):
            os.makedirs(os.path.join(tree, name))
        context.tool("cp", INIT, tree + "/sbin/init-oci")
        context.tool("cp", BUSYBOX, tree + "/srv/box/bin")
        os.symlink("busybox", tree + "/srv/box/bin/sh")
        image = make(context, kind, tree, context.path("root"))
        before = read(image)
        settings = shell_config("echo x >/new; /bin/busybox cat /new; /bin/busybox ls -d /bin /sbin /new")
        settings["root"]["path"] = "/srv/box"
        text = json.dumps(settings).encode()
        config = context.path("config")
        with open(config, "wb") as file:
            file.write(text + b"\0" * (-len(text) % 4096))
        machine = Machine(context, None, f"root=/dev/vda ro rootfstype={kind} init=/sbin/init-oci")
        machine.has_initramfs = False
        machine.disk(config, "smk-config").disk(image, "root").boot().expect(1, "x\n/bin\n/new\n")
        check(read(image) == before, "the VMM's root was written to")

    run.__name__ = f"init_on_the_vmms_{kind}_root"
    case()(run)


init_on_the_vmms_root("squashfs")
init_on_the_vmms_root("erofs")
init_on_the_vmms_root("ext4")


@case(timeout=120)
def many_boots_are_alike(context):
    """Ten in a row, on two processors: each ends well and powers off."""
    for _ in range(10):
        machine = Machine(context, config_for(["/bin/echo", "alike"]), cpus=2)
        machine.disk(small_image(context), "smk-layer-000").boot().expect(0, "alike\n")


@case()
def thirty_two_mebibytes(context):
    machine = Machine(context, config_for(["/bin/echo", "small"]), memory="32M")
    machine.disk(small_image(context), "smk-layer-000").boot().expect(0, "small\n")
