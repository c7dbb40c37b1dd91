# SPDX-License-Identifier: Apache-2.0
"""linux.resources, as the files of the container's cgroup and as what the kernel does with them."""

from harness import case, check, check_equal, check_in
from images import config_for, small_image
from machine import Machine

MOUNT = "mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && "
ALL = ["CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_KILL"]


def boot(context, args, resources=None, memory="256M", extra=(), **linux):
    config = config_for(args, capabilities={s: ALL for s in ("bounding", "effective", "permitted")})
    for name in ("seccomp", "maskedPaths", "readonlyPaths", "resources"):
        config["linux"].pop(name, None)
    config["linux"].update(linux)
    if "namespaces" in linux:
        config["mounts"] = [m for m in config["mounts"] if m["type"] != "cgroup"]
    config["mounts"] += extra
    if resources is not None:
        config["linux"]["resources"] = resources
    machine = Machine(context, config, memory=memory)
    return machine.disk(small_image(context), "smk-layer-000").boot()


def script(context, text, resources=None, **linux):
    return boot(context, ["/bin/sh", "-c", text], resources, **linux)


@case()
def files_of_the_cgroup(context):
    """Each value in its file, 64 bits of it, in a cgroup of the configuration's name; PID 1 is not in it."""
    resources = {
        "memory": {"limit": 1 << 27, "reservation": 1 << 26},
        "cpu": {"shares": 2048, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"},
        "pids": {"limit": 77},
        "unified": {"memory.high": "100000000", "memory.oom.group": "1"},
    }
    wanted = {"memory.max": "134217728", "memory.low": "67108864", "cpu.max": "50000 100000", "cpuset.cpus": "0",
              "cpuset.mems": "0", "pids.max": "77", "memory.high": "99999744", "memory.oom.group": "1"}
    outcome = script(context, MOUNT + "cat /proc/self/cgroup /proc/1/cgroup; cd /tmp/cg/a/b && cat "
                     + " ".join(wanted) + "; ls /tmp/cg/a/b/io.max", resources, cgroupsPath="/a/b",
                     namespaces=[{"type": "mount"}])
    lines = outcome.expect(1).out.splitlines()
    check_equal(lines[:2], ["0::/a/b", "0::/"], "cgroups of the entrypoint and PID 1")
    check_equal(lines[2:], list(wanted.values()), "files")


@case()
def a_cgroup_namespace_begins_at_the_cgroup(context):
    outcome = script(context, MOUNT + "cat /proc/self/cgroup /tmp/cg/pids.max", {"pids": {"limit": 77}},
                     cgroupsPath="/a/b")
    check_equal(outcome.expect(0).out, "0::/\n77\n", "its own cgroup and its limit")


@case()
def no_cgroup_without_a_wish(context):
    outcome = script(context, "cat /proc/self/cgroup; " + MOUNT + "ls /tmp/cg", namespaces=[{"type": "mount"}])
    lines = outcome.expect(0).out.splitlines()
    check_equal(lines[0], "0::/", "cgroup")
    check("container" not in lines, f"{lines}")
    outcome = script(context, "cat /proc/self/cgroup; " + MOUNT + "ls /tmp/cg",
                     namespaces=[{"type": "mount"}], cgroupsPath="/one/two")
    lines = outcome.expect(0).out.splitlines()
    check_equal((lines[0], "one" in lines), ("0::/one/two", True), f"with cgroupsPath, {lines}")


@case()
def memory_limit_kills(context):
    """And the record says so."""
    outcome = boot(context, ["/bin/probe", "hog"], {"memory": {"limit": 20 << 20}})
    record = outcome.record
    check_equal((record["phase"], record["signal"], record["oomKilled"]), ("run", 9, True), "record")
    check(record["maxRssBytes"] < 24 << 20, f"maxRssBytes {record['maxRssBytes']}")


@case()
def pids_limit(context):
    """A fork bomb stays below it, and the record still leaves."""
    text = "i=0; while [ $i -lt 50 ]; do sleep 100 & i=$((i+1)); done; echo all"
    outcome = script(context, text, {"pids": {"limit": 20}})
    check("all" not in outcome.out, f"50 processes below a limit of 20: {outcome.out!r}")
    check_equal(outcome.record["phase"], "run", "phase")


@case()
def devices_that_are_denied(context):
    """By default what every container has; the making of a node is always allowed, its use is not."""
    text = ("mknod /tmp/mem c 1 1; mknod /tmp/tun c 10 200; mknod /tmp/kmsg c 1 11; : </dev/null && echo null; "
            ": </tmp/mem && echo mem; (: </tmp/kmsg) && echo kmsg-r; (: >/tmp/kmsg) && echo kmsg-w; "
            "head -c1 /dev/urandom | wc -c")
    deny = {"allow": False, "access": "rwm"}
    kmsg = {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}
    outcome = script(context, text.replace(": </tmp/mem", "(: </tmp/mem)"), {"devices": [deny, kmsg]})
    check_equal(outcome.expect(0).out, "null\nkmsg-r\n1\n", "what could be opened")
    outcome = script(context, text.replace(": </tmp/mem", "(: </tmp/mem)"))
    check_in("kmsg-w", outcome.expect(0).out, "what can be opened without rules")


@case()
def a_file_that_the_kernel_does_not_have(context):
    script(context, "true", {"unified": {"memory.no_such": "1"}}).expect_failure(
        "apply: /linux/resources/unified/memory.no_such: memory.no_such: open", "(errno 2)")
    script(context, "true", {"unified": {"nosuch.max": "1"}}).expect_failure(
        "apply: /linux/resources/unified/nosuch.max", "(errno 2)")
    script(context, "true", {"unified": {"memory.max": "much"}}).expect_failure(
        "apply: /linux/resources/unified/memory.max: memory.max: write", "(errno 22)")


@case()
def a_remount_is_not_the_machines(context):
    """Read-only is the container's mount, not the superblock that all mounts of cgroup2 share."""
    group = {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw"]}
    again = {**group, "options": ["remount", "ro"]}
    outcome = script(context, MOUNT + "mkdir /tmp/cg/container/new && echo made; mkdir /sys/fs/cgroup/container/other || echo refused",
                     extra=[group, again], namespaces=[{"type": "mount"}, {"type": "pid"}])
    check_equal(outcome.expect(0).out, "made\nrefused\n", "a new mount, the container's")


@case()
def a_limit_is_not_lifted_from_inside(context):
    """Of its own cgroup a cgroup namespace changes no limit, of those that it makes every one."""
    group = {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw"]}
    text = ("cd /sys/fs/cgroup; echo max >memory.max || echo refused; cat memory.max; "
            "mkdir new && echo 5 >new/cgroup.max.depth && cat new/cgroup.max.depth")
    outcome = script(context, text, {"memory": {"limit": 64 << 20}}, extra=[group],
                     namespaces=[{"type": "mount"}, {"type": "pid"}, {"type": "cgroup"}])
    check_equal(outcome.expect(0).out, "refused\n67108864\n5\n", "the limit, that of a new cgroup")
