# SPDX-License-Identifier: Apache-2.0
"""Paths out of sight or read-only, mounts seen again with other attributes, and what a tmpfs may begin with."""

import errno

from harness import case, check, check_equal, check_in
from pid1 import BLOCK, CHAR, FIFO, Directory, File, Link, Machine, Node, base_tree, config_for
from test_mounts import mounts_of


def config_with(linux, *args, mounts=None, **process):
    return config_for(*(args or ("/probe",)), mounts=mounts, **process) | {"linux": linux}


@case()
def masked_paths(c):
    """A file reads as empty, a directory is empty and read-only, what is missing stays missing."""
    tree = base_tree({"/secret/file": "text", "/secret/deep/file": "text", "/one": "text", "/link": Link("one2"),
                      "/one2": "text", "/other/x": "text"})
    masked = ["/secret", "/one", "/link", "/missing", "/one/below", "/other", "/proc/kcore", "/sys/firmware"]
    with Machine(c) as m:
        m.layer(tree)
        run = m.run(config_with({"maskedPaths": masked}, "/probe", "tree", "/secret", "/one", "/one2", "/other")).expect()
        shown = run.objects[0]
        check_equal(sorted(p for p in shown if p.startswith(("/secret", "/other"))), ["/other", "/secret"], "left")
        for path in ("/one", "/one2"):
            check_equal((shown[path]["major"], shown[path]["minor"]), (1, 3), f"device in the place of {path}")
        found = mounts_of(m.run(config_with({"maskedPaths": masked})).expect())
        for path in ("/secret", "/other"):
            check_equal(found[path][:2], ({"ro", "nosuid", "nodev", "noexec", "relatime"}, "tmpfs"), path)
            check_in("ro", found[path][3], "superblock")
        check("/missing" not in found, "something was made for a missing path")


@case()
def the_images_null_masks_nothing(c):
    """CVE-2025-31133: with a bind on /dev the image's /dev/null is what there is, and is not used."""
    mounts = [{"destination": "/dev", "type": "bind", "source": "/mine", "options": ["bind"]}]
    config = config_with({"maskedPaths": ["/one"]}, "/probe", "tree", "/one", mounts=mounts)
    with Machine(c) as m:
        m.layer(base_tree({"/one": "text"}))
        for trap in (Link("/proc/sysrq-trigger"), "text", Node(CHAR, 1, 5), Link("/one")):
            run = m.run(config, initramfs={"/mine/null": trap}).expect().expect_outside_untouched()
            shown = run.objects[0]["/one"]
            check_equal((shown.get("major"), shown.get("minor")), (1, 3), "device in the place of /one")


@case()
def our_own_null_is_checked(c):
    """Whoever booted us may have put something else where our null device is."""
    with Machine(c) as m:
        m.layer(base_tree({"/one": "text"}))
        for trap in (Node(CHAR, 1, 5), Node(BLOCK, 1, 3), "text"):
            run = m.run(config_with({"maskedPaths": ["/one"]}), dev={"null": trap})
            run.expect_failure("apply: /linux/maskedPaths/0: /dev/null: ", "is not the null device")


@case()
def masks_that_are_traps(c):
    """A mask that leads to the root or to no end is refused; through a magic link none leads out."""
    with Machine(c) as m:
        m.layer(base_tree({"/top": Link("../../.."), "/loop": Link("loop"), "/dir": None}))
        for key in ("maskedPaths", "readonlyPaths"):
            for path, words in (("/top", "cannot replace the root"), ("/loop", f"errno {errno.ELOOP}"),
                                ("/proc/self/root/dir", f"errno {errno.ELOOP}")):
                run = m.run(config_with({key: [path]}))
                run.expect_failure(f"apply: /linux/{key}/0: {path}", words).expect_outside_untouched()


@case()
def readonly_paths(c):
    tree = base_tree({"/ro/file": "text", "/rw/file": "text", "/file": "text"})
    linux = {"readonlyPaths": ["/ro", "/file", "/proc/sys", "/missing", "/dev"]}
    with Machine(c) as m:
        m.layer(tree)
        found = mounts_of(m.run(config_with(linux)).expect())
        for path in ("/ro", "/file", "/proc/sys", "/dev", "/dev/shm"):
            check_in("ro", found[path][0], path)
        check_in("noexec", found["/proc/sys"][0], "what /proc has besides")
        check("/missing" not in found and "/rw" not in found, "other mounts")
        run = m.run(config_with(linux, "/probe", "put", "new", "/ro/file", "/rw/file"))
        check_equal([l.rsplit(" ", 1)[1] for l in run.lines], [str(errno.EROFS), "0"], "errors of writing there")


@case()
def propagation_of_the_root(c):
    wanted = {"shared": "shared:", "rshared": "shared:", "private": None, "unbindable": "unbindable"}
    with Machine(c) as m:
        m.layer(base_tree())
        for word, tag in wanted.items():
            run = m.run(config_with({"rootfsPropagation": word})).expect()
            lines = {l.split()[4]: l.split()[6:l.split().index("-")] for l in run.facts["mounts"]}
            check_equal([t for t in lines["/"] if not tag or not t.startswith(tag)], [], f"{word}: tags of /")
            check_equal(bool(lines["/"]), bool(tag), f"{word}: has tags")
            check_equal(bool(lines["/dev"]), word == "rshared", f"{word}: /dev, a mount below, has tags")


