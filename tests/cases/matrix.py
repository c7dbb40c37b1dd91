# SPDX-License-Identifier: Apache-2.0
"""The mechanical matrix: every field with every kind of value, and what is to be said of it."""
import copy

from base import BASE, ID_MAX, MIB, U32, U64, put, shown

VALUES = [
    ("null", None),
    ("true", True),
    ("0", 0),
    ("-1", -1),
    ("2^63", 2**63),
    ("2^64-1", U64),
    ("1.5", 1.5),
    ("empty", ""),
    ("x", "x"),
    ("list", []),
    ("object", {}),
    ("1MiB", MIB),
]


def type_of(value):
    if value is None:
        return "null"
    for kind, name in ((bool, "a boolean"), (int, "a number"), (float, "a number"),
                       (str, "a string"), (list, "an array"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    raise TypeError(value)


# Each type is a function from a value to what is wrong with it, or None.
def must_be(name):
    return lambda value: None if type_of(value) == name else (
        "must be %s, not %s" % ("an integer" if name == "a number" else name, type_of(value)))


boolean = must_be("a boolean")
string = must_be("a string")
array = must_be("an array")
an_object = must_be("an object")


def integer(low, high):
    def check(value):
        wrong = must_be("a number")(value)
        if not wrong and (isinstance(value, float) or not low <= value <= high):
            wrong = "must be an integer from %d to %d" % (low, high)
        return wrong
    return check


def text(check):
    return lambda value: string(value) or check(value)


def path(value):
    if not value:
        return "must not be empty"
    return "must be shorter than 4096 bytes" if len(value) >= 4096 else None


def absolute_path(value):
    return path(value) or (
        None if value[0] == "/" else "must be an absolute path, not " + shown(value))


def uts(value):
    if not value:
        return "must not be empty"
    return "must be at most 64 bytes" if len(value) > 64 else None


def strings_at_least_one(value):
    return array(value) or (None if value else "must have at least one element")


def none_of(message):
    return lambda value: message + " " + shown(value)


def refused(kind, message):
    def check(value):
        wrong = must_be(kind)(value)
        return wrong or (message if value else None)
    return check


def data_option(value):
    if not value:
        return "a mount option must have a name"
    return ("a mount option's name and value must be at most 255 bytes"
            if len(value) > 255 else None)


def env(value):
    return None if "=" in value else 'must be NAME=VALUE, has no "="'


U64_FIELD = integer(0, U64)
LINUX = "/linux"
NAMED = "is not supported"
# pointer: (check, what is said when it is absent)
FIELDS = {
    "/ociVersion": (text(none_of("must be a version like 1.2.0, not")), "must be given"),
    "/root": (an_object, "must be given"),
    "/root/path": (text(path), "must be given"),
    "/root/readonly": (boolean, None),
    "/hostname": (text(uts), None),
    "/domainname": (text(uts), None),
    "/annotations": (an_object, None),
    "/annotations/a.b": (string, None),
    "/hooks": (refused("an object", "hooks are not supported"), None),
    "/solaris": (refused("an object", "Solaris containers are not supported"), None),
    "/windows": (refused("an object", "Windows containers are not supported"), None),
    "/zos": (refused("an object", "z/OS containers are not supported"), None),
    "/freebsd": (refused("an object", "FreeBSD containers are not supported"), None),
    "/vm": (refused("an object", "the vm section is not supported"), None),
    "/process": (an_object, "must be given"),
    "/process/terminal": (boolean, None),
    "/process/consoleSize": (an_object, None),
    "/process/consoleSize/height": (integer(0, 65535), "must be given"),
    "/process/consoleSize/width": (integer(0, 65535), "must be given"),
    "/process/args": (strings_at_least_one, "must be given"),
    "/process/args/0": (string, None),
    "/process/env": (array, None),
    "/process/env/0": (text(env), None),
    "/process/cwd": (text(absolute_path), "must be given"),
    "/process/user": (an_object, None),
    "/process/user/uid": (integer(0, ID_MAX), "must be given"),
    "/process/user/gid": (integer(0, ID_MAX), "must be given"),
    "/process/user/umask": (integer(0, 0o777), None),
    "/process/user/additionalGids": (array, None),
    "/process/user/additionalGids/0": (integer(0, ID_MAX), None),
    "/process/user/username": (
        refused("a string", "user names (of Windows) are not supported"), None),
    "/process/capabilities": (an_object, None),
    "/process/capabilities/bounding": (array, None),
    "/process/capabilities/bounding/0": (string, None),
    "/process/capabilities/effective": (array, None),
    "/process/capabilities/inheritable": (array, None),
    "/process/capabilities/permitted": (array, None),
    "/process/capabilities/ambient": (array, None),
    "/process/rlimits": (array, None),
    "/process/rlimits/0": (an_object, None),
    "/process/rlimits/0/type": (text(none_of("unknown resource limit")), "must be given"),
    "/process/rlimits/0/soft": (U64_FIELD, "must be given"),
    "/process/rlimits/0/hard": (U64_FIELD, "must be given"),
    "/process/noNewPrivileges": (boolean, None),
    "/process/oomScoreAdj": (integer(-1000, 1000), None),
    "/process/apparmorProfile": (refused("a string", "AppArmor is not supported"), None),
    "/process/selinuxLabel": (refused("a string", "SELinux is not supported"), None),
    "/process/scheduler": (
        refused("an object", "scheduler attributes are not supported"), None),
    "/process/ioPriority": (refused("an object", "I/O priorities are not supported"), None),
    "/process/execCPUAffinity": (refused("an object", "CPU affinity is not supported"), None),
    "/process/commandLine": (
        refused("a string", "command lines (of Windows) are not supported"), None),
    "/mounts": (array, None),
    "/mounts/0": (an_object, None),
    "/mounts/0/destination": (text(path), "must be given"),
    "/mounts/0/type": (
        text(lambda v: None if v else "must be given, unless the mount is a bind"),
        "must be given, unless the mount is a bind"),
    "/mounts/0/source": (text(path), None),
    "/mounts/0/options": (array, None),
    "/mounts/0/options/0": (text(data_option), None),
    "/mounts/0/uidMappings": (refused("an array", "ID-mapped mounts are not supported"), None),
    "/mounts/0/gidMappings": (refused("an array", "ID-mapped mounts are not supported"), None),
    "/linux": (an_object, None),
    "/linux/namespaces": (array, None),
    "/linux/namespaces/0": (an_object, None),
    "/linux/namespaces/0/type": (text(none_of("unknown namespace")), "must be given"),
    "/linux/namespaces/0/path": (
        refused("a string", "joining a namespace is not supported"), None),
    "/linux/devices": (array, None),
    "/linux/devices/0": (an_object, None),
    "/linux/devices/0/type": (text(none_of("must be c, b, u or p, not")), "must be given"),
    "/linux/devices/0/path": (text(absolute_path), "must be given"),
    "/linux/devices/0/major": (integer(0, 4095), "must be given for a device"),
    "/linux/devices/0/minor": (integer(0, 1048575), "must be given for a device"),
    "/linux/devices/0/fileMode": (integer(0, U32), None),
    "/linux/devices/0/uid": (integer(0, ID_MAX), None),
    "/linux/devices/0/gid": (integer(0, ID_MAX), None),
    "/linux/uidMappings": (refused("an array", "user namespaces are not supported"), None),
    "/linux/gidMappings": (refused("an array", "user namespaces are not supported"), None),
    "/linux/timeOffsets": (refused("an object", "time namespaces are not supported"), None),
    "/linux/sysctl": (an_object, None),
    "/linux/sysctl/kernel.domainname": (
        refused("a string", "kernel parameters are not supported"), None),
    "/linux/sysctl/net.ipv4.ping_group_range": (string, None),
    "/linux/mountLabel": (refused("a string", "SELinux is not supported"), None),
    "/linux/personality": (refused("an object", "execution domains are not supported"), None),
    "/linux/intelRdt": (refused("an object", "Intel RDT is not supported"), None),
    "/linux/netDevices": (
        refused("an object", "moving network devices is not supported"), None),
    "/linux/memoryPolicy": (refused("an object", "NUMA memory policy is not supported"), None),
    "/linux/cgroupsPath": (string, None),
    "/linux/resources": (an_object, None),
    "/linux/rootfsPropagation": (string, None),
    "/linux/seccomp": (an_object, None),
    "/linux/maskedPaths": (array, None),
    "/linux/readonlyPaths": (array, None),
    "/notOfTheSpecification": (lambda value: None, None),
    "/process/notOfTheSpecification": (lambda value: None, None),
}

# Elements that an empty object cannot be, and values that contradict another member of the base.
EXCEPTIONS = {
    ("/root", "object"): "/root/path: must be given",
    ("/process", "object"): "/process/args: must be given",
    ("/process/consoleSize", "object"): "/process/consoleSize/height: must be given",
    ("/process/user", "object"): "/process/user/uid: must be given",
    ("/process/rlimits/0", "object"): "/process/rlimits/0/type: must be given",
    ("/process/rlimits/0/hard", "0"):
        "/process/rlimits/0: soft must not be greater than hard",
    ("/mounts/0", "object"): "/mounts/0/destination: must be given",
    ("/linux/namespaces/0", "object"): "/linux/namespaces/0/type: must be given",
    ("/linux/devices/0", "object"): "/linux/devices/0/type: must be given",
    ("/process/args/0", "absent"): "/process/args: must have at least one element",
}


def expected(pointer, name, value):
    """The failure after the stage, or None."""
    if (pointer, name) in EXCEPTIONS:
        return EXCEPTIONS[pointer, name]
    check, absence = FIELDS[pointer]
    wrong = absence if name == "absent" else check(value)
    return wrong and "%s: %s" % (pointer, wrong)


def matrix():
    for pointer in FIELDS:
        for name, value in [("absent", None)] + VALUES:
            config = copy.deepcopy(BASE)
            put(config, pointer, value, remove=name == "absent")
            yield pointer, name, config, expected(pointer, name, value)


def table():
    """The matrix's verdicts, a row a field: "." accepted, "R" refused."""
    names = ["absent"] + [name for name, _ in VALUES]
    rows = ["%-44s %s" % ("# field", " ".join(names))]
    verdicts = {}
    for pointer, name, _, wrong in matrix():
        verdicts.setdefault(pointer, []).append("R" if wrong else ".")
    for pointer, row in verdicts.items():
        marks = " ".join(mark.center(len(name)) for mark, name in zip(row, names))
        rows.append("%-44s %s" % (pointer, marks.rstrip()))
    return "\n".join(rows) + "\n"
