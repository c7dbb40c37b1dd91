# SPDX-License-Identifier: Apache-2.0
"""What may differ between crun and our guest: a table. A difference without a row fails, and so does a row
that nothing has used: docs/crun-differences.md is this table."""

import os
import platform
import re
import resource

import roots
from sides import Host

ABSENT = "absent"
PLACE = r"(?P<place>/[^.]*|/run/\.containerenv)"
NOBODY = 65534


class Row:
    def __init__(self, field, where, crun, guest, why, accepts, is_due=True):
        self.pattern, self.field = re.compile(field.replace("PLACE", PLACE)), field.replace("PLACE", "P")
        self.where, self.crun, self.guest, self.why = where, crun, guest, why
        self.accepts, self.is_due, self.uses = accepts, is_due, 0


class Difference:
    """One field in one container; "run" has what is known about the rest."""

    def __init__(self, run, field, host, guest):
        self.run, self.field, self.host, self.guest = run, field, host, guest
        self.config, self.linux, self.place = run.config, run.config["linux"], None

    @property
    def leaf(self):
        return self.field.rsplit(".", 1)[1]

    @property
    def pair(self):
        return self.host, self.guest

    @property
    def mount(self):
        """The configuration's mount at the place."""
        found = [m for m in self.config["mounts"] if m["destination"] == self.place]
        return found[-1] if found else None

    def options(self):
        return self.mount.get("options", []) if self.mount else []

    def explain(self):
        """The row that allows it, or None."""
        for row in ROWS:
            match = row.pattern.fullmatch(self.field)
            if match:
                self.place = match.groupdict().get("place")
                if row.accepts(self):
                    return row
        return None

    def has(self, *namespaces):
        return all(any(n["type"] == kind for n in self.linux["namespaces"]) for kind in namespaces)



def own_mask(name):
    with open("/proc/self/status", encoding="utf-8") as file:
        return int(re.search(name + r":\s*([0-9a-f]+)", file.read()).group(1), 16)


# What Python itself ignores, and gives back to its children: SIGPIPE and SIGXFSZ.
INHERITED_IGNORED = own_mask("SigIgn") & ~(1 << 12 | 1 << 24)


def limit(d):
    name = d.field.split(".")[1]
    return name, next(([l["soft"], l["hard"]] for l in d.config["process"].get("rlimits", [])
                       if l["type"] == "RLIMIT_" + name), None)


def is_limit_of_the_machine(d):
    name, wanted = limit(d)
    of_guest = d.run.reference["rlimits"][name]
    # Of the kernel's memory, of which binds take a little as files of the initramfs.
    return wanted is None and d.host == Host.limits()[name] and all(
        0 <= there - here <= 8 for here, there in zip(d.guest, of_guest))


def is_limit_too_high(d):
    name, wanted = limit(d)
    hard = Host.limits()[name][1]
    return wanted is not None and max(wanted) > hard and d.pair == ([min(w, hard) for w in wanted], wanted)


def is_cgroup(d):
    line = next(line for line in d.host if line.split(":")[1] == ("pids" if d.run.version == "v1" else ""))
    path = "/" if d.has("cgroup") else d.linux.get("cgroupsPath") or "/" + d.run.identifier
    ours = "/" if d.has("cgroup") else d.linux.get("cgroupsPath", "/container")
    return line.split(":", 2)[2] == path and d.guest == ["0::" + ours]


def is_made_file(d):
    text = {"/etc/hosts": "127.0.0.1\tlocalhost\n", "/etc/hostname": d.config.get("hostname", "") + "\n"}[d.place]
    return d.host is None and d.guest is not None and d.guest.startswith(text)


def is_of_the_root(d):
    """Fields of a mount that shows the root itself, or a part of it that is bound onto itself."""
    if d.place != "/" and d.place not in d.linux.get("readonlyPaths", []):
        return False
    if d.leaf == "root":
        inside = d.place if d.place != "/" else ""
        return d.pair == (os.path.realpath(d.run.root) + inside, inside or "/")
    at_top = d.run.host[f"mounts./.{d.leaf}"], d.run.guest[f"mounts./.{d.leaf}"]
    guest = {"type": "overlay", "source": "overlay"}.get(d.leaf, at_top[1])
    return d.pair == at_top and d.guest == guest


def is_masked(d):
    return d.place in d.linux.get("maskedPaths", [])


