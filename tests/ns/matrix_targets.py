# SPDX-License-Identifier: Apache-2.0
"""The places that init-oci reaches inside an image: how a configuration leads there, and what shows that it landed."""

from pid1 import PROBE, File, Link, config_for

with open(PROBE, "rb") as _file:
    PROGRAM = File(_file.read())

PATH = "/mnt/target"  # wherever the configuration names the place
SOURCES = {"/source/dir/file": "bound", "/source/file": "bound", "/source/link": Link("../some/where")}
IDS = [{"containerID": 0, "hostID": 1000, "size": 10}]
MAPPED = {"uidMappings": IDS, "gidMappings": IDS}
# A /dev that begins with what the image has there: the traps for what is made in /dev.
COPIED_DEV = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "tmpcopyup"]}
DEV_ENTRIES = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "fd", "stdin", "stdout", "stderr", "core",
               "pts", "shm", "mqueue"}


class Target:
    """
    kind: the row of the policy. field: what a failure names, with its stage. real: what a link leads to where
    it leads somewhere. mount: (file system, root of the mount) of what appears there; process, rest: members
    of the configuration. entry: what appears there in place of a mount: (member, value) of the probe's listing.
    is_optional: a refusal is a warning, and the container runs without it.
    """

    def __init__(self, kind, field, path=PATH, real=None, mount=None, mounts=None, process=None, rest=None, entry=None,
                 args=None, source="", see=(), is_optional=False):
        self.kind, self.field, self.path, self.real, self.mount, self.entry = kind, field, path, real, mount, entry
        self.source, self.is_optional = source, is_optional
        self.see = ["/", *(["/dev"] if path.startswith("/dev/") else []), *see]
        args = [a for a in args or ["/probe", "see", "..."] for a in (self.see if a == "..." else [a])]
        self.mounts = ([COPIED_DEV] if path.startswith("/dev/") else []) + (mounts or [])
        self.config = config_for(*args, mounts=self.mounts, **(process or {})) | (rest or {})

    @property
    def is_in_dev(self):
        return self.path.startswith("/dev/")

    @property
    def is_moved(self):
        """Mapped IDs need a user namespace, which nobody in a chroot may make."""
        return any("uidMappings" in mount for mount in self.mounts)


def mounted(fstype, kind="directory", real=None, root="/", **mount):
    mount = {"destination": PATH, "type": fstype, "source": "source"} | mount
    return Target(kind, "apply: /mounts/0", real=real, mount=({"cgroup": "cgroup2"}.get(fstype, fstype), root),
                  mounts=[mount], source=mount["source"])


def bound(source, kind, real=None, **mount):
    target = mounted("tmpfs", kind, real, source, **{"type": "bind", "source": source, "options": ["bind"]} | mount)
    return target


def default(fstype, path, kind="directory", **more):
    return Target(kind, f"apply: <builtin:{path}>", path, mount=(fstype, "/"), **more)


def written(path, text, **rest):
    return Target("written", f"apply: <builtin:{path}>", path, real="", entry=("text", text), rest=rest,
                  is_optional=True)


def sealed(key, **more):
    return Target("covered", f"apply: /linux/{key}/0", rest={"linux": {key: [PATH]}}, **more)


HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
NODE = {"path": PATH, "type": "c", "major": 1, "minor": 3}

TARGETS = {
    "tmpfs": mounted("tmpfs"),
    "tmpfs-idmap": mounted("tmpfs", options=["idmap", "mode=755"], **MAPPED),
    "tmpcopyup": mounted("tmpfs", options=["tmpcopyup"]),
    "devpts": mounted("devpts"),
    "mqueue": mounted("mqueue"),
    "cgroup": mounted("cgroup"),
    "proc": mounted("proc", "kernel"),
    "sysfs": mounted("sysfs", "kernel"),
    "bind-dir": bound("/source/dir", "bound"),
    "bind-dir-idmap": bound("/source/dir", "bound", options=["bind", "idmap"], **MAPPED),
    "bind-file": bound("/source/file", "file", "real"),
    "bind-file-idmap": bound("/source/file", "file", "real", **MAPPED),
    "copy-symlink": Target("newlink", "apply: /mounts/0", entry=("target", "../some/where"), mounts=[
        {"destination": PATH, "type": "bind", "source": "/source/link", "options": ["bind", "copy-symlink"]}]),
    "remount": Target("remount", "apply: /mounts/0", mounts=[
        {"destination": PATH, "type": "none", "options": ["bind", "remount", "nodev"]}]),
    "default-proc": default("proc", "/proc", "kernel"),
    "default-sys": default("sysfs", "/sys", "kernel"),
    "default-dev": default("tmpfs", "/dev"),
    "default-pts": default("devpts", "/dev/pts"),
    "default-shm": default("tmpfs", "/dev/shm"),
    "default-mqueue": default("mqueue", "/dev/mqueue", is_optional=True),
    "default-null": Target("node", "apply: <builtin:/dev/null>", "/dev/null", entry=("minor", 3)),
    "default-fd": Target("defaultlink", "", "/dev/fd", entry=("target", "/proc/self/fd")),
    "default-ptmx": Target("defaultlink", "", "/dev/ptmx", entry=("target", "pts/ptmx")),
    "console": Target("console", "spawn: /process/terminal", "/dev/console", mount=("devpts", "/0"),
                      process={"terminal": True}),
    "device": Target("node", "apply: /linux/devices/0", entry=("minor", 3), rest={"linux": {"devices": [NODE]}}),
    "masked-file": sealed("maskedPaths", real="secret"),
    "masked-dir": sealed("maskedPaths"),
    "readonly-file": sealed("readonlyPaths", real="text"),
    "readonly-dir": sealed("readonlyPaths"),
    "hosts": written("/etc/hosts", HOSTS),
    "hostname": written("/etc/hostname", "box\n", hostname="box"),
    "cwd": Target("cwd", "spawn: /process/cwd", process={"cwd": PATH}),
    "entrypoint": Target("program", "spawn: /process/args/0", real=PROGRAM, args=[PATH, "see", "..."]),
    "hook": Target("program", "spawn: /hooks/startContainer/0", real=PROGRAM, see=["/dev/shm"], rest={"hooks": {
        "startContainer": [{"path": PATH, "args": ["hook", "put", "text", "/dev/shm/hook"]}]}}),
}
