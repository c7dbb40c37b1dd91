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


def names_path(value):
    return None if not value else absolute_path(value)


def list_of(limit):
    return lambda value: None if not value else (
        "must be a list like 0-3,7 with numbers below %d" % limit)


def cpu_list(value):
    return None if not value else "must be a list like 0-3,7"


def optional_name(what):
    return lambda value: "unknown %s %s" % (what, shown(value)) if value else None


def device_kind(value):
    return "must be a, b or c, not " + shown(value) if value else None


def access(value):
    return "must be of r, w and m, not " + shown(value) if value else None


def interface(value):
    return "is not a network device's name" if len(value) > 15 else None


def at_least_one(value):
    return array(value) or (None if value else "must have at least one element")


def not_in_v2(low, high):
    return lambda value: integer(low, high)(value) or "is not supported by cgroup v2"


U64_FIELD = integer(0, U64)
I64 = 2**63 - 1
LIMIT = integer(-1, I64)
MAJOR = integer(0, 4095)
MINOR = integer(0, 1048575)
GIVEN = "must be given"


def with_members(pointer, members, check, absence=None):
    """An array's or an object's rows: itself and its members."""
    rows = {pointer: (check, absence)}
    for key, member in members.items():
        rows[pointer + "/" + key] = member
    return rows


def id_maps(pointer):
    row = {"containerID": (integer(0, U32), GIVEN), "hostID": (integer(0, U32), GIVEN),
           "size": (integer(1, U32), GIVEN)}
    return with_members(pointer + "/0", row, an_object)


def hooks():
    rows = {"/hooks": (an_object, None)}
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                 "poststop"):
        rows["/hooks/" + kind] = (array, None)
        rows.update(with_members("/hooks/%s/0" % kind, {
            "path": (text(absolute_path), GIVEN), "args": (array, None),
            "args/0": (string, None), "env": (array, None), "env/0": (text(env), None),
            "timeout": (integer(1, 2**31 - 1), None)}, an_object))
    return rows


def process_rows():
    rows = with_members("/process/scheduler", {
        "policy": (text(none_of("unknown scheduling policy")), GIVEN),
        "nice": (integer(-20, 19), None), "priority": (integer(0, 99), None),
        "flags": (array, None), "flags/0": (text(none_of("unknown scheduling flag")), None),
        "runtime": (U64_FIELD, None), "deadline": (U64_FIELD, None),
        "period": (U64_FIELD, None)}, an_object)
    rows.update(with_members("/process/ioPriority", {
        "class": (text(none_of("unknown I/O priority class")), GIVEN),
        "priority": (integer(0, 7), None)}, an_object))
    rows.update(with_members("/process/execCPUAffinity", {
        "initial": (text(list_of(1024)), None), "final": (text(list_of(1024)), None)},
        an_object))
    return rows


def seccomp_rows():
    number = integer(0, 65535)
    rows = with_members("/linux/seccomp", {
        "defaultAction": (text(none_of("unknown seccomp action")), GIVEN),
        "defaultErrnoRet": (number, None), "architectures": (array, None),
        "architectures/0": (text(none_of("unknown seccomp architecture")), None),
        "flags": (array, None), "flags/0": (text(none_of("unknown seccomp flag")), None),
        "listenerPath": (refused("a string", "seccomp listeners are not supported"), None),
        "listenerMetadata": (refused("a string", "seccomp listeners are not supported"), None),
        "syscalls": (array, None)}, an_object)
    rows.update(with_members("/linux/seccomp/syscalls/0", {
        "names": (at_least_one, GIVEN), "names/0": (string, None),
        "action": (text(none_of("unknown seccomp action")), GIVEN), "errnoRet": (number, None),
        "args": (array, None)}, an_object))
    rows.update(with_members("/linux/seccomp/syscalls/0/args/0", {
        "index": (integer(0, 5), GIVEN), "value": (U64_FIELD, GIVEN),
        "valueTwo": (U64_FIELD, None), "op": (text(none_of("unknown seccomp operator")), GIVEN)},
        an_object))
    return rows


def block_io():
    top = "/linux/resources/blockIO"
    numbers = {"major": (MAJOR, GIVEN), "minor": (MINOR, GIVEN)}
    rows = with_members(top, {
        "weight": (integer(10, 1000), None),
        "leafWeight": (not_in_v2(0, 65535), None), "weightDevice": (array, None)}, an_object)
    rows.update(with_members(top + "/weightDevice/0", dict(
        numbers, weight=(integer(10, 1000), None),
        leafWeight=(not_in_v2(0, 65535), None)), an_object))
    for key in ("ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS"):
        device = "%s/throttle%sDevice" % (top, key)
        rows[device] = (array, None)
        rows.update(with_members(device + "/0", dict(numbers, rate=(U64_FIELD, GIVEN)),
                                 an_object))
    return rows


