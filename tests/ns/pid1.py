# SPDX-License-Identifier: Apache-2.0
"""init-oci as PID 1 of its own namespaces on this machine: the same sources as in the guest, built for
x86_64, with loop devices as disks.

The initramfs is a tmpfs. What a virtual machine would show in /sys/block is put over the real one, so
that disks have the boot contract's serials; /proc/cmdline is a file of the case. After the run the
tmpfs is listed: it is everything that a hostile image could have reached.
"""

import functools
import hashlib
import json
import os
import signal
import stat
import subprocess

from harness import BUILD, EXTRA_ENV, check, check_equal, check_in, shorten

INIT = os.environ.get("NS_INIT", os.path.join(BUILD, "x86_64", "init-oci"))
PROBE = os.path.join(BUILD, "x86_64", "probe")
if "NS_PROFILE" in os.environ:  # where INIT counts what it executes, see tests/coverage/profile.c
    EXTRA_ENV["NS_PROFILE"] = os.environ["NS_PROFILE"]

# $1 directory of the run, $2 the probe, $3 PID 1's command, $4 what to hold open from outside, $5 "--mount" to make the
# initramfs the root of a mount namespace of its own, where user namespaces can be made, $6 what runs meanwhile, outside,
# until it is ended, with the initramfs as descriptor 8
SETUP = """set -eu
cd "$1"
mount -t tmpfs -o mode=755 root root
cp -a initramfs/. root/
mkdir -p root/proc root/sys root/dev
mount -t tmpfs -o mode=755 dev root/dev
cp -a dev/. root/dev/
mount -t sysfs sysfs root/sys
mount --bind block root/sys/block
"$2" tree root >before
if [ "$4" ]; then
    (
        until [ -e "root/$4" ]; do sleep 0.01; done
        exec 9<"root/$4"
        exec setpriv --pdeathsig KILL sleep 600
    ) &
fi
if [ "$6" ]; then
    { setpriv --pdeathsig KILL sh -c "$6" & } 8<root
fi
exec 7<root
status=0
unshare --pid $5 --fork --kill-child sh -c '
    exec 7<&-
    mount -t proc -o nosuid,nodev,noexec proc root/proc
    mount --bind cmdline root/proc/cmdline
    [ ! "${NS_PROFILE-}" ] || mount --bind "$NS_PROFILE" root/proc/version
    [ "$1" ] || exec chroot root $0
    cd root
    mount --move . /
    exec chroot . $0' "$3" "$5" || status=$?
cat /proc/self/mountinfo >mounts
if [ "$(stat -c %d root)" != "$(stat -c %d /proc/self/fd/7/.)" ]; then # what PID 1 has moved into its work tree, and that over the root
    for place in proc sys dev; do
        mount -c --move root/$place /proc/self/fd/7/$place 2>/dev/null || true
    done
    umount -l root
fi
"$2" tree root >after
sha256sum root/init >digest 2>/dev/null || true # the container's root may still cover it
echo $status >status
if [ "$4$6" ]; then
    kill $!
    wait $! || true
fi
"""

POWERED_OFF = 128 + signal.SIGINT  # how reboot(2) ends a PID namespace


