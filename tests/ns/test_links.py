# SPDX-License-Identifier: Apache-2.0
"""
Hostile images: what test_matrix.py, which has every place and every trap, does not generate.
Whatever the outcome is, nothing outside the container may be made, changed or removed.
"""

import errno
import time

from harness import case, check, check_equal, check_in
from pid1 import CHAR, FIFO, SOCKET, Link, Machine, Node, base_tree, config_for

# What lies outside, where a link that escapes would lead.
OUTSIDE = {"/outside/ptmx": "marker", "/outside/deep/file": "marker", "/bad": None}

# How an entry can be a trap.
KINDS = {
    "file": "text",
    "fifo": Node(FIFO),
    "socket": Node(SOCKET),
    "device": Node(CHAR, 1, 3),
    "link-absolute": Link("/real"),
    "link-relative": Link("real"),
    "link-escaping": Link("../../../../../outside"),
    "link-dangling": Link("/nowhere/at/all"),
    "link-loop": None,  # set to itself below
    "link-magic": Link("/proc/self/root"),
}


def trap(target, kind):
    """The image with a trap at target."""
    entry = Link(target) if kind == "link-loop" else KINDS[kind]
    changes = {target: entry, "/real": None}
    return base_tree(changes)


def run_trap(c, tree, config, index=0):
    with Machine(c, f"m{index}") as m:
        m.layer(tree)
        run = m.run(config, initramfs=OUTSIDE)
        return run.expect_outside_untouched()


def kernel_view_case(target):
    """proc and sysfs are mounted on an ordinary directory or not at all (CVE-2019-19921 and after)."""

    def one(c):
        for index, kind in enumerate(KINDS):
            run = run_trap(c, trap(target, kind), config_for("/probe"), index)
            run.expect_failure("apply: ", target, "must be mounted on an ordinary directory")

    one.__name__ = f"{target[1:]}_is_a_trap"
    return one


case()(kernel_view_case("/proc"))
case()(kernel_view_case("/sys"))


@case()
def a_configured_proc_is_no_exception(c):
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["hidepid=2"]}]
    run = run_trap(c, trap("/proc", "link-absolute"), config_for("/probe", mounts=mounts))
    run.expect_failure("apply: /mounts/0: ", "must be mounted on an ordinary directory")


@case()
def dev_is_a_link(c):
    """
    CVE-2026-41579, CVE-2026-47766: devices and links below a /dev that points elsewhere. Our rule:
    links are followed inside the root, so all of /dev appears at the place it names, in there.
    """
    for index, link in enumerate(("/outside", "../../../outside", "outside", "/missing/dir")):
        tree = base_tree({"/dev": Link(link), "/outside/ptmx": "the image's"})
        run = run_trap(c, tree, config_for("/probe"), index).expect()
        devices = run.facts["devices"]
        check_equal(devices["/dev/null"]["type"], "c", "/dev/null")
        mounted = "/missing/dir" if "missing" in link else "/outside"
        check(any(l.split()[4] == mounted for l in run.facts["mounts"]), f"nothing is mounted on {mounted}")


@case()
def dev_is_not_a_directory(c):
    for index, kind in enumerate(("file", "fifo", "socket", "device", "link-loop")):
        run = run_trap(c, trap("/dev", kind), config_for("/probe"), index)
        run.expect_failure("apply: ", "/dev", "errno 40" if kind == "link-loop" else f"errno {errno.ENOTDIR}")


@case()
def dev_is_a_bind(c):
    mounts = [{"destination": "/dev", "type": "bind", "source": "/empty", "options": ["bind"]}]
    with Machine(c) as m:
        m.layer(base_tree())
        run = m.run(config_for("/probe", mounts=mounts), initramfs=OUTSIDE | {"/empty": None})
        run.expect()
        check("/dev/null" not in run.facts["devices"], "something was put into a bind mount")
        check_equal([p for p in run.after if p.startswith("root/empty/")], [], "entries of the bound directory")