def resources():
    top = "/linux/resources"
    signed = not_in_v2(-2**63, I64)
    rows = {top: (an_object, None), top + "/devices": (array, None)}
    rows.update(with_members(top + "/devices/0", {
        "allow": (boolean, GIVEN), "type": (text(device_kind), None),
        "major": (integer(-1, 4095), None), "minor": (integer(-1, 1048575), None),
        "access": (text(access), None)}, an_object))
    rows.update(with_members(top + "/memory", {
        "limit": (LIMIT, None), "reservation": (LIMIT, None), "swap": (LIMIT, None),
        "kernel": (signed, None), "kernelTCP": (signed, None), "swappiness": (signed, None),
        "disableOOMKiller": (
            lambda v: boolean(v) or ("is not supported by cgroup v2" if v else None), None),
        "useHierarchy": (boolean, None), "checkBeforeUpdate": (boolean, None)}, an_object))
    rows.update(with_members(top + "/cpu", {
        "shares": (U64_FIELD, None), "quota": (LIMIT, None), "burst": (U64_FIELD, None),
        "period": (U64_FIELD, None), "realtimeRuntime": (signed, None),
        "realtimePeriod": (signed, None), "cpus": (text(cpu_list), None),
        "mems": (text(cpu_list), None), "idle": (integer(0, 1), None)}, an_object))
    rows.update(with_members(top + "/pids", {"limit": (LIMIT, None)}, an_object))
    rows.update(block_io())
    rows[top + "/hugepageLimits"] = (array, None)
    rows.update(with_members(top + "/hugepageLimits/0", {
        "pageSize": (text(lambda v: "must be a size like 2MB"), GIVEN),
        "limit": (U64_FIELD, GIVEN)}, an_object))
    rows[top + "/network"] = (an_object, None)
    rows[top + "/rdma"] = (an_object, None)
    rows.update(with_members(top + "/rdma/mlx5_0", {
        "hcaHandles": (integer(0, U32), None), "hcaObjects": (integer(0, U32), None)},
        an_object))
    rows.update(with_members(top + "/unified", {"memory.high": (string, None)}, an_object))
    return rows


def linux_rows():
    rows = {}
    for key in ("uidMappings", "gidMappings"):
        rows["/linux/" + key] = (
            lambda v: array(v) or (None if v else "must be given with the other mapping"),
            "must be given with the other mapping")
        rows.update(id_maps("/linux/" + key))
    rows["/linux/timeOffsets"] = (an_object, None)
    for clock in ("monotonic", "boottime"):
        rows.update(with_members("/linux/timeOffsets/" + clock, {
            "secs": (integer(-2**63, I64), None), "nanosecs": (integer(0, 999999999), None)},
            an_object))
    rows["/linux/cgroupsPath"] = (string, None)
    rows["/linux/rootfsPropagation"] = (text(optional_name("propagation")), None)
    for key in ("maskedPaths", "readonlyPaths"):
        rows["/linux/" + key] = (array, None)
        rows["/linux/%s/0" % key] = (text(absolute_path), None)
    rows.update(with_members("/linux/personality", {
        "domain": (text(none_of("unknown execution domain")), GIVEN), "flags": (array, None)},
        an_object))
    rows["/linux/netDevices"] = (an_object, None)
    rows.update(with_members("/linux/netDevices/eth0", {"name": (text(interface), None)},
                             an_object))
    rows.update(with_members("/linux/memoryPolicy", {
        "mode": (text(none_of("unknown memory policy")), GIVEN),
        "nodes": (text(list_of(64)), None), "flags": (array, None),
        "flags/0": (text(none_of("unknown memory policy flag")), None)}, an_object))
    rows.update(seccomp_rows())
    rows.update(resources())
    return rows


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
    ("/linux/namespaces", "absent"): "/linux/uidMappings: needs a new user namespace",
    ("/linux/namespaces", "list"): "/linux/uidMappings: needs a new user namespace",
}
for kind in ("weight", "throttleReadBps", "throttleWriteBps", "throttleReadIOPS",
             "throttleWriteIOPS"):
    EXCEPTIONS["/linux/resources/blockIO/%sDevice/0" % kind, "object"] = (
        "/linux/resources/blockIO/%sDevice/0/major: must be given" % kind)
for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
             "poststop"):
    EXCEPTIONS["/hooks/%s/0" % kind, "object"] = "/hooks/%s/0/path: must be given" % kind
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