def without_owner(value):
    """A tmpfs that was mounted in a user namespace says who its root is."""
    return [o for o in value if not o.startswith(("uid=", "gid="))] if isinstance(value, list) else value


def is_masked_directory(d):
    return is_masked(d) and tuple(map(without_owner, d.pair)) in {
        "options": [(["relatime", "ro"], ["nodev", "noexec", "nosuid", "relatime", "ro"])],
        "superblock": [(["rw", "size=0k"], ["mode=755", "nr_inodes=2", "ro", "size=4k"])],
        "mode": [(0o41777, 0o40755), (0o1777, 0o755)]}[d.leaf]


def is_null_device(d):
    return is_masked(d) and {
        "options": d.pair == (["relatime", "ro"], ["relatime", "rw"]),
        "source": d.pair == ("devtmpfs", "dev"),
        "superblock": all("mode=755" in side and "rw" in side for side in d.pair)}[d.leaf]


def is_superblock_of_cgroup(d):
    of_host = {"rw", "nsdelegate", "memory_recursiveprot"}
    return d.run.version != "v1" and set(d.host) <= of_host and d.guest == ["favordynmods", "nsdelegate", "rw"]


V1_TOP = {"mounts.type": ("tmpfs", "cgroup2"), "mounts.source": ("cgroup", "cgroup"),
          "mountRoots.mode": (0o41777, 0o40555), "access.mode": (0o41777, 0o40555), "access.write": (0, 30),
          "mounts.superblock": (["rw", "size=1024k"], ["favordynmods", "nsdelegate", "rw"]),
          "mounts.options": (["nodev", "noexec", "nosuid", "relatime", "rw"], ["nodev", "noexec", "nosuid", "relatime", "ro"])}


def is_version_1(d):
    if d.run.version != "v1":
        return False
    kind, leaf, below = d.field.split(".")[0], d.leaf, d.place[len("/sys/fs/cgroup"):].strip("/")
    if below:
        return d.guest == ABSENT and any(below in line.split(":")[1] for line in d.run.host["cgroup"])
    if leaf in ("uid", "gid"):
        return d.has("user") and d.pair == (0, NOBODY)
    return tuple(map(without_owner, d.pair)) == V1_TOP.get(f"{kind}.{leaf}")


def is_home_of_nobody(d):
    known = [line.split(":")[2] for line in roots.FILES["etc/passwd"].splitlines()]
    return str(d.config["process"]["user"]["uid"]) not in known and d.guest == [*d.host, "HOME=/"]


def is_io_priority(d):
    wanted = d.config["process"].get("ioPriority")
    return bool(wanted) and wanted["class"] == "IOPRIO_CLASS_BE" and d.pair == ([0, 0], [2, wanted["priority"]])


def is_scheduler(d):
    wanted = d.config["process"].get("scheduler")
    usual = {"policy": 0, "nice": os.getpriority(os.PRIO_PROCESS, 0)}
    return bool(wanted) and wanted["policy"] == "SCHED_BATCH" and d.pair == (
        usual[d.leaf], {"policy": 3, "nice": wanted["nice"]}[d.leaf])


def is_made_directory(d):
    is_parent = any(m["destination"].startswith(d.place + "/") for m in d.config["mounts"])
    return is_parent and d.pair == (d.guest | 0o1000, d.host & ~0o1000) and d.guest & 0o7777 == 0o755


def is_bound(d):
    return bool(d.mount) and "bind" in (d.mount.get("type"), *(o.lstrip("r") for o in d.options()))


def is_bound_from_initramfs(d):
    """Sources are copied into the machine's own root, the initramfs."""
    if not is_bound(d):
        return False
    if d.leaf == "options":
        return sorted([*d.guest, "relatime"]) == d.host
    if d.leaf == "superblock":
        return "rw" in d.guest and any(option.startswith("size=") for option in d.guest)
    return d.guest == "rootfs" and d.host not in ("rootfs", ABSENT)


ATTRIBUTES = ("nosuid", "nodev", "noexec", "ro")
OPPOSITES = {"nosuid": "suid", "nodev": "dev", "noexec": "exec", "ro": "rw"}


def is_opposite(d):
    """An attribute and its opposite in one list."""
    options = d.options()
    overruled = [a for a in ATTRIBUTES if a in options and OPPOSITES[a] in options[options.index(a):]]
    wanted = [o for o in d.host if o not in overruled] + (["rw"] if "ro" in overruled else [])
    return bool(overruled) and set(overruled) <= set(d.host) and sorted(wanted) == d.guest


