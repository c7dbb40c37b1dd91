# SPDX-License-Identifier: Apache-2.0
"""Attacks that need a machine: on its disks, on its terminal, on the next boot."""

import errno
import hashlib
import json

from harness import BUSYBOX, bundle, case, check, check_equal, check_in
from case_tty import Terminal
from images import config_for, layer, small_image
from machine import Machine, read

# A node for each disk, and a write through it.
ATTACK = """cd /tmp
for disk in /sys/block/vd*; do
    name=${disk##*/}
    IFS=: read -r major minor <$disk/dev
    busybox mknod $name b $major $minor || echo mknod
    dd if=/dev/zero of=$name bs=4096 count=1 conv=fsync 2>&1 | head -n 1
done"""


def with_mknod(script):
    config = config_for(["/bin/sh", "-c", script])
    for names in config["process"]["capabilities"].values():
        names.append("CAP_MKNOD")
    return config


def digests(paths):
    return {path: hashlib.sha256(read(path)).hexdigest() for path in paths}


def three_layers(context):
    return [small_image(context), layer(context, "two", {"two": "2"}, "erofs"),
            layer(context, "three", {"three": "3"}, "ext4")]


@case(timeout=120)
def nodes_of_the_layers_disks(context):
    """
    CVE-2020-2023: who may make nodes makes one of each disk of the machine, and writes to it. With disks as the
    boot contract wants them, and with writable ones.
    """
    paths = [context.path(f"layer{i}") for i in range(3)]
    for original, path in zip(three_layers(context), paths):
        context.tool("cp", original, path)
    before = digests(paths)
    for is_readonly in (True, False):
        machine = Machine(context, with_mknod(ATTACK))
        for i, path in enumerate(paths):
            machine.disk(path, f"smk-layer-{i:03}", readonly=is_readonly)
        lines = machine.boot().expect(0).out.splitlines()
        check_equal(len(lines), 3, f"disks in {lines}")
        for line in lines:
            check_in("Operation not permitted", line, "writing")
        check_equal(digests(paths), before, "the layers' digests")


@case(timeout=120)
def a_second_boot_is_like_the_first(context):
    """CVE-2020-2025: nothing of a boot is left on the layers, nor in what the next one sees."""
    paths = three_layers(context)
    before, outputs = digests(paths), []
    script = "/bin/probe tree /; echo x >/new; rm -rf /bin /two; sync"
    for _ in range(2):
        machine = Machine(context, config_for(["/bin/busybox", "sh", "-c", script]))
        for i, path in enumerate(paths):
            machine.disk(path, f"smk-layer-{i:03}")
        outputs.append(machine.boot().expect(0).out)
        check_equal(digests(paths), before, "the layers' digests")
    check(len(outputs[0]) > 1000, f"the tree is {outputs[0]}")
    check_equal(outputs[1], outputs[0], "what the second boot saw")


@case()
def typing_into_the_terminal(context):
    """CVE-2017-5226: TIOCSTI does not put anything into a terminal, neither the container's nor smk's."""
    terminal = Terminal(context, bundle(context, ["/bin/probe", "tiocsti"], terminal=True))
    terminal.end(0)
    check_in(f"tiocsti {errno.EIO}".encode(), terminal.data, "what the probe said")


@case()
def started_with_signals_ignored(context):
    """Whoever starts init-oci may have SIGCHLD and others ignored: its children are still found, and see defaults."""
    machine = Machine(context, config_for(["/bin/probe"]))
    machine.files["busybox"] = (0o100755, read(BUSYBOX))
    machine.files["real-init"] = machine.files["init"]
    machine.files["init"] = (0o100755, b"#!/busybox sh\ntrap '' CHLD PIPE TERM INT HUP USR1\nexec /real-init\n")
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(0)
    facts = json.loads(outcome.out)
    for name in ("sigIgnored", "sigBlocked", "sigCaught"):
        check_equal(facts[name], "0" * 16, name)
