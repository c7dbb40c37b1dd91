#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
vm.py [-j N] [PATTERN]: the guest's kernel is without one interface, for init-oci and all its children:
a wrapper is PID 1 first, and executes it under a filter that answers ENOSYS. Which ones: those of
init-oci's calls, as its runs on this machine show them, that Linux has had for fewer years than others
have been in use.
"""

import json
import os
import re
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "vm"), os.path.join(HERE, "..", "ns"), HERE]

import harness  # noqa: E402
from harness import BUILD, case, check, check_equal, check_in  # noqa: E402
from images import config_for, layer, make  # noqa: E402
from machine import Machine, read  # noqa: E402
from runner import NAMES, Room  # noqa: E402
from scenarios import MAPS, SCENARIOS, WITNESS, bind, hook  # noqa: E402
from verdict import differences, facts_of  # noqa: E402

ENOSYS, EIO, UNUSED = 38, 5, 500
IOCTL = 29
# linux/dm-ioctl.h: _IOWR(0xfd, number, struct dm_ioctl), which has 312 bytes
DM_REQUESTS = [(name, 0xC138FD00 + number, stage) for name, number, stage in (
    ("DM_DEV_CREATE", 3, "apply"), ("DM_TABLE_LOAD", 9, "apply"), ("DM_DEV_SUSPEND", 6, "apply"),
    ("DM_TABLE_STATUS", 12, "supervise"))]
FIRST_NEW = 261  # arm64's table: prlimit64 and what came after it
ALSO_NEW = {"unshare", "set_mempolicy", "epoll_create1", "epoll_pwait", "signalfd4"}
PLAIN, LOCK = {}, threading.Lock()
WRAPPED = {"seccomp", "seccompFilters", "calls"}  # facts that the wrapper's own filter changes


def numbers():
    """arm64's calls: name -> number."""
    found = {}
    with open("/usr/aarch64-linux-gnu/include/asm-generic/unistd.h", encoding="utf-8") as file:
        for match in re.finditer(r"#define __NR(?:3264)?_(\w+) (\d+)\n", file.read()):
            found[match[1]] = int(match[2])
    return found


def calls():
    """The new ones among those that init-oci makes in any scenario."""
    names = set()
    for scenario in SCENARIOS:
        room = Room(scenario.name + "-vm", scenario, os.path.join(BUILD, "x86_64", "init-oci"))
        try:
            names |= {NAMES.get(number) for _, number in room.run().calls}
        finally:
            room.close()
    known = numbers()
    return {n: known[n] for n in sorted(names & set(known)) if known[n] >= FIRST_NEW or n in ALSO_NEW}


def config():
    found = config_for(["/probe", "witness", "/tmp/witness"], noNewPrivileges=True, oomScoreAdj=300,
                       scheduler={"policy": "SCHED_BATCH", "nice": 3},
                       rlimits=[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}])
    found["mounts"] += [{"destination": "/mapped", "type": "tmpfs", "source": "t", "options": ["idmap", "mode=755"],
                         "uidMappings": MAPS, "gidMappings": MAPS},
                        bind("/init-oci", "/file", "ro"),
                        {"destination": "/tree", "type": "bind", "source": "/dev", "options": ["rbind", "rro"]}]
    found["hooks"] = {"startContainer": [hook("/probe", "exit", 0, timeout=5)]}
    found["linux"] |= {
        "namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount", "cgroup", "time")],
        "timeOffsets": {"monotonic": {"secs": 86400}}, "memoryPolicy": {"mode": "MPOL_PREFERRED", "nodes": "0"},
        "cgroupsPath": "/box",
        "resources": {"pids": {"limit": 50}, "devices": [{"allow": False, "access": "rwm"},
                                                         {"allow": True, "type": "c", "major": 1, "access": "rw"}]},
        "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_AARCH64"],
                    "syscalls": [{"names": ["kexec_load", "swapon"], "action": "SCMP_ACT_ERRNO"}]},
    }
    return found