def is_bind_into_user_namespace(d):
    asked = [a for a in ATTRIBUTES if a in d.options()]
    return d.has("user") and is_bound(d) and bool(asked) and d.pair == (["relatime", "rw"], sorted([*asked, "rw"]))


def is_propagation(d):
    asked = [o.lstrip("r") for o in d.options() if o.lstrip("r") in ("shared", "unbindable")]
    return bool(asked) and d.pair == ([], asked)


NODES = ("null", "zero", "full", "random", "urandom", "tty")


def is_bound_node(d):
    """In a user namespace nodes are binds: crun's of the host's nodes, init-oci's of its own."""
    name = d.place[len("/dev/"):]
    if not d.has("user") or name not in NODES:
        return False
    return d.pair in {"root": [("/" + name, f"/device/00{NODES.index(name)}")], "source": [("devtmpfs", "smk-work")],
                      "type": [("devtmpfs", "tmpfs")], "options": [(["noexec", "nosuid", "relatime", "rw"], ["relatime", "rw"])],
                      "uid": [(NOBODY, 0)], "gid": [(NOBODY, 0)]}.get(d.leaf, []) or (
                          d.leaf == "superblock" and "rw" in d.host and "rw" in d.guest)


def is_dropped_by_smk(d):
    if not d.run.is_by_smk or not d.mount or not is_bound(d):
        return False
    kind = d.field.split(".")[0]
    if kind == "files":
        return d.guest.startswith({"/etc/hosts": "127.0.0.1\tlocalhost\n"}.get(d.place, d.config["hostname"]))
    if d.place == "/dev/shm":
        return d.leaf in ("root", "source", "type", "superblock") and d.run.guest["mounts./dev/shm.type"] == "tmpfs"
    return d.guest == ABSENT or (d.leaf == "error" and d.pair == (ABSENT, 2))


def is_ptmx(d):
    node = {"type": "c", "major": 5, "minor": 2, "mode": 0o666, "target": ABSENT}
    link = {"type": "l", "major": 0, "minor": 0, "mode": 0o777, "target": "pts/ptmx"}
    return any(n["path"] == "/dev/ptmx" for n in d.linux.get("devices", [])) and d.pair == (link[d.leaf], node[d.leaf])


def is_readonly_path(d):
    parts = d.linux.get("readonlyPaths", [])
    return d.place in parts and d.guest == sorted([*d.host, "nodev", "noexec", "nosuid"])


def is_set_up_error(d):
    """crun knows one code for what fails before the program runs; init-oci has the shell's."""
    text = d.run.guest.get("ending.error")
    code = {"No such file or directory": 127, "Permission denied": 126}.get(text, 125)
    return d.run.is_failed and d.pair == (1, code if d.run.is_about_program else 125)