@case()
def recursive_attributes(c):
    """r* options reach the mounts below, plain ones do not."""
    mounts = [{"destination": "/dev", "type": "bind", "options": ["bind", "remount", "nosuid", "rnoexec", "rnosymfollow",
                                                                 "rnoatime"]},
              {"destination": "/t", "type": "tmpfs", "source": "t", "options": ["rro", "rnodev"]}]
    with Machine(c) as m:
        m.layer(base_tree())
        found = mounts_of(m.run(config_with({}, mounts=mounts)).expect())
        for path in ("/dev", "/dev/shm", "/dev/pts"):
            check_equal({"noexec", "nosymfollow", "noatime"} - found[path][0], set(), f"missing on {path}")
        check("nosymfollow" not in found["/proc"][0], "attributes of another tree")
        check_equal({"ro", "nodev"} - found["/t"][0], set(), "missing on /t")


@case()
def remounts(c):
    """What is mounted there gets exactly the given attributes; nothing mounted there is an error."""
    remount = {"destination": "/dev/shm", "type": "none", "options": ["remount", "ro", "size=128k"]}
    with Machine(c) as m:
        m.layer(base_tree())
        found = mounts_of(m.run(config_with({}, mounts=[remount])).expect())
        check_equal(found["/dev/shm"][0] - {"relatime"}, {"ro"}, "attributes")
        check("ro" in found["/dev/shm"][3] and "size=128k" in found["/dev/shm"][3], f"superblock {found['/dev/shm'][3]}")
        found = mounts_of(m.run(config_with({}, mounts=[remount | {"options": ["bind", "remount", "nosuid", "ro"]}])).expect())
        check_equal(found["/dev/shm"][0] - {"relatime"}, {"ro", "nosuid"}, "attributes")
        check_in("rw", found["/dev/shm"][3], "superblock of a bind")
        m.run(config_with({}, mounts=[remount | {"destination": "/tmp"}])).expect_failure(
            "apply: /mounts/0: /tmp: ", "nothing is mounted there")
        m.run(config_with({}, mounts=[remount | {"destination": "/absent"}])).expect_failure(
            "apply: /mounts/0: /absent: ", f"errno {errno.ENOENT}")
        proc = {"destination": "/proc", "type": "proc", "source": "proc", "options": ["remount", "ro", "hidepid=2"]}
        m.run(config_with({}, mounts=[proc])).expect_failure("/mounts/0: /proc: ", "the file system is the machine's")


@case()
def tmpcopyup(c):
    """Files, directories, links, nodes with owners and modes; without the option the tmpfs is empty."""
    tree = base_tree({"/t": Directory(0o1770, 3, 4), "/t/file": File(b"text", 0o4750, 5, 6), "/t/d/e/f": "deep",
                      "/t/d": Directory(0o700, 7, 8), "/t/link": Link("../../../outside"), "/t/fifo": Node(FIFO),
                      "/t/null": Node(CHAR, 1, 3, 0o640), "/t/big": b"x" * 3000000})
    mount = {"destination": "/t", "type": "tmpfs", "source": "t"}
    with Machine(c) as m:
        m.layer(tree)
        before = m.run(config_with({}, "/probe", "tree", "/t")).expect().objects[0]
        after = m.run(config_with({}, "/probe", "tree", "/t", mounts=[mount | {"options": ["tmpcopyup"]}])).expect()
        after.expect_outside_untouched()
        after = after.objects[0]
        check_equal(sorted(after), sorted(before), "entries")
        for path, entry in before.items():
            if path != "/t":
                check_equal(after[path], entry, path)
        check_equal(after["/t"]["mode"], 0o41777, "mode of the top, which is the tmpfs's own as under crun")
        found = m.run(config_with({}, "/probe", "tree", "/t", mounts=[mount])).expect().objects[0]
        check_equal(sorted(found), ["/t"], "entries without the option")
        small = [mount | {"options": ["tmpcopyup", "size=64k"]}]
        m.run(config_with({}, mounts=small)).expect_failure("apply: /mounts/0: /t: tmpcopyup: ", f"errno {errno.ENOSPC}")


@case()
def tmpcopyup_of_deep_directories(c):
    with Machine(c) as m:
        m.layer(base_tree({"/t/" + "d/" * 300 + "f": "x"}))
        mount = {"destination": "/t", "type": "tmpfs", "source": "t", "options": ["tmpcopyup"]}
        m.run(config_with({}, mounts=[mount])).expect_failure("apply: /mounts/0: /t: tmpcopyup: ", "deep")


@case()
def copy_symlink(c):
    """The link itself appears at the target; what is there already must be the same link."""
    bind = {"destination": "/a/link", "type": "bind", "source": "/l", "options": ["bind", "copy-symlink"]}
    files = {"/l": Link("../some/where"), "/f": "text"}
    with Machine(c) as m:
        m.layer(base_tree({"/same": Link("../some/where"), "/other": Link("else"), "/file": "x"}))
        shown = m.run(config_with({}, "/probe", "tree", "/a", mounts=[bind]), initramfs=files).expect().objects[0]
        check_equal(shown["/a/link"]["target"], "../some/where", "link")
        m.run(config_with({}, mounts=[bind | {"destination": "/same"}]), initramfs=files).expect()
        for place in ("/other", "/file"):
            run = m.run(config_with({}, mounts=[bind | {"destination": place}]), initramfs=files)
            run.expect_failure(f"apply: /mounts/0: {place}: ", "something else", f"errno {errno.EEXIST}")
        shown = m.run(config_with({}, "/probe", "tree", "/a", mounts=[bind | {"source": "/f"}]), initramfs=files)
        check_equal(shown.expect().objects[0]["/a/link"]["text"], "text", "a file is bound as ever")