def denied(context, what, call, error):
    machine = Machine(context, what, f"-- {call} {error} /init-oci")
    machine.files |= {"init": (0o100755, read(os.path.join(BUILD, "aarch64", "deny"))),
                      "init-oci": (0o100755, read(os.environ.get("SUPERMACHINE_INIT_OCI_PATH", harness.INIT)))}
    return machine


def boot(context, number):
    tree = context.path("tree")
    for name in ("proc", "sys", "dev", "etc", "tmp"):
        os.makedirs(os.path.join(tree, name), exist_ok=True)
    context.tool("cp", harness.PROBE, os.path.join(tree, "probe"))
    image = make(context, "squashfs", tree, context.path(f"{number}.squashfs"))
    upper = make(context, "ext4", os.path.dirname(layer(context, f"empty{number}", {})) + f"/tree-empty{number}",
                 context.path(f"{number}.ext4"))
    machine = denied(context, config(), number, ENOSYS)
    outcome = machine.disk(image, "smk-layer-000").disk(upper, "smk-upper", readonly=False).boot()
    return outcome, upper


def facts_in(outcome):
    facts = facts_of(outcome.out, is_here=False)
    return {key: value for key, value in facts.items() if key not in WRAPPED}


def plain_facts(context):
    """Of a boot that lacks nothing; one for all cases."""
    with LOCK:
        if not PLAIN:
            PLAIN.update(facts_in(boot(context, UNUSED)[0].expect(0)))
    return PLAIN


def without(name, number):
    def run(context):
        plain = plain_facts(context)
        outcome, upper = boot(context, number)
        record = outcome.record or outcome.console_record
        lines = [l for l in outcome.console.splitlines() if "init-oci: fatal: " in l]
        check("panic" not in outcome.console, f"a panic: {outcome.console[-600:]!r}")
        check(record is not None, f"no exit record: {outcome.console[-600:]!r}")
        check_equal(context.run(["e2fsck", "-fn", upper]).code, 0, "the upper's e2fsck")
        if record["code"] == 0:
            check_equal(lines, [], "failures")
            check_equal(list(differences(facts_in(outcome), plain)), [], "facts")
            check(WITNESS in read(upper), "the workload's file is not on the disk")
            return
        is_ours = record["phase"] == "setup" or record["failure"]["stage"] == "supervise"
        check((record["code"], is_ours, len(lines)) == (125, True, 1), f"{record}, console {lines}")
        print(f"  without {name}: {lines[0]}", flush=True)

    run.__name__ = "without_" + name
    case(60)(run)


def verity_without(name, request, stage):
    """A layer behind dm-verity, and one of the device mapper's requests fails: no layer that is not checked."""
    def run(context):
        directory = context.path("baked")
        context.smk("bake", "--verity", harness.bundle(context, ["/bin/probe", "exit", "0"]), directory).expect(0)
        with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as file:
            layer_path = json.load(file)["layers"][0]["path"]
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            machine = denied(context, json.load(file), f"{IOCTL}:{request}", EIO)
        outcome = machine.disk(os.path.join(directory, layer_path), "smk-layer-000").boot()
        lines = [l for l in outcome.console.splitlines() if "init-oci: fatal: " in l]
        check_equal((outcome.record["code"], len(lines)), (125, 1), f"code and lines of {outcome.console[-600:]!r}")
        check_in(f"init-oci: fatal: {stage}: <builtin:layer/000>: ", lines[0])
        check_in(f"ioctl({name}): I/O error (errno 5)", lines[0])

    run.__name__ = "verity_without_" + name.lower()
    case(60)(run)


for name_, number_ in calls().items():
    without(name_, number_)
for name_, number_, stage_ in DM_REQUESTS:
    verity_without(name_, number_, stage_)
sys.exit(harness.main("fault-vm", sys.argv[1:]))