ROWS = (
    Row("machine", "everywhere", "this machine's", "`aarch64`", "two architectures; `LINUX32` makes the host's i686",
        lambda d: d.pair in ((platform.machine(), "aarch64"), ("i686", "aarch64"))),
    Row("cpus", "everywhere", "all of this machine", "CPU 0", "`smk run` gives a machine one CPU",
        lambda d: d.pair == (sorted(os.sched_getaffinity(0)), [0]), len(os.sched_getaffinity(0)) > 1),
    Row(r"namespaces(Of1)?\.net", "with a network namespace", "its own", "the machine's", "the machine is the isolation",
        lambda d: d.has("network") and d.pair == ("own", "machine")),
    Row(r"groups", "a user whose primary group is not listed", "`additionalGids`", "the primary group too",
        "who gives up the primary group must not escape what that group is denied (CVE-2022-2989)",
        lambda d: sorted({*d.host, d.config["process"]["user"]["gid"]}) == sorted(d.guest)),
    Row(r"rlimits\.[A-Z]+", "limits that the configuration does not set", "crun's own", "the kernel's for the machine",
        "limits are inherited", is_limit_of_the_machine),
    Row(r"rlimits\.[A-Z]+", "limits above this machine's hard ones", "the hard limit", "the configuration's",
        "tests may run without CAP_SYS_RESOURCE, and crun with a wrapper around setrlimit() then", is_limit_too_high,
        not own_mask("CapEff") >> 24 & 1),
    Row(r"scheduler\.nice", "no `scheduler` in the configuration", "the test's own", "0", "niceness is inherited",
        lambda d: "scheduler" not in d.config["process"] and d.pair == (os.getpriority(os.PRIO_PROCESS, 0), 0),
        os.getpriority(os.PRIO_PROCESS, 0) != 0),
    Row("cgroup", "everywhere", "a line a hierarchy; without `cgroupsPath` crun's identifier", "one line; `/container`",
        "the path is the same when the configuration has one, and `/` in a namespace", is_cgroup),
    Row(r"files\.(?P<place>/etc/hosts|/etc/hostname)", "images without these files", "nothing", "made",
        "no engine makes them in the guest", is_made_file),
    Row(r"terminals\.[0-9]\.(rows|columns)", "`terminal` with a user at one", "`consoleSize`, or 0", "the size of the user's",
        "smk gives the workload the size of its own terminal, as engines do",
        lambda d: d.guest == {"rows": 24, "columns": 80}[d.leaf] and
        d.host == d.config["process"].get("consoleSize", {}).get({"rows": "height", "columns": "width"}[d.leaf], 0)),
    Row(r"mounts\.PLACE\.(root|source|type|superblock)", "`/` and `readonlyPaths` of the image", "a directory of the host",
        "an overlay", "the root is a disk with a layer", is_of_the_root),
    Row(r"mounts\./dev/console\.options", "`terminal`", "without nosuid, noexec", "as /dev/pts has them",
        "it is a bind of a node below /dev/pts", lambda d: d.guest == sorted([*d.host, "noexec", "nosuid"])),
    Row(r"(mounts|mountRoots)\.(?P<place>/proc/acpi)\.\w+", "`maskedPaths`", "masked", "not there",
        "arm64 with a device tree has no ACPI", lambda d: is_masked(d) and d.guest == ABSENT),
    Row(r"mounts\.PLACE\.(options|source|superblock)", "`maskedPaths` that are files", "the host's null device, read-only",
        "init-oci's null device", "to write into a null device harms nobody", is_null_device),
    Row(r"(mounts|mountRoots|access|roots)\.PLACE\.(options|superblock|mode)", "`maskedPaths` that are directories",
        "tmpfs, mode 1777, read-only mount", "tmpfs, mode 0755, read-only, nosuid, nodev, noexec",
        "nothing can be made in it either way", is_masked_directory),
    Row(r"mounts\.PLACE\.options", "`readonlyPaths` below nosuid, nodev, noexec mounts", "these are lost", "as the mount around has them",
        "read-only, and no other attribute, was asked for", is_readonly_path),
    Row(r"mounts\./sys/fs/cgroup\.source", "cgroup2", "`cgroup2`", "the configuration's `source`", "a name without meaning",
        lambda d: d.pair == ("cgroup2", "cgroup")),
    Row(r"mounts\./sys/fs/cgroup\.superblock", "cgroup2", "", "`favordynmods`, `nsdelegate` too", "what moves processes into cgroups quickly; a container does not lift its own limits",
        is_superblock_of_cgroup),
    Row(r"(mounts|mountRoots|access)\.(?P<place>/sys/fs/cgroup[a-z/,=_-]*)\.\w+",
        "`resources` of controllers that this machine has in cgroup v1 only", "tmpfs with a mount a controller", "cgroup2",
        "the guest has version 2 only, and crun is shown the version that has the controller", is_version_1,
        os.path.isdir("/sys/fs/cgroup/unified")),
    Row("env", "a user that the image does not know", "no HOME", "`HOME=/`", "programs expect one", is_home_of_nobody),
    Row("ioPriority", "`ioPriority`", "the default", "the configuration's", "crun 1.8.1 does not know the property", is_io_priority),
    Row(r"scheduler\.(policy|nice)", "`scheduler`", "the default", "the configuration's", "crun 1.8.1 does not know the property",
        is_scheduler),
    Row(r"(access|roots)\.PLACE\.mode", "directories made on the way to a mount", "01755", "0755", "nobody asked for a sticky bit",
        is_made_directory),
    Row(r"mounts\.PLACE\.superblock", "tmpfs with `ro`", "read-only mount", "read-only file system too", "the option is both's",
        lambda d: "ro" in d.options() and sorted("ro" if o == "rw" else o for o in d.host) == d.guest),
    Row(r"mounts\.PLACE\.(source|type|superblock|options)", "binds", "of this machine's file system", "of the initramfs",
        "a bind's source is in the file system that the machine booted, and that has no relatime", is_bound_from_initramfs),
    Row(r"mounts\.PLACE\.options", "`nosuid` and `suid` in one list, and the like", "both", "the last", "as mount(8) reads it",
        is_opposite),
    Row(r"mounts\.PLACE\.options", "binds in a user namespace", "without nosuid, nodev, noexec", "with those that are asked for",
        "crun 1.8.1 loses them", is_bind_into_user_namespace),
    Row(r"mounts\.PLACE\.propagation", "mounts with `shared`, `unbindable` and the like", "private", "as asked for",
        "crun 1.8.1 makes all mounts private at the end", is_propagation),
    Row(r"(mounts|mountRoots|devices|access)\.PLACE\.\w+", "nodes in a user namespace", "the host's, owned by nobody",
        "init-oci's, owned by the container's root", "neither side may make nodes in a user namespace", is_bound_node),
    Row(r"(mountRoots|devices|access)\./dev/mqueue\.(uid|gid)", "a user and an IPC namespace", "0", "65534",
        "the kernel makes it with the namespaces, before IDs are mapped; anyone may use it, its mode is 1777",
        lambda d: d.has("user", "ipc") and d.pair == (0, NOBODY)),
    Row(r"access\./proc/sys/net/core/somaxconn\.(uid|gid)", "a user and a network namespace", "0", "65534",
        "the network is the machine's", lambda d: d.has("user", "network") and d.pair == (0, NOBODY)),
    Row(r"(access|mountRoots)\./sys/fs/cgroup\.(uid|gid)", "a user and a cgroup namespace", "0", "65534",
        "crun gives the container its cgroup; the specification asks for that when it is mounted writable, which it is not",
        lambda d: d.has("user", "cgroup") and "ro" in next(m for m in d.config["mounts"] if m["type"] == "cgroup")["options"]
        and d.pair == (0, NOBODY)),
    Row(r"(uid|gid)Map", "a user namespace without maps", "one ID", "all IDs", "crun has the maps of who calls it",
        lambda d: "uidMappings" not in d.linux and [d.host.split(), d.guest.split()] == [["0", "0", "1"], ["0", "0", "4294967295"]]),
    Row(r"(files|access|mounts|mountRoots)\.PLACE(\.\w+)?", "podman's own binds, by smk", "podman's files", "init-oci's, or none",
        "a host path that a guest does not see: smk says so, and init-oci has its own", is_dropped_by_smk),
    Row(r"devices\./dev/ptmx\.\w+", "/dev/ptmx among `devices`", "a link all the same", "the node that is asked for",
        "both open the container's own /dev/pts", is_ptmx),
    Row("sigBlocked", "hooks in the container", "SIGCHLD", "none", "crun 1.8.1 forgets to unblock it",
        lambda d: "startContainer" in d.config.get("hooks", {}) and d.pair == ("0000000000010000", "0" * 16)),
    Row("sigIgnored", "tests run with signals ignored, as make does", "some of them", "none",
        "what is ignored is inherited, and crun passes on what libc keeps for itself",
        lambda d: int(d.host, 16) & ~INHERITED_IGNORED == 0 and d.guest == "0" * 16, INHERITED_IGNORED != 0),
    Row("hostname", "no UTS namespace", "this machine's", "the machine's", "the name is the machine's",
        lambda d: not d.has("uts") and d.pair == (platform.node(), d.run.reference["hostname"])),
    Row(r"ending\.code", "what fails before the program runs", "1", "125, 126, 127", "the codes that shells and engines use",
        is_set_up_error),
    Row(r"ending\.error", "a program that is a directory", "Operation not permitted", "Permission denied", "the kernel's word is execve's",
        lambda d: d.pair == ("Operation not permitted", "Permission denied")),
)


def as_markdown():
    lines = ["| fields | where | crun | guest | why |", "|---|---|---|---|---|"]
    for row in ROWS:
        field = re.sub(r"\(\?P<\w+>", "(", row.field).replace("\\", "").replace("|", " or ")
        lines.append(f"| `{field}` | {row.where} | {row.crun} | {row.guest} | {row.why} |")
    return "\n".join(lines) + "\n"