@functools.cache
def init_digest():
    with open(INIT, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Link(str):
    """A symbolic link in a tree."""


class Hard(str):
    """Another name of an earlier file (by its sorted name)."""


class Node:
    """A device, FIFO or socket in a tree."""

    def __init__(self, kind, major=0, minor=0, mode=0o600):
        self.mode, self.device = kind | mode, os.makedev(major, minor)


class File:
    """size: with zeros up to it; capability: the extended attribute that gives a program capabilities."""

    def __init__(self, data, mode=0o755, uid=0, gid=0, size=0, capability=b""):
        self.data, self.mode, self.uid, self.gid = data, mode, uid, gid
        self.size, self.capability = size, capability


class Directory:
    def __init__(self, mode=0o755, uid=0, gid=0):
        self.mode, self.uid, self.gid = mode, uid, gid


def make_tree(root, tree):
    """tree: path -> text or File, None (a directory), Directory, Link or Node; "" is the root itself."""
    os.makedirs(root, exist_ok=True)
    for name, value in sorted(tree.items()):
        path = os.path.join(root, name.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if value is None:
            os.makedirs(path, exist_ok=True)
        elif isinstance(value, Directory):
            os.makedirs(path, exist_ok=True)
            os.chown(path, value.uid, value.gid)
            os.chmod(path, value.mode)
        elif isinstance(value, Link):
            os.symlink(value, path)
        elif isinstance(value, Hard):
            os.link(os.path.join(root, value.lstrip("/")), path)
        elif isinstance(value, Node):
            os.mknod(path, value.mode, value.device)
        elif isinstance(value, File):
            with open(path, "wb") as file:
                file.write(value.data)
                if value.size:
                    file.truncate(value.size)
            os.chown(path, value.uid, value.gid)
            os.chmod(path, value.mode)
            if value.capability:
                os.setxattr(path, "security.capability", value.capability)
        else:
            with open(path, "wb") as file:
                file.write(value if isinstance(value, bytes) else value.encode())


def base_tree(changes=None):
    """A root with the probe; a change to ... leaves the entry out."""
    tree = {name: None for name in ("/proc", "/sys", "/dev", "/etc", "/tmp")}
    with open(PROBE, "rb") as file:
        tree["/probe"] = File(file.read())
    tree |= changes or {}
    return {name: value for name, value in tree.items() if value is not ...}


def config_for(*args, mounts=None, **process):
    """The smallest configuration; without mounts= the default file systems are init-oci's own."""
    return {
        "ociVersion": "1.0.2",
        "process": {"args": list(args), "cwd": "/", "user": {"uid": 0, "gid": 0}} | process,
        "root": {"path": "rootfs"},
        "mounts": mounts or [],
    }


class Run:
    """What a run left: console text, exit record, and the initramfs before and after."""

    def __init__(self, text, before, after, directory, mounts_left):
        self.text, self.before, self.after, self.directory = text, before, after, directory
        self.mounts_left = mounts_left  # below the initramfs, when PID 1 is gone: place -> super options
        lines = text.splitlines()
        records = [l.split(": ", 1)[1] for l in lines if l.startswith("smk-exit: ")]
        check_equal(len(records), 1, f"number of exit records in {shorten(text)}")
        self.record = json.loads(records[0])
        self.failures = [l for l in lines if l.startswith("init-oci: fatal: ")]
        self.warnings = [l for l in lines if l.startswith("init-oci: warning: ")]
        self.objects = [json.loads(l) for l in lines if l.startswith("{")]
        self.lines = [l for l in lines if not l.startswith(("{", "init-oci: ", "smk-exit: "))]

    @property
    def facts(self):
        check(self.objects, f"the probe printed nothing: {shorten(self.text)}")
        return self.objects[0]

    def expect(self, code=0):
        check_equal(self.record["code"], code, f"exit code ({shorten(self.text)})")
        check_equal(self.failures, [], "failures")
        return self

    def expect_failure(self, *parts, code=125):
        """One line in the failure contract's form, with the parts in it, and nothing ran."""
        check_equal(len(self.failures), 1, f"number of failure lines in {shorten(self.text)}")
        for part in parts:
            check_in(part, self.failures[0], "the failure line")
        check_equal(self.record["code"], code, "exit code")
        check_equal(self.record["phase"], "setup", "phase")
        check_equal(self.objects, [], "output of the workload")
        return self

    def expect_outside_untouched(self):
        """The initramfs holds what it held, but for init-oci's own directories and the config."""
        with open(os.path.join(self.directory, "digest"), encoding="ascii") as file:
            check_equal(file.read().split()[:1], [init_digest()], "digest of init-oci's program afterwards")
        own = {"root/layer", "root/upper", "root/root", "root/boot", "root/proc"}  # proc: the harness mounts it
        gone = {path for path in self.before if path not in self.after} - {"root/config.json"}
        new = {path for path in self.after if path not in self.before}
        check_equal(sorted(gone), [], "removed outside the container")
        check_equal(sorted(p for p in new if not p.startswith(tuple(own))), [], "made outside")
        changed = {p for p in self.before if p in self.after and self.before[p] != self.after[p]} - own
        check_equal(sorted(changed), [], "changed outside")
        return self


class Machine:
    """with Machine(context) as m: m.layer(tree); run = m.run(config)"""

    def __init__(self, context, name="m"):
        self.context = context
        self.dir = context.path(name)
        self.disks = []  # name, serial, device number
        self.loops = []
        self.layers = 0
        for part in ("images", "trees"):
            os.makedirs(self.path(part))

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for loop in self.loops:
            subprocess.run(["losetup", "--detach", loop], check=False, stderr=subprocess.DEVNULL)

    def image(self, tree, fstype="squashfs", size="24M", options=()):
        """A file system image made from a tree; its path."""
        name = f"{len(os.listdir(self.path('images')))}.{fstype}"
        source = self.path("trees", name)
        path = self.path("images", name)
        make_tree(source, tree)
        tools = {
            "squashfs": ["mksquashfs", source, path, "-comp", "lz4", "-noappend", "-quiet", "-no-progress",
                         *options],
            "erofs": ["mkfs.erofs", "--quiet", path, source],
            "ext4": ["mke2fs", "-q", "-t", "ext4", "-d", source, *options, path, size],
        }
        self.context.tool(*tools[fstype])
        return path

    def raw(self, data, name="raw"):
        path = self.path("images", f"{len(self.disks)}-{name}")
        with open(path, "wb") as file:
            file.write(data)
        return path

    def disk(self, image, serial, read_only=True):
        """A loop device that looks like a virtio disk; returns its kernel name."""
        options = ["--read-only"] if read_only else []
        loop = self.context.tool("losetup", "--find", "--show", *options, image).text.strip()
        self.loops.append(loop)
        if not read_only:  # a layer once on it has left it read-only to all (BLKROSET)
            self.context.tool("blockdev", "--setrw", loop)
        name = "vd" + chr(ord("a") + len(self.disks) // 26) + chr(ord("a") + len(self.disks) % 26)
        self.disks.append((name, serial, os.stat(loop).st_rdev))
        return name

    def layer(self, tree, fstype="squashfs"):
        return self.layer_image(self.image(tree, fstype))

    def layer_image(self, image):
        self.layers += 1
        return self.disk(image, f"smk-layer-{self.layers - 1:03}")

    def upper(self, tree=None, **options):
        """An empty writable disk; the path of its image."""
        image = self.image(tree or {}, "ext4", **options)
        self.disk(image, "smk-upper", read_only=False)
        return image

    def _write_block(self, directory):
        for name, serial, number in self.disks:
            os.makedirs(os.path.join(directory, name))
            for file, text in (("serial", serial), ("dev", f"{os.major(number)}:{os.minor(number)}\n")):
                with open(os.path.join(directory, name, file), "w", encoding="utf-8") as stream:
                    stream.write(text)

    def run(self, config=None, cmdline="", initramfs=None, block=None, command="/init", hold="", dev=None,
            is_moved=False, meanwhile=""):
        """
        config: a dict, text, or None for no /config.json. initramfs, block: more files there. command:
        what is executed as PID 1. hold: a place in the work tree that somebody keeps open. dev: what is on /dev.
        meanwhile: a command outside, with the initramfs as descriptor 8, ended by SIGTERM. is_moved: in a mount namespace of its own, as a machine's first process is.
        """
        where = self.path(f"run{len(os.listdir(self.dir))}")
        os.makedirs(os.path.join(where, "root"))
        files = dict(initramfs or {})
        if config is not None:
            files["/config.json"] = config if isinstance(config, (str, bytes)) else json.dumps(config)
        make_tree(os.path.join(where, "initramfs"), files)
        self.context.tool("cp", INIT, os.path.join(where, "initramfs", "init"))
        self._write_block(os.path.join(where, "block"))
        make_tree(os.path.join(where, "block"), block or {})
        make_tree(os.path.join(where, "dev"), dev or {})
        for name, text in (("cmdline", f"console=none smk.control=none {cmdline}\n"), ("setup", SETUP)):
            with open(os.path.join(where, name), "w", encoding="utf-8") as file:
                file.write(text)
        result = self.context.run(["unshare", "--mount", "--net", "--ipc", "--uts", "--propagation",
                                   "private", "sh", "-c", 'exec 2>&1; . "$0"',
                                   os.path.join(where, "setup"), where, PROBE, command, hold,
                                   "--mount" if is_moved else "", meanwhile])
        check_equal(result.code, 0, f"set-up's code ({shorten(result.text)})")
        trees = []
        for name in ("before", "after"):
            with open(os.path.join(where, name), encoding="utf-8") as file:
                trees.append(json.load(file))
        with open(os.path.join(where, "status"), encoding="utf-8") as file:
            check_equal(int(file.read()), POWERED_OFF, f"PID 1's end ({shorten(result.text)})")
        with open(os.path.join(where, "mounts"), encoding="utf-8") as file:
            left = [l.split() for l in file if f" {where}/root" in l]
        left = {l[4].removeprefix(where + "/root"): l[-1].split(",") for l in left}
        self.context.runs += 1
        return Run(result.text, *trees, where, left)


FIFO, SOCKET, CHAR, BLOCK = stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK
