# SPDX-License-Identifier: Apache-2.0
"""How the kernel runs the entrypoint, and what the kernel itself is told."""

import errno
import os

from harness import case, check_equal
from session import Guest
from test_namespaces import config_with, user_config


def run(guest, linux=None, args=("/probe",), **process):
    config = {
        "ociVersion": "1.3.0",
        "process": {"args": list(args), "cwd": "/", "user": {"uid": 0, "gid": 0}} | process,
        "root": {"path": "rootfs"},
        "linux": linux or {},
    }
    return guest.run(config=config)


@case()
def schedulers(c):
    wanted = {
        "SCHED_OTHER": ({"nice": 7}, {"policy": 0, "nice": 7}),
        "SCHED_BATCH": ({"nice": -3}, {"policy": 3, "nice": -3}),
        "SCHED_IDLE": ({}, {"policy": 5}),
        "SCHED_FIFO": ({"priority": 11, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
                       {"policy": 1, "priority": 11, "flags": 1}),
        "SCHED_RR": ({"priority": 99}, {"policy": 2, "priority": 99}),
        "SCHED_DEADLINE": ({"runtime": 1000000, "deadline": 20000000, "period": 30000000},
                           {"policy": 6, "runtime": 1000000, "deadline": 20000000, "period": 30000000}),
    }
    with Guest(c) as guest:
        for policy, (values, facts) in wanted.items():
            got = run(guest, scheduler={"policy": policy} | values).expect().facts["scheduler"]
            check_equal({name: got[name] for name in facts}, facts, policy)
        got = run(guest).expect().facts["scheduler"]
        check_equal((got["policy"], got["nice"]), (0, 0), "default")


@case()
def scheduler_of_a_user(c):
    """It is set while that is allowed: a user without capabilities may not raise its priority."""
    with Guest(c) as guest:
        facts = run(guest, scheduler={"policy": "SCHED_RR", "priority": 5}, user={"uid": 9, "gid": 9},
                    capabilities={}, ioPriority={"class": "IOPRIO_CLASS_RT", "priority": 2}).expect().facts
        check_equal((facts["uid"], facts["scheduler"]["priority"]), ([9] * 3, 5), "uid and priority")
        check_equal(facts["ioPriority"], [1, 2], "ioPriority")


@case()
def priorities_in_a_user_namespace(c):
    """PID 1 sets what only the machine's root may, also for a child that hands its terminal over."""
    wanted = {
        "SCHED_OTHER": ({"nice": -5}, {"policy": 0, "nice": -5}),
        "SCHED_FIFO": ({"priority": 11}, {"policy": 1, "priority": 11}),
        "SCHED_DEADLINE": ({"runtime": 1000000, "deadline": 20000000, "period": 30000000},
                           {"policy": 6, "runtime": 1000000, "deadline": 20000000, "period": 30000000}),
    }
    linux = {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}, "personality": {"domain": "LINUX32"}}
    with Guest(c) as guest:
        for policy, (values, facts) in wanted.items():
            for terminal in (False, True):
                config = user_config("uts", scheduler={"policy": policy} | values, terminal=terminal,
                                     ioPriority={"class": "IOPRIO_CLASS_RT", "priority": 2})
                config["linux"] |= linux
                got = guest.run(config=config).expect().facts
                check_equal({name: got["scheduler"][name] for name in facts}, facts, policy)
                check_equal((got["ioPriority"], got["memoryPolicy"], got["personality"]), ([1, 2], 2, 8), policy)
        config = user_config(scheduler={"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4, "period": 3})
        guest.run(config=config).expect_failure(125, "spawn: /process/scheduler: sched_setattr")


@case()
def hooks_do_not_have_the_priority(c):
    """A hook of createContainer runs before: a process with a deadline could not even fork."""
    hooks = {"createContainer": [{"path": "/init", "args": ["init", "--version"]}]}
    with Guest(c) as guest:
        for config in (config_with("uts"), user_config("uts")):
            config["hooks"] = hooks
            config["process"]["scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000,
                                              "period": 30000000}
            check_equal(guest.run(config=config).expect().facts["scheduler"]["policy"], 6, "policy")


@case()
def scheduler_that_the_kernel_refuses(c):
    with Guest(c) as guest:
        run(guest, scheduler={"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4, "period": 3}).expect_failure(
            125, "spawn: /process/scheduler: sched_setattr", f"(errno {errno.EINVAL})")


@case()
def io_priorities(c):
    classes = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
    with Guest(c) as guest:
        for name, number in classes.items():
            got = run(guest, ioPriority={"class": name, "priority": 0 if number == 3 else 6}).expect().facts
            check_equal(got["ioPriority"], [number, 0 if number == 3 else 6], name)


@case()
def execution_domains(c):
    with Guest(c) as guest:
        facts = run(guest, {"personality": {"domain": "LINUX32"}}).expect().facts
        check_equal((facts["personality"], facts["machine"]), (8, "i686"), "LINUX32")
        facts = run(guest, {"personality": {"domain": "LINUX"}}).expect().facts
        check_equal((facts["personality"], facts["machine"]), (0, "x86_64"), "LINUX")


@case()
def memory_policies(c):
    """get_mempolicy's modes; static nodes are the flag 1 << 15."""
    wanted = {
        "MPOL_BIND": ({"nodes": "0"}, 2, 1),
        "MPOL_PREFERRED": ({"nodes": "0"}, 1, 1),
        "MPOL_INTERLEAVE": ({"nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, 3 | 1 << 15, 1),
        "MPOL_LOCAL": ({"nodes": ""}, 4, 0),
    }
    with Guest(c) as guest:
        for mode, (values, number, nodes) in wanted.items():
            facts = run(guest, {"memoryPolicy": {"mode": mode} | values}).expect().facts
            check_equal((facts["memoryPolicy"], facts["memoryNodes"]), (number, nodes), mode)
        run(guest, {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "60"}}).expect_failure(
            125, "spawn: /linux/memoryPolicy: set_mempolicy", f"(errno {errno.EINVAL})")


@case()
def kernel_parameters(c):
    """Written in the namespaces of the container: the machine's own value stays."""
    with open("/proc/sys/kernel/shmmni", encoding="ascii") as file:
        before = file.read()
    linux = {"sysctl": {"kernel.shmmni": "1234", "kernel.msgmax": "8191", "fs.mqueue.queues_max": "17"},
             "namespaces": [{"type": "ipc"}, {"type": "mount"}]}
    paths = ("/proc/sys/kernel/shmmni", "/proc/sys/kernel/msgmax", "/proc/sys/fs/mqueue/queues_max")
    with Guest(c) as guest:
        session = run(guest, linux, ["/probe", "show", *paths])
        session.expect(out=b"1234\n8191\n17\n")
    with open("/proc/sys/kernel/shmmni", encoding="ascii") as file:
        check_equal(file.read(), before, "the machine's own shmmni")


@case()
def kernel_parameters_that_are_refused(c):
    with Guest(c) as guest:
        for name, value, number in (("kernel.no_such_thing", "1", errno.ENOENT),
                                    ("kernel.shmmni", "x", errno.EINVAL),
                                    ("kernel.osrelease", "5.0", errno.EACCES)):
            session = run(guest, {"sysctl": {name: value}, "namespaces": [{"type": "ipc"}, {"type": "mount"}]})
            session.expect_failure(125, f"/linux/sysctl/{name}: ", f"(errno {number})")


@case()
def cpus_of_later_processes(c):
    """execCPUAffinity is not for the first process, says the specification."""
    with Guest(c) as guest:
        facts = run(guest, execCPUAffinity={"initial": "0", "final": "0"}).expect().facts
        check_equal(facts["cpus"], sorted(os.sched_getaffinity(0)), "cpus")
