# SPDX-License-Identifier: Apache-2.0
"""What is longer than init-oci has room for: each is refused by name, and nothing is cut off in silence."""

import errno

from harness import case, check_in
from pid1 import Link, Machine, base_tree, config_for
from session import Guest

LONG = "n" * 256  # of a name in a file system, one too many
TOO_LONG = f"errno {errno.ENAMETOOLONG}"


def tmpfs(destination, *options):
    return config_for("/probe", mounts=[
        {"destination": destination, "type": "tmpfs", "source": "t", "options": list(options)}])


def linux(**members):
    return config_for("/probe") | {"linux": members}


@case()
def configurations_that_are_too_long(c):
    rows = (
        (tmpfs("/a/" + LONG), "apply: /mounts/0: ", "make in the image", TOO_LONG),
        (tmpfs("/a", "k" * 64 + "=1"), "apply: /mounts/0: /a: mount: ", f"option {'k' * 60}...: name too long"),
        (linux(sysctl={"a" * 300: "1"}), "apply: ...aaa", "the name is too long"),
        (linux(cgroupsPath="/" + LONG), "apply: /linux/cgroupsPath: ", "mkdir: ", TOO_LONG),
    )
    with Machine(c) as m:
        m.layer(base_tree())
        for config, *parts in rows:
            m.run(config).expect_failure(*parts)


@case()
def links_that_grow(c):
    """Dangling links whose texts do not fit into a path together."""
    links = {"/a": Link("/b/" + "x/" * 1500), "/b/x": Link("y/" * 1500)}
    with Machine(c) as m:
        m.layer(base_tree(links))
        m.run(tmpfs("/a/end")).expect_failure("apply: /mounts/0: ", TOO_LONG)


@case()
def maps_that_the_kernel_does_not_take(c):
    """A page of text is more than it reads at once."""
    maps = [{"containerID": 0, "hostID": 0, "size": 65536}]
    maps += [{"containerID": 1000000 + n, "hostID": 1000000 + n, "size": 1} for n in range(300)]
    config = config_for("/probe") | {"linux": {"namespaces": [{"type": "user"}], "uidMappings": maps, "gidMappings": maps}}
    with Guest(c) as guest:
        guest.run(config=config).expect_failure(125, "spawn: /linux/uidMappings: ", f"errno {errno.E2BIG}")


@case()
def command_lines_that_name_nothing(c):
    rows = (
        ("smk.config=file:/" + "c" * 300, TOO_LONG),
        ("smk.layers=" + "l" * 300, "discover: smk.layers: ", "is too long for a name"),
        ("smk.layers=disk:nosuch", "discover: smk.layers: ", '"nosuch"'),
        ("smk.layers=nosuch", "discover: smk.layers: ", '"nosuch"'),
        ("smk.layers=virtiofs:nosuch", "discover: smk.layers: ", '"nosuch"'),
        ("smk.upper=disk:nosuch", "discover: smk.upper: ", '"nosuch"'),
        ("quiet\0smk.upper=none", "bootargs: ", "the command line holds a NUL byte"),
    )
    with Machine(c) as m:
        m.layer(base_tree())
        for cmdline, *parts in rows:
            m.run(config_for("/probe"), cmdline).expect_failure(*parts)


@case()
def upper_disk_by_its_name(c):
    with Machine(c) as m:
        m.layer(base_tree())
        m.disk(m.image({}, "ext4"), "other", read_only=False)
        m.run(config_for("/probe"), "smk.upper=disk:other").expect()
        m.run(config_for("/probe"), "smk.upper=disk:vdab").expect()
        m.run(config_for("/probe"), "smk.upper=disk:smk-layer-000").expect_failure("find upper: ", "the upper is ext4")


@case()
def devices_of_the_machine_with_odd_names(c):
    """What /sys says is the machine's, but has limits too: an unlabelled disk is no layer, a long name no disk."""
    with Machine(c) as m:
        m.layer(base_tree())
        m.run(config_for("/probe"), block={"vdzz/dev": "7:7\n"}).expect()
        run = m.run(config_for("/probe"), block={"vd" + "z" * 40 + "/dev": "7:7\n"})
        run.expect_failure("discover: ", "scan: ", TOO_LONG)
        run = m.run(config_for("/probe"), "smk.upper=disk:odd", block={"vdzz/dev": "none\n", "vdzz/serial": "odd"})
        check_in("vdzz", run.expect_failure("discover: ").failures[0])
