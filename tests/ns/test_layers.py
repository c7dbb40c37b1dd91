# SPDX-License-Identifier: Apache-2.0
"""The root: layers, upper, overlay."""

import errno
import os
import struct

from harness import case, check, check_equal, check_in
from pid1 import CHAR, Directory, File, Machine, Node, base_tree, config_for


def mount_of(run, path="/"):
    """The fields of a mount point's line in the workload's mountinfo; the last one that matches."""
    lines = [l.split() for l in run.facts["mounts"] if l.split()[4] == path]
    check(lines, f"nothing is mounted on {path}")
    return lines[-1]


def fstype_of(run, path="/"):
    fields = mount_of(run, path)
    return fields[fields.index("-") + 1]


def one_layer(fstype):
    def one(c):
        with Machine(c) as m:
            m.layer(base_tree({"/setuid": File(b"x", 0o4711, 3, 4), "/null": Node(CHAR, 1, 3, 0o640)}), fstype)
            run = m.run(config_for("/probe", "tree", "/setuid", "/null")).expect()
            run.expect_outside_untouched()
            setuid, null = run.objects[0]["/setuid"], run.objects[0]["/null"]
            check_equal((setuid["mode"] & 0o7777, setuid["uid"], setuid["gid"]), (0o4711, 3, 4), "setuid file")
            check_equal((null["major"], null["minor"]), (1, 3), "device")
            run = m.run(config_for("/probe")).expect()
            check_equal(fstype_of(run), "overlay", "root")
            check("nosuid" not in mount_of(run)[5] and "nodev" not in mount_of(run)[5], "root's flags")

    one.__name__ = f"one_{fstype}_layer"
    return one


for filesystem in ("squashfs", "erofs", "ext4"):
    case()(one_layer(filesystem))


@case()
def ext4_without_journal(c):
    with Machine(c) as m:
        m.layer_image(m.image(base_tree(), "ext4", options=["-O", "^has_journal"]))
        m.run(config_for("/probe")).expect()


@case()
def ext4_dirty_and_panicky(c):
    """A journal that wants replay, on a read-only disk, and errors=panic in the superblock."""
    with Machine(c) as m:
        image = m.image(base_tree(), "ext4")
        c.tool("tune2fs", "-e", "panic", image)
        c.tool("debugfs", "-w", "-R", "feature needs_recovery", image)
        m.layer_image(image)
        with open(image, "rb") as file:
            before = file.read()
        m.run(config_for("/probe")).expect()
        with open(image, "rb") as file:
            check(file.read() == before, "the layer's disk was written to")


@case()
def stack_order_and_whiteouts(c):
    with Machine(c) as m:
        m.layer(base_tree({"/a": "0", "/b": "0", "/gone": "0", "/hidden/old": "0"}))
        m.layer({"/a": "1", "/gone": Node(CHAR, 0, 0), "/only-1": "1"}, "erofs")
        tree = m.path("trees", "2.squashfs", "hidden")
        os.makedirs(tree)
        os.setxattr(tree, "trusted.overlay.opaque", b"y")
        m.layer({"/b": "2", "/hidden/new": "2"})
        files = m.run(config_for("/probe", "tree", "/")).expect().objects[0]
        check_equal(files["/a"]["text"], "1", "/a")
        check_equal(files["/b"]["text"], "2", "/b")
        check_equal(files["/only-1"]["text"], "1", "/only-1")
        check("/gone" not in files, "the whiteout does not hide /gone")
        check("/hidden/new" in files and "/hidden/old" not in files, "the opaque directory is not")


@case()
def order_is_by_serial(c):
    with Machine(c) as m:
        m.disk(m.image({"/a": "upper"}), "smk-layer-001")
        m.disk(m.image(base_tree({"/a": "lower"})), "smk-layer-000")
        check_equal(m.run(config_for("/probe", "tree", "/a")).expect().objects[0]["/a"]["text"], "upper", "/a")


