# SPDX-License-Identifier: Apache-2.0
"""The matrix's rows for hooks, the process's scheduling, and the linux section."""
from base import U32
from checks import (
    GIVEN,
    I64,
    LIMIT,
    MAJOR,
    MINOR,
    U64_FIELD,
    absolute_path,
    access,
    an_object,
    array,
    at_least_one,
    boolean,
    cpu_list,
    device_kind,
    env,
    integer,
    interface,
    list_of,
    none_of,
    not_in_v2,
    optional_name,
    path,
    refused,
    string,
    text)


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
        "priority": (integer(0, 7), GIVEN)}, an_object))
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


def weight(value):
    """0 asks for nothing."""
    return None if value == 0 and isinstance(value, int) and not isinstance(value, bool) else integer(10, 1000)(value)


def block_io():
    top = "/linux/resources/blockIO"
    numbers = {"major": (MAJOR, GIVEN), "minor": (MINOR, GIVEN)}
    rows = with_members(top, {
        "weight": (weight, None),
        "leafWeight": (not_in_v2(0, 65535), None), "weightDevice": (array, None)}, an_object)
    rows.update(with_members(top + "/weightDevice/0", dict(
        numbers, weight=(weight, None),
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
