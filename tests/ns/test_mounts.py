# SPDX-License-Identifier: Apache-2.0
"""Mounts of the configuration and those every container gets; files and names."""

from harness import case, check, check_equal, check_in
from pid1 import Directory, File, Link, Machine, base_tree, config_for

COMMON = {"nosuid", "nodev", "noexec"}


def mounts_of(run):
    """mount point -> (flags of the mount, file system, source, options of the superblock)"""
    found = {}
    for line in run.facts["mounts"]:
        fields = line.split()
        at = fields.index("-")
        found[fields[4]] = (set(fields[5].split(",")), fields[at + 1], fields[at + 2], fields[at + 3].split(","))
    return found


@case()
def default_mounts(c):
    """Without mounts in the configuration: what the runtime specification and every engine give."""
    with Machine(c) as m:
        m.layer(base_tree({"/proc": ..., "/sys": ..., "/dev": ...}))
        run = m.run(config_for("/probe")).expect()
        found = mounts_of(run)
        wanted = {
            "/proc": ("proc", COMMON | {"rw"}),
            "/sys": ("sysfs", COMMON | {"ro"}),
            "/sys/fs/cgroup": ("cgroup2", COMMON | {"ro"}),
            "/dev": ("tmpfs", {"nosuid", "rw"}),
            "/dev/pts": ("devpts", {"nosuid", "noexec", "rw"}),
            "/dev/shm": ("tmpfs", COMMON | {"rw"}),
            "/dev/mqueue": ("mqueue", COMMON | {"rw"}),
        }
        for path, (fstype, flags) in wanted.items():
            check_in(path, found, "mount table")
            check_equal((found[path][1], found[path][0] - {"relatime"}), (fstype, flags), path)
        check_equal(set(found) - set(wanted), {"/"}, "other mounts")
        devices = run.facts["devices"]
        numbers = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
        for name, number in numbers.items():
            device = devices["/dev/" + name]
            check_equal((device["type"], device["mode"], device["major"], device["minor"]), ("c", 0o666, *number), name)
        links = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
                 "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}
        for name, target in links.items():
            check_equal(devices["/dev/" + name]["target"], target, name)


@case()
def proc_is_of_this_machine(c):
    """A second mount of our own procfs shows the same processes, with flags of its own."""
    with Machine(c) as m:
        m.layer(base_tree())
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["ro"]},
                  {"destination": "/proc2", "type": "proc", "source": "proc", "options": ["hidepid=2"]}]
        found = mounts_of(m.run(config_for("/probe", mounts=mounts)).expect())
        check_equal(found["/proc"][0] - {"relatime"}, {"ro"}, "flags of /proc")
        check("hidepid=invisible" in found["/proc2"][3], f"options {found['/proc2']}")
        check("hidepid=invisible" not in found["/proc"][3], f"options {found['/proc']}")


@case()
def tmpfs_modes(c):
    """As crun has it: the kernel's 1777, so that any user can write, or mode=, whatever is covered."""
    tree = base_tree({"/kept": Directory(0o710), "/given": Directory(0o710)})
    mounts = [{"destination": path, "type": "tmpfs", "source": "tmpfs", "options": options}
              for path, options in (("/kept", []), ("/given", ["mode=1500"]), ("/new", ["size=1m"]))]
    with Machine(c) as m:
        m.layer(tree)
        run = m.run(config_for("/probe", "tree", "/kept", "/given", "/new", mounts=mounts)).expect()
        modes = {path: run.objects[0][path]["mode"] & 0o7777 for path in ("/kept", "/given", "/new")}
        check_equal(modes, {"/kept": 0o1777, "/given": 0o1500, "/new": 0o1777})


@case()
def mount_flags(c):
    options = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"]
    mounts = [{"destination": "/all", "type": "tmpfs", "source": "src", "options": options + ["size=64k"]},
              {"destination": "/none", "type": "tmpfs", "source": "tmpfs"}]
    with Machine(c) as m:
        m.layer(base_tree())
        found = mounts_of(m.run(config_for("/probe", mounts=mounts)).expect())
        flags, fstype, source, superblock = found["/all"]
        check_equal(flags, set(options), "flags")
        check_equal((fstype, source), ("tmpfs", "src"), "file system and source")
        check("size=64k" in superblock and "ro" in superblock, f"superblock {superblock}")
        check_equal(found["/none"][0], {"rw", "relatime"}, "flags of a plain mount")


@case()
def binds(c):
    """A file and a directory of the initramfs, read-only, with sub-mounts or not."""
    files = {"/data/file": "text", "/single": "single"}
    bind = {"type": "bind"}
    mounts = [bind | {"destination": "/a/dir", "source": "/data", "options": ["bind", "ro"]},
              bind | {"destination": "/b/file", "source": "/single", "options": ["bind", "noexec"]},
              bind | {"destination": "/c", "source": "/data", "options": ["rbind"]}]
    with Machine(c) as m:
        m.layer(base_tree())
        run = m.run(config_for("/probe", "tree", "/a/dir", "/b/file", "/c", mounts=mounts), initramfs=files).expect()
        tree = run.objects[0]
        check_equal(tree["/a/dir/file"]["text"], "text")
        check_equal(tree["/b/file"]["text"], "single")
        check_equal(tree["/c/file"]["text"], "text")
        found = mounts_of(m.run(config_for("/probe", mounts=mounts), initramfs=files).expect())
        check_in("ro", found["/a/dir"][0])
        check_in("noexec", found["/b/file"][0])
        check_in("rw", found["/c"][0])