@case()
def redirects_in_a_layer_are_not_followed(c):
    """A layer's own overlay attributes must not make another directory's content appear."""
    with Machine(c) as m:
        m.layer(base_tree({"/secret/file": "x"}))
        tree = m.path("trees", "1.squashfs", "moved")
        os.makedirs(tree)
        os.setxattr(tree, "trusted.overlay.redirect", b"/secret")
        m.layer({"/moved": None})
        run = m.run(config_for("/probe", "tree", "/"))
        files = run.objects[0] if run.objects else {}
        check("/moved/file" not in files, "the redirect was followed")


@case()
def root_looks_like_the_top_layer(c):
    with Machine(c) as m:
        m.layer(base_tree())
        m.layer({"": Directory(0o711, 5, 6), "/x": None})
        root = m.run(config_for("/probe", "tree", "/")).expect().objects[0]["/"]
        check_equal((root["mode"] & 0o7777, root["uid"], root["gid"]), (0o711, 5, 6), "mode and owner of /")


@case()
def read_only_root(c):
    """Every target is missing in the image, and the root still ends up read-only."""
    config = config_for("/probe", "put", "x", "/file", "/tmp/file", "/dev/shm/file")
    config["root"]["readonly"] = True
    with Machine(c) as m:
        m.layer(base_tree({"/proc": ..., "/sys": ..., "/dev": ..., "/etc": ...}))
        run = m.run(config).expect()
        check_equal(run.lines, [f"/file {errno.EROFS}", f"/tmp/file {errno.EROFS}", "/dev/shm/file 0"])
        config["process"]["args"] = ["/probe"]
        check_in("ro", mount_of(m.run(config).expect())[5].split(","), "root's flags")


@case()
def no_upper(c):
    """smk.upper=none: one layer needs no overlay, two do; nothing can be written."""
    with Machine(c) as m:
        m.layer(base_tree())
        run = m.run(config_for("/probe"), "smk.upper=none").expect()
        check_equal(fstype_of(run), "squashfs", "the root's file system")
        m.layer({"/second": "2"})
        run = m.run(config_for("/probe"), "smk.upper=none").expect()
        check_equal(fstype_of(run), "overlay", "the root's file system")
        run = m.run(config_for("/probe", "put", "x", "/file"), "smk.upper=none").expect()
        check_equal(run.lines, [f"/file {errno.EROFS}"])


@case()
def tmpfs_upper(c):
    with Machine(c) as m:
        m.layer(base_tree())
        check_equal(m.run(config_for("/probe", "put", "x", "/file")).expect().lines, ["/file 0"])
        check("/file" not in m.run(config_for("/probe", "tree", "/")).expect().objects[0], "the file is back")
        big = "x" * 100000
        run = m.run(config_for("/probe", "put", big, "/file"), "smk.upper=tmpfs:64k").expect()
        check_equal(run.lines, [f"/file {errno.ENOSPC}"])
        run = m.run(config_for("/probe", "put", big, "/file"), "smk.upper=tmpfs:1m").expect()
        check_equal(run.lines, ["/file 0"])


@case()
def upper_disk(c):
    """What is written stays, and the disk is clean after the power-off."""
    with Machine(c) as m:
        m.layer(base_tree({"/old": "old"}))
        image = m.upper()
        check_equal(m.run(config_for("/probe", "put", "new", "/file", "/old")).expect().lines, ["/file 0", "/old 0"])
        c.tool("e2fsck", "-fn", image)
        check("needs_recovery" not in c.tool("dumpe2fs", "-h", image).text, "the journal was not emptied")
        run = m.run(config_for("/probe")).expect()
        check_equal(sorted(run.mounts_left), ["", "/dev", "/layer/000", "/proc", "/proc/cmdline", "/sys", "/sys/block"],
                    "what is mounted when PID 1 is gone")
        files = m.run(config_for("/probe", "tree", "/")).expect().objects[0]
        check_equal((files["/file"]["text"], files["/old"]["text"]), ("new", "new"))


