# SPDX-License-Identifier: Apache-2.0
"""Workloads that take all there is, memory or processes: PID 1 lives on, and the record says why they ended."""

from harness import bundle, case, check, check_equal, check_in
from images import config_for, small_image
from machine import Machine

KILL = {"type": "signal", "signal": 9}
LIMIT = {"memory": {"limit": 20 << 20}}
HOG = "/bin/probe hog; echo hog $?; "


def boot(context, args, resources=None, memory="64M", requests=(), without="pid"):
    """Without resources there is no cgroup, and the count is the machine's."""
    config = config_for(args, without)
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "cgroup"]
    config["mounts"] = [m for m in config["mounts"] if m["type"] != "cgroup"]
    config["linux"].pop("resources", None)
    if resources:
        config["linux"]["resources"] = resources
    machine = Machine(context, config, memory=memory)
    machine.requests = list(requests)
    outcome = machine.disk(small_image(context), "smk-layer-000").boot()
    check("Kernel panic" not in outcome.console, f"a panic: {outcome.console[-400:]!r}")
    return outcome


def expect(outcome, code, signal, is_oom, out=None):
    record = outcome.expect(code, out).record
    check_equal((record["signal"], record["oomKilled"]), (signal, is_oom), "signal and oomKilled")


@case(120)
def out_of_memory_in_the_machine(context):
    for memory in ("64M", "128M"):
        for without in ("pid", None):
            expect(boot(context, ["/bin/probe", "hog"], memory=memory, without=without), 137, 9, True)


@case(120)
def out_of_memory_while_reading(context):
    """
    The last allocation is one of squashfs's, which the kernel tries again for ever and kills nobody for: PID 1
    sees the pressure, and asks for memory itself.
    """
    directory = bundle(context, ["/bin/probe", "hog", "/bin/probe"])
    result = context.smk("run", "--memory", "64M", directory).expect(137)
    check_in("because the guest ran out of memory", result.errors, "stderr")


@case(120)
def out_of_memory_in_the_cgroup(context):
    for without in ("pid", None):
        expect(boot(context, ["/bin/probe", "hog"], LIMIT, without=without), 137, 9, True)


@case(120)
def killed_by_itself_is_not_out_of_memory(context):
    for resources in (None, LIMIT):
        expect(boot(context, ["/bin/probe", "kill", "9"], resources), 137, 9, False)


@case(120)
def child_that_is_out_of_memory(context):
    """Its parent lives on, and has its own code."""
    for resources in (None, LIMIT):
        expect(boot(context, ["/bin/sh", "-c", HOG + "exit 3"], resources), 3, 0, False, "hog 137\n")


@case(120)
def killed_by_the_host_after_a_child(context):
    """The child's end is not the entrypoint's, however long ago."""
    for resources in (None, LIMIT):
        outcome = boot(context, ["/bin/sh", "-c", HOG + "sleep 1000"], resources, requests=[(b"hog 137\n", KILL)])
        expect(outcome, 137, 9, False, "hog 137\n")


@case(120)
def fork_bomb(context):
    """Below its limit it keeps PID 1 from nothing: the record leaves, and the machine is off."""
    limit = {"pids": {"limit": 100}}
    for without in ("pid", None):
        expect(boot(context, ["/bin/probe", "bomb", "100000", "7"], limit, without=without), 7, 0, False, "full\n")
        outcome = boot(context, ["/bin/probe", "bomb", "100000"], limit, without=without, requests=[(b"full\n", KILL)])
        expect(outcome, 137, 9, False, "full\n")