@case()
def bind_of_the_wrong_kind(c):
    files = {"/data/file": "text"}
    with Machine(c) as m:
        m.layer(base_tree({"/file": "x"}))
        for source, destination, why in (("/data", "/file", "/data is a directory"),
                                         ("/data/file", "/tmp", "/data/file is not a directory")):
            mounts = [{"destination": destination, "type": "bind", "source": source, "options": ["bind"]}]
            m.run(config_for("/probe", mounts=mounts), initramfs=files).expect_failure("/mounts/0: ", destination, why)


@case()
def refused_options_are_explained(c):
    """What the kernel says about an option is in the message, with field, place and option."""
    cases = [
        ({"type": "tmpfs", "options": ["size=-1"]}, ("option size", "Bad value for 'size'")),
        ({"type": "tmpfs", "options": ["nosuchoption=1"]}, ("option nosuchoption", "Unknown parameter 'nosuchoption'")),
        ({"type": "tmpfs", "options": ["mode=abc"]}, ("option mode",)),
        ({"type": "nosuchfs"}, ("nosuchfs",)),
        ({"type": "ext4", "source": "/dev/nothing"}, ("/m",)),
    ]
    with Machine(c) as m:
        m.layer(base_tree())
        for mount, parts in cases:
            mounts = [{"destination": "/m", "source": "x"} | mount]
            m.run(config_for("/probe", mounts=mounts)).expect_failure("apply: /mounts/0: /m: ", *parts)


@case()
def long_option_values(c):
    """mount(2) cuts options at a page; here a value is refused or whole (the kernel's limit is 255)."""
    with Machine(c) as m:
        m.layer(base_tree())
        mounts = [{"destination": "/m", "type": "tmpfs", "source": "x", "options": ["mpol=" + "0" * 5000]}]
        m.run(config_for("/probe", mounts=mounts)).expect_failure("/mounts/0/options/0", "255 bytes")


@case()
def files_in_etc(c):
    config = config_for("/probe")
    config["hostname"] = "box"
    with Machine(c, "missing") as m:
        m.layer(base_tree({"/etc": ...}))
        run = m.run(config).expect()
        check_equal(run.facts["files"]["/etc/hostname"], "box\n", "/etc/hostname")
        hosts = run.facts["files"]["/etc/hosts"]
        check("127.0.0.1\tlocalhost\n" in hosts and "\tbox\n" in hosts, f"/etc/hosts {hosts!r}")
        check_equal(run.facts["files"]["/etc/resolv.conf"], None, "/etc/resolv.conf without name servers")
        check_equal(run.facts["hostname"], "box", "hostname")
        check_equal(run.facts["roots"]["/etc"]["mode"], 0o755, "mode of /etc")
    with Machine(c, "present") as m:
        m.layer(base_tree({"/etc/hosts": "mine\n", "/etc/hostname": ""}))
        files = m.run(config).expect().facts["files"]
        check_equal(files["/etc/hosts"], "mine\n", "the image's own /etc/hosts")
        check_equal(files["/etc/hostname"], "box\n", "an empty /etc/hostname")
    with Machine(c, "dangling") as m:
        m.layer(base_tree({"/etc/hosts": Link("../run/hosts"), "/run": ...}))
        check_in("localhost", m.run(config).expect().facts["files"]["/etc/hosts"])


@case()
def a_resolv_conf_that_is_a_link(c):
    """A file of what the command line says takes its place, wherever it leads; what it leads to stays as it is."""
    config = config_for("/probe", mounts=[{"destination": "/run", "type": "tmpfs", "source": "run"}])
    for index, entry in enumerate((None, Link("../run/resolv.conf"), Link("/run/resolv.conf"), Link("/outside/ptmx"),
                                   Link("../../../../outside/ptmx"), Link("resolv.conf"), Link("/proc/self/root/outside/ptmx"))):
        with Machine(c, f"m{index}") as m:
            m.layer(base_tree({"/etc/resolv.conf": entry} if entry else {}))
            run = m.run(config, "smk.dns=192.0.2.7", initramfs={"/outside/ptmx": "marker"}).expect().expect_outside_untouched()
            check_equal(run.facts["files"]["/etc/resolv.conf"], "nameserver 192.0.2.7\n", "/etc/resolv.conf")
            check_equal(run.warnings, [], "warnings")


@case()
def files_on_a_read_only_image(c):
    """Nothing can be written: said as warnings, and the container runs."""
    config = config_for("/probe")
    config["hostname"] = "box"
    with Machine(c) as m:
        m.layer(base_tree())
        run = m.run(config, "smk.upper=none").expect()
        check_equal(len(run.warnings), 2, f"number of warnings {run.warnings}")
        check_in("/etc/hosts: ", run.warnings[1])


@case()
def empty_image(c):
    """A root with nothing but the program: every directory is made."""
    with Machine(c) as m:
        tree = base_tree({name: ... for name in ("/proc", "/sys", "/dev", "/etc", "/tmp")})
        check_equal(sorted(tree), ["/probe"], "the image")
        m.layer(tree)
        m.run(config_for("/probe", cwd="/made/for/it")).expect().expect_outside_untouched()


@case()
def modes_of_what_is_made(c):
    """PID 1's umask is no part of what the workload sees."""
    with Machine(c) as m:
        m.layer(base_tree({"": Directory(0o755), "/sgid": Directory(0o2775, 0, 7)}))
        mounts = [{"destination": "/sgid/new/deep", "type": "tmpfs", "source": "t"}]
        tree = m.run(config_for("/probe", "tree", "/sgid", mounts=mounts, cwd="/w")).expect().objects[0]
        check_equal(tree["/sgid/new"]["mode"] & 0o777, 0o755, "mode")
        check_equal(tree["/sgid/new"]["gid"], 7, "group of a directory made in a set-gid one")