@case()
def devices_that_are_something_else(c):
    """CVE-2025-31133: what should be /dev/null is there already, and is a trap."""
    mounts = [{"destination": "/dev", "type": "bind", "source": "/mine", "options": ["bind"]}]
    config = config_for("/probe", mounts=mounts)
    config["linux"] = {"devices": [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3}]}
    traps = ("text", Link("/proc/sysrq-trigger"), Node(CHAR, 1, 5), Node(FIFO))
    with Machine(c) as m:
        m.layer(base_tree())
        for entry in traps:
            run = m.run(config, initramfs={"/mine/null": entry})
            run.expect_failure("apply: /linux/devices/0: /dev/null: ", "something else").expect_outside_untouched()
        run = m.run(config, initramfs={"/mine/null": Node(CHAR, 1, 3, 0o666)}).expect()
        check_equal(run.facts["devices"]["/dev/null"]["minor"], 3, "the right device")


@case()
def device_that_the_image_has(c):
    """Its node stays as it is, which is said when the configuration wants it otherwise."""
    device = {"path": "/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600}
    with Machine(c) as m:
        m.layer(base_tree({"/null": Node(CHAR, 1, 3, 0o600)}))
        for rest in ({}, {"fileMode": 0o666}, {"uid": 7}, {"gid": 8}):
            config = config_for("/probe")
            config["linux"] = {"devices": [device | rest]}
            line = "init-oci: warning: apply: /linux/devices/0: /null: is there, and keeps its mode and owner"
            check_equal(m.run(config).expect().warnings, [line] if rest else [], f"warnings of {rest}")


@case()
def parents_of_a_mount_target_are_traps(c):
    """CVE-2024-45310: directories that lead to a target are made inside the root only."""
    traps = {
        "../../x": "/x/b/c",
        "/outside": "/outside/b/c",
        "/../../bad": "/bad/b/c",
        "nowhere": "/nowhere/b/c",
        "/n1/n2": "/n1/n2/b/c",
    }
    for index, (link, place) in enumerate(traps.items()):
        mounts = [{"destination": "/a/b/c", "type": "tmpfs", "source": "t"}]
        run = run_trap(c, base_tree({"/a": Link(link)}), config_for("/probe", mounts=mounts), index).expect()
        check(any(l.split()[4] == place for l in run.facts["mounts"]), f"{link}: nothing on {place}")
    for index, (entry, error) in enumerate((("text", errno.ENOTDIR), (Link("/a"), errno.ELOOP))):
        mounts = [{"destination": "/a/b/c", "type": "tmpfs", "source": "t"}]
        run = run_trap(c, base_tree({"/a": entry}), config_for("/probe", mounts=mounts), 10 + index)
        run.expect_failure("/mounts/0: /a/b/c: ", f"errno {error}")


@case()
def dots_in_a_destination(c):
    mounts = [{"destination": "/a/../../../b/./c", "type": "tmpfs", "source": "t"}]
    run = run_trap(c, base_tree(), config_for("/probe", mounts=mounts)).expect()
    check(any(l.split()[4] == "/b/c" for l in run.facts["mounts"]), "nothing on /b/c")


@case()
def the_root_is_not_mounted_over(c):
    for index, place in enumerate(("/..", "/tmp/..", "/top")):
        mounts = [{"destination": place, "type": "tmpfs", "source": "t"}]
        tree = base_tree({"/top": Link("/../")})
        run = run_trap(c, tree, config_for("/probe", mounts=mounts), index)
        run.expect_failure("apply: /mounts/0: ", "cannot replace the root")


@case()
def chains_of_links(c):
    """40 links are followed, as the kernel does; 45 are a loop. Dangling ones count, too."""
    for count, is_dangling, is_fine in ((30, False, True), (45, False, False), (30, True, True), (45, True, False)):
        tree = base_tree({f"/l{i}": Link(f"l{i + 1}") for i in range(count)})
        if not is_dangling:
            tree[f"/l{count}"] = None
        mounts = [{"destination": "/l0/x", "type": "tmpfs", "source": "t"}]
        index = count * 2 + is_dangling
        run = run_trap(c, tree, config_for("/probe", mounts=mounts), index)
        if is_fine:
            run.expect()
            check(any(l.split()[4] == f"/l{count}/x" for l in run.facts["mounts"]), "not at the chain's end")
        else:
            run.expect_failure("/mounts/0: ", f"errno {errno.ELOOP}")


@case()
def a_dangling_link_with_many_parts(c):
    """One link of the image must not keep PID 1 busy: what its parts cost grows as their number does."""
    for index, text in enumerate(("/a" * 2000, "/a/.." * 800 + "/a", "x/../y/" * 500 + "z")):
        mounts = [{"destination": "/tgt", "type": "tmpfs", "source": "t"}]
        begin = time.monotonic()
        run_trap(c, base_tree({"/tgt": Link(text)}), config_for("/probe", "exit", "0", mounts=mounts), index).expect()
        check(time.monotonic() - begin < 5, f"{text[:20]}... took {time.monotonic() - begin:.1f} s")


@case()
def var_run_link(c):
    """CVE-2020-2026 and its like: an absolute link belongs to the container's root, not to ours."""
    tree = base_tree({"/var/run": Link("/run"), "/run": None})
    mounts = [{"destination": "/var/run/x", "type": "tmpfs", "source": "t"}]
    run = run_trap(c, tree, config_for("/probe", mounts=mounts)).expect()
    check(any(l.split()[4] == "/run/x" for l in run.facts["mounts"]), "nothing on /run/x")


@case()
def mount_through_a_mount(c):
    """CVE-2021-30465: a link that only appears with an earlier mount leads nowhere else either."""
    mounts = [
        {"destination": "/m", "type": "bind", "source": "/data", "options": ["bind"]},
        {"destination": "/m/link/y", "type": "tmpfs", "source": "t"},
    ]
    with Machine(c) as m:
        m.layer(base_tree())
        files = OUTSIDE | {"/data/link": Link("/../../outside/deep"), "/data/file": "x"}
        run = m.run(config_for("/probe", mounts=mounts), initramfs=files).expect()
        run.expect_outside_untouched()
        check(any(l.split()[4] == "/outside/deep/y" for l in run.facts["mounts"]), "nothing on /outside/deep/y")


@case()
def bind_sources_stay_inside(c):
    """A source with links is resolved in the boot root, where init-oci's own /proc is not."""
    with Machine(c) as m:
        m.layer(base_tree())
        files = OUTSIDE | {"/self": Link("/proc/self/root"), "/up": Link("../../outside/deep")}
        bind = {"destination": "/m", "type": "bind", "options": ["bind"]}
        config = config_for("/probe", "tree", "/m", mounts=[bind | {"source": "/up"}])
        check_in("/m/file", m.run(config, initramfs=files).expect().objects[0])
        config["mounts"] = [bind | {"source": "/self/outside"}]
        m.run(config, initramfs=files).expect_failure("/mounts/0: ", "/self/outside", f"errno {errno.ENOENT}")
        config["mounts"] = [bind | {"source": "/absent"}]
        m.run(config, initramfs=files).expect_failure("/mounts/0: ", "/absent", f"errno {errno.ENOENT}")


@case()
def etc_is_a_trap(c):
    """hosts and hostname are written inside the root, into regular files, or not at all."""
    config = config_for("/probe", "tree", "/")
    config["hostname"] = "box"
    files = {
        "/etc": Link("../../outside"),
        "/etc/hosts": Link("../../../outside/hosts"),
        "/etc/hostname": Link("/proc/sysrq-trigger"),
    }
    expected = {"/etc": "/outside/hosts", "/etc/hosts": "/outside/hosts", "/etc/hostname": "/etc/hosts"}
    for index, (name, link) in enumerate(files.items()):
        tree = base_tree({name: link})
        run = run_trap(c, tree, config, index).expect()
        check_in("localhost", run.objects[0][expected[name]]["text"], expected[name])
    for index, entry in enumerate((Node(FIFO), Node(CHAR, 1, 5), Node(SOCKET), None, Link("/etc/hosts"))):
        run = run_trap(c, base_tree({"/etc/hosts": entry}), config, 10 + index).expect()
        line = "init-oci: warning: apply: <builtin:/etc/hosts>: /etc/hosts: open: Symbolic link loop (errno 40)"
        check_equal(run.warnings, [line] if isinstance(entry, Link) else [], f"warnings of {entry}")


@case()
def working_directory_is_a_trap(c):
    config = config_for("/probe", cwd="/work/dir")
    for index, (link, place) in enumerate((("../../outside", "/outside/dir"), ("/new/place", "/new/place/dir"))):
        run = run_trap(c, base_tree({"/work": Link(link)}), config, index).expect()
        check_equal(run.facts["cwd"], place, "cwd")
