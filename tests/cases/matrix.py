# SPDX-License-Identifier: Apache-2.0
"""The mechanical matrix: every field with every kind of value, and what is to be said of it."""
import copy

from base import BASE, ID_MAX, MIB, U32, U64, put
from checks import (
    U64_FIELD,
    absolute_path,
    an_object,
    array,
    boolean,
    data_option,
    env,
    integer,
    names_path,
    none_of,
    path,
    refused,
    string,
    strings_at_least_one,
    text,
    uts)
from rows import hooks, id_maps, linux_rows, process_rows

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
    "/mounts/0/uidMappings": (
        lambda v: array(v) or (None if v else "must be given with the other mapping"),
        "must be given with the other mapping"),
    "/mounts/0/gidMappings": (
        lambda v: array(v) or (None if v else "must be given with the other mapping"),
        "must be given with the other mapping"),
    "/linux": (an_object, None),
    "/linux/namespaces": (array, None),
    "/linux/namespaces/0": (an_object, None),
    "/linux/namespaces/0/type": (text(none_of("unknown namespace")), "must be given"),
    "/linux/namespaces/0/path": (text(names_path), None),
    "/linux/devices": (array, None),
    "/linux/devices/0": (an_object, None),
    "/linux/devices/0/type": (text(none_of("must be c, b, u or p, not")), "must be given"),
    "/linux/devices/0/path": (text(absolute_path), "must be given"),
    "/linux/devices/0/major": (integer(0, 4095), "must be given for a device"),
    "/linux/devices/0/minor": (integer(0, 1048575), "must be given for a device"),
    "/linux/devices/0/fileMode": (integer(0, U32), None),
    "/linux/devices/0/uid": (integer(0, ID_MAX), None),
    "/linux/devices/0/gid": (integer(0, ID_MAX), None),
    "/linux/sysctl": (an_object, None),
    "/linux/sysctl/kernel.msgmax": (string, None),
    "/linux/mountLabel": (refused("a string", "SELinux is not supported"), None),
    "/linux/intelRdt": (refused("an object", "Intel RDT is not supported"), None),
    "/notOfTheSpecification": (lambda value: None, None),
    "/process/notOfTheSpecification": (lambda value: None, None),
}

FIELDS.update(hooks())
FIELDS.update(process_rows())
FIELDS.update(id_maps("/mounts/0/uidMappings"))
FIELDS.update(id_maps("/mounts/0/gidMappings"))
FIELDS.update(linux_rows())

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
    ("/process/scheduler", "object"): "/process/scheduler/policy: must be given",
    ("/process/ioPriority", "object"): "/process/ioPriority/class: must be given",
    ("/linux/personality", "object"): "/linux/personality/domain: must be given",
    ("/linux/memoryPolicy", "object"): "/linux/memoryPolicy/mode: must be given",
    ("/linux/seccomp", "object"): "/linux/seccomp/defaultAction: must be given",
    ("/linux/seccomp/syscalls/0", "object"): "/linux/seccomp/syscalls/0/names: must be given",
    ("/linux/seccomp/syscalls/0/names/0", "absent"):
        "/linux/seccomp/syscalls/0/names: must have at least one element",
    ("/linux/seccomp/syscalls/0/args/0", "object"):
        "/linux/seccomp/syscalls/0/args/0/index: must be given",
    ("/linux/resources/devices/0", "object"): "/linux/resources/devices/0/allow: must be given",
    ("/linux/resources/hugepageLimits/0", "object"):
        "/linux/resources/hugepageLimits/0/pageSize: must be given",
    ("/linux/namespaces", "absent"):
        "/linux/timeOffsets: needs a new time namespace",
    ("/linux/namespaces", "list"):
        "/linux/timeOffsets: needs a new time namespace",
}
for kind in ("weight", "throttleReadBps", "throttleWriteBps", "throttleReadIOPS",
             "throttleWriteIOPS"):
    EXCEPTIONS["/linux/resources/blockIO/%sDevice/0" % kind, "object"] = (
        "/linux/resources/blockIO/%sDevice/0/major: must be given" % kind)
for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
             "poststop"):
    EXCEPTIONS["/hooks/%s/0" % kind, "object"] = "/hooks/%s/0/path: must be given" % kind
WEIGHT = "/linux/resources/blockIO/weightDevice/0"
EXCEPTIONS[WEIGHT + "/weight", "absent"] = WEIGHT + ": must have a weight"
RDMA = "/linux/resources/rdma/mlx5_0"
EXCEPTIONS[RDMA, "object"] = RDMA + ": must have hcaHandles or hcaObjects"
for where in ("/mounts/0/uidMappings", "/mounts/0/gidMappings", "/linux/uidMappings",
              "/linux/gidMappings"):
    EXCEPTIONS[where + "/0", "object"] = where + "/0/containerID: must be given"
    EXCEPTIONS[where + "/0", "absent"] = where + ": must be given with the other mapping"


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