@case()
def upper_disk_that_is_held(c):
    """It cannot be unmounted: it is made read-only, and so is clean, too."""
    with Machine(c) as m:
        m.layer(base_tree())
        image = m.upper()
        run = m.run(config_for("/probe", "sleep", "1"), hold="upper/work").expect()
        check_in("ro", run.mounts_left["/upper"], "the upper's options at the end")
        check_equal(run.warnings, [], "warnings")
        check("needs_recovery" not in c.tool("dumpe2fs", "-h", image).text, "the journal was not emptied")


@case()
def upper_disk_is_clean_after_a_failure(c):
    with Machine(c) as m:
        m.layer(base_tree())
        image = m.upper()
        m.run(config_for("/missing")).expect_failure("spawn: ", "/missing", code=127)
        config = config_for("/probe", mounts=[{"destination": "/x", "type": "nosuchfs", "source": "x"}])
        run = m.run(config).expect_failure("apply: /mounts/0: ", "nosuchfs")
        check("/upper" not in run.mounts_left, f"still mounted: {run.mounts_left}")
        c.tool("e2fsck", "-fn", image)
        check("needs_recovery" not in c.tool("dumpe2fs", "-h", image).text, "the journal was not emptied")


@case()
def upper_disk_must_be_ext4(c):
    with Machine(c) as m:
        m.layer(base_tree())
        m.disk(m.image({}, "squashfs"), "smk-upper")
        m.run(config_for("/probe")).expect_failure("discover: ", "smk-upper", "squashfs", "ext4")


@case()
def two_upper_disks(c):
    with Machine(c) as m:
        m.layer(base_tree())
        m.upper()
        m.upper()
        m.run(config_for("/probe")).expect_failure("discover: ", "are both disk smk-upper")


@case()
def upper_disk_must_be_writable(c):
    with Machine(c) as m:
        m.layer(base_tree())
        m.disk(m.image({}, "ext4"), "smk-upper")
        m.run(config_for("/probe")).expect_failure("discover: ", "smk-upper is read-only")


@case()
def missing_layers(c):
    with Machine(c) as m:
        m.run(config_for("/probe")).expect_failure("discover: ", "smk-layer-000")
        m.disk(m.image(base_tree()), "smk-layer-000")
        m.disk(m.image({"/x": "x"}), "smk-layer-002")
        m.run(config_for("/probe")).expect_failure("discover: ", "smk-layer-001 is missing", "smk-layer-002")


@case()
def layer_given_twice(c):
    with Machine(c) as m:
        m.disk(m.image(base_tree()), "smk-layer-000")
        m.disk(m.image({"/x": "x"}), "smk-layer-000")
        m.run(config_for("/probe")).expect_failure("discover: ", "two layers are smk-layer-000: vda")


@case()
def layer_names_are_strict(c):
    for serial in ("smk-layer-1", "smk-layer-0001", "smk-layer-500", "smk-layer-", "smk-layer-00x"):
        with Machine(c, serial) as m:
            m.disk(m.image(base_tree()), serial)
            m.run(config_for("/probe")).expect_failure("discover: ", f'"{serial}"', "smk-layer-499")


@case()
def listed_layers(c):
    """smk.layers= names disks by serial or by the kernel's name, lowest first."""
    with Machine(c) as m:
        m.disk(m.image({"/a": "top"}), "whatever")
        m.disk(m.image(base_tree({"/a": "bottom"})), "")
        for layers in ("vdab,vdaa", "vdab,disk:whatever", "disk:vdab,whatever"):
            run = m.run(config_for("/probe", "tree", "/a"), f"smk.layers={layers}").expect()
            check_equal(run.objects[0]["/a"]["text"], "top", layers)
        run = m.run(config_for("/probe", "tree", "/a"), "smk.layers=vdab").expect()
        check_equal(run.objects[0]["/a"]["text"], "bottom", "one layer")
        m.run(config_for("/probe"), "smk.layers=vdab,nope").expect_failure("discover: smk.layers: ", '"nope"')
        m.run(config_for("/probe"), "smk.layers=vdab,9p:x").expect_failure("discover: smk.layers: ", '9p share "x"')
        m.run(config_for("/probe"), "smk.layers=virtiofs:t").expect_failure("smk.layers: ", 'virtiofs share "t"')


@case()
def one_disk_as_two_layers(c):
    with Machine(c) as m:
        m.disk(m.image(base_tree()), "")
        m.run(config_for("/probe"), "smk.layers=vdaa,vdaa").expect_failure("smk.layers: ", "vdaa", "twice")


@case()
def an_upper_that_is_too_small(c):
    """No room for what has to be made: said, not half a container."""
    with Machine(c) as m:
        m.layer(base_tree({"/etc": ...}))
        config = config_for("/probe", mounts=[{"destination": f"/m{i}", "type": "tmpfs", "source": "t"}
                                              for i in range(20)])
        config["hostname"] = "box"
        m.run(config, "smk.upper=tmpfs:4k").expect_failure("apply: ", f"errno {errno.ENOSPC}")


@case()
def root_without_permissions(c):
    with Machine(c) as m:
        m.layer(base_tree({"": Directory(0)}))
        root = m.run(config_for("/probe", "tree", "/")).expect().objects[0]["/"]
        check_equal(root["mode"] & 0o7777, 0, "mode of /")


@case()
def bad_disks(c):
    """What a disk holds instead of a file system is said, with the disk's name."""
    with Machine(c) as m:
        good = m.image(base_tree())
        bad = {
            "begins with zeros": bytes(1 << 20),
            "begins with 64 65 61 64": b"dead" * 4096,
            "is only 512 bytes long": b"hsqx" * 128,
        }
        for why, data in bad.items():
            m.disks, m.layers = [], 0
            m.layer_image(good)
            m.layer_image(m.raw(data))
            m.run(config_for("/probe")).expect_failure("discover: ", "/dev/vdab", "disk smk-layer-001", why)


def used_bytes(fstype, whole):
    """How long the file system says it is; an image may be padded beyond that."""
    if fstype == "squashfs":
        return struct.unpack_from("<Q", whole, 40)[0]
    if fstype == "erofs":
        return struct.unpack_from("<I", whole, 1024 + 36)[0] << whole[1024 + 12]
    return len(whole)


@case(timeout=120)
def truncated_layers(c):
    """A cut image never becomes a container that lacks half of its files."""
    for fstype in ("squashfs", "erofs", "ext4"):
        with Machine(c, fstype) as m:
            with open(m.image(base_tree(), fstype), "rb") as file:
                whole = file.read()
            used = used_bytes(fstype, whole)
            for percent in (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99):
                m.disks, m.layers = [], 0
                size = max(4096, used * percent // 100) & ~511
                check(size < used, f"{size} of {used} bytes is not cut")
                m.layer_image(m.raw(whole[:size], f"{fstype}-{percent}"))
                m.run(config_for("/probe")).expect_failure(
                    "discover: ", f"cut off: its {fstype} has ", f"the disk {size}")


@case(timeout=240)
def five_hundred_layers(c):
    """mount(2) loses layers silently from the 246th on; here each one's file is there."""
    with Machine(c) as m:
        m.layer(base_tree())
        with open(m.image({"/marker-#000": "x"}, options=["-noI", "-noD", "-noF", "-no-exports"]), "rb") as file:
            image = file.read()
        check_equal(image.count(b"marker-#000"), 1, "places of the name in the image")
        for number in range(1, 500):
            m.layer_image(m.raw(image.replace(b"marker-#000", b"marker-#%03d" % number)))
        files = m.run(config_for("/probe", "tree", "/")).expect().objects[0]
        missing = [n for n in range(1, 500) if f"/marker-#{n:03}" not in files]
        check_equal(missing, [], "missing layers")
        m.disk(m.raw(image), "one-too-many")
        names = ",".join(name for name, _, _ in m.disks)
        m.run(config_for("/probe"), f"smk.layers={names}").expect_failure("501 layers", "at most 500")
