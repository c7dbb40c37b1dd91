# SPDX-License-Identifier: Apache-2.0
"""What the sweep runs: configurations that between them make every system call that init-oci knows."""

import json
import os
import struct
import time

from harness import BASE_CONFIG
from pid1 import Directory, Link
from session import CREDIT, DATA, END, STDIN, STDOUT, WINDOW

LIMIT = 5  # seconds; a run without a fault takes 0.02
WITNESS = b"the probe was here\n"
MAPS = [{"containerID": 0, "hostID": 1000, "size": 10}, {"containerID": 10, "hostID": 2000, "size": 10}]
EVERYBODY = [{"containerID": 0, "hostID": 0, "size": 65536}]


def close_input(session):
    if session.socket:
        session.send(DATA, STDIN, flags=END)


class Scenario:
    """
    config: a function of the Room, or a dict; drive: what the host does before it waits for the end.
    is_exact: stdout is compared as bytes, not as the probe's facts.
    """

    def __init__(self, name, config, drive=close_input, changes=None, has_upper=False, cmdline="", is_exact=True,
                 has_channel=True, code=0):
        self.name, self._config, self.drive = name, config, drive
        self.changes, self.has_upper, self.cmdline, self.is_exact = changes, has_upper, cmdline, is_exact
        self.has_channel, self.code = has_channel, code

    def config(self, room):
        return self._config(room) if callable(self._config) else self._config


def minimal(*args, linux=None, **process):
    return {"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "linux": linux or {},
            "process": {"args": [str(a) for a in args], "cwd": "/", "user": {"uid": 0, "gid": 0}} | process}


def base(*args):
    with open(BASE_CONFIG, encoding="utf-8") as file:
        config = json.load(file)
    config["process"] |= {"args": list(args), "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 1024}]}
    return config


def namespaces(*kinds):
    return [{"type": k} if isinstance(k, str) else {"type": k[0], "path": k[1]} for k in kinds]


def hook(*args, **more):
    return {"path": args[0], "args": [str(a) for a in args], "env": ["HOOK=1"]} | more


def bind(source, destination, *options, **more):
    return {"type": "bind", "source": source, "destination": destination, "options": ["bind", *options]} | more


def rich(room):
    config = base("/probe", "witness", "/work/witness")
    config["process"] |= {
        "user": {"uid": 9, "gid": 9, "umask": 0o027, "additionalGids": [5, 6]}, "cwd": "/work",
        "env": ["PATH=/", "A=1"], "oomScoreAdj": 300, "noNewPrivileges": True,
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                    {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}],
        "scheduler": {"policy": "SCHED_BATCH", "nice": 3},
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6},
        "execCPUAffinity": {"initial": "0", "final": "0-1"},
    }
    for kind in ("ambient", "inheritable", "permitted", "effective", "bounding"):
        config["process"]["capabilities"][kind] = ["CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    config["mounts"] += [
        {"destination": "/etc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "mode=755"]},
        bind("/init", "/work/mapped", uidMappings=MAPS, gidMappings=MAPS),
        bind("/init", "/work/file", "ro", "nosuid"),
        {"destination": "/work/tree", "type": "bind", "source": "/proc", "options": ["rbind", "rro", "rnoexec"]},
        {"destination": "/work/tmp", "type": "tmpfs", "source": "t", "options": ["size=1m", "shared", "noatime"]},
    ]
    config |= {"hostname": "rich", "domainname": "example",
               "annotations": {"a": "b", "dev.supermachine.volume.000": "/etc", "dev.supermachine.volume.001": "/made"}}
    config["hooks"] = {"createContainer": [hook("/init", "--version", timeout=5)],
                       "startContainer": [hook("/probe", "put", "text", "/work/tmp/hooked"), hook("/probe", "cat")]}
    config["linux"] |= {
        "namespaces": namespaces("pid", "ipc", "uts", "mount", "cgroup", "time", "network"),
        "timeOffsets": {"monotonic": {"secs": 86400}, "boottime": {"secs": 172800, "nanosecs": 5}},
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"], "readonlyPaths": ["/proc/sys", "/proc/bus"],
        "sysctl": {"kernel.msgmax": "9000", "net.ipv4.ip_forward": "1", "kernel.domainname": "example"},
        "devices": [{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 1, "gid": 2},
                    {"type": "p", "path": "/work/pipe"}],
        "rootfsPropagation": "slave", "personality": {"domain": "LINUX"},
        "memoryPolicy": {"mode": "MPOL_PREFERRED", "nodes": "0"},
        "cgroupsPath": "/" + os.path.basename(room.cgroup),
        "resources": {"devices": [{"allow": False, "access": "rwm"},
                                  {"allow": True, "type": "c", "major": 1, "access": "rw"}]},
        "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                    "syscalls": [{"names": ["kexec_load", "swapon", "acct"], "action": "SCMP_ACT_ERRNO"},
                                 {"names": ["personality"], "action": "SCMP_ACT_ERRNO",
                                  "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 8}]}]},
    }
    return config


def user(room):
    config = base("/probe", "witness", "/tmp/witness")
    config["process"] |= {"user": {"uid": 7, "gid": 7, "additionalGids": [8]}, "oomScoreAdj": 500,
                          "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]}
    config["mounts"] += [bind("/init", "/mapped", uidMappings=MAPS, gidMappings=MAPS)]
    config["hostname"] = "inner"
    config["linux"] |= {"namespaces": namespaces("user", "pid", "ipc", "uts", "mount", "cgroup", "time"),
                        "uidMappings": EVERYBODY, "gidMappings": EVERYBODY,
                        "timeOffsets": {"monotonic": {"secs": 1 << 20}},
                        "sysctl": {"kernel.msgmax": "9000"}, "maskedPaths": ["/proc/kcore"],
                        "readonlyPaths": ["/proc/sys"]}
    return config


def mounts(room):
    config = minimal("/probe", "witness", "/witness")
    config["mounts"] = [
        bind("/proc", "/tree", "rbind", "rrw", "rexec"),
        {"destination": "/tmpfs", "type": "tmpfs", "source": "t", "options": ["size=1m"]},
        {"destination": "/tmpfs", "type": "tmpfs", "options": ["remount", "ro", "size=2m"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs"},
        {"destination": "/sys", "options": ["remount", "nosuid"]},
    ]
    config["linux"] = {"devices": [{"type": "c", "path": "/made/null", "major": 1, "minor": 3, "gid": 7}]}
    return config


def joined(room):
    kinds = (("ipc", "ipc"), ("uts", "uts"), ("network", "net"), ("cgroup", "cgroup"), ("pid", "pid"))
    return minimal("/probe", linux={"namespaces": namespaces(*((k, f"/proc/1/ns/{n}") for k, n in kinds))})


def by_name(room):
    """A user whom the image names, in a directory that it lacks; name servers in place of its link."""
    return minimal("/probe", cwd="/new/place") | {"annotations": {"dev.supermachine.user": "9:9"}}


def hook_fails(room):
    return minimal("/probe") | {"hooks": {"startContainer": [hook("/probe", "exit", 3)]}}


def pump_until(session, condition):
    """False when the run is over, or stuck, before that: what it was worth is judged afterwards."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end or not session.pump(0.1):
            return False
    return True


def send_signals(session):
    """Three, one after the other, so that their order is that of the output; again when it is answered so."""
    wanted = b"ready\n"
    for sig in (10, 34, 15):
        if not pump_until(session, lambda: wanted in session.output[STDOUT]):
            return
        session.request(type="signal", id=sig, signal=sig)
        wanted = b"signal %d\n" % sig
        errors = len(session.errors)
        if pump_until(session, lambda: wanted in session.output[STDOUT] or len(session.errors) > errors) \
                and wanted not in session.output[STDOUT]:
            session.request(type="signal", id=sig, signal=sig)


def hold_back(session):
    """A window of output without credit, then the credit; a window of input meanwhile."""
    session.is_crediting = False
    data = bytes(range(256)) * (WINDOW // 256)
    for at in range(0, WINDOW, WINDOW // 8):
        session.send(DATA, STDIN, data[at:at + WINDOW // 8])
    if not pump_until(session, lambda: len(session.output[STDOUT]) == WINDOW):
        return
    session.is_crediting = True
    session.send(DATA, STDIN, b"the end", flags=END)
    session.send(CREDIT, STDOUT, struct.pack("<I", WINDOW))


SCENARIOS = [
    Scenario("default", lambda room: base("/probe", "witness", "/witness"), has_upper=True, is_exact=False),
    Scenario("rich", rich, has_upper=True, is_exact=False,
             changes={"/work": Directory(0o777), "/etc/passwd": "nine:x:9:9::/work:/bin/sh\n", "/etc/x/y": "copied"}),
    Scenario("user", user, has_upper=True, is_exact=False, changes={"/tmp": Directory(0o777)}),
    Scenario("mounts", mounts, has_upper=True, is_exact=False),
    Scenario("joined", joined, is_exact=False),
    Scenario("terminal", lambda room: minimal("/probe", terminal=True, consoleSize={"width": 81, "height": 26}),
             is_exact=False),
    Scenario("by-name", by_name, is_exact=False, changes={"/etc/resolv.conf": Link("../run/resolv.conf")},
             cmdline="smk.dns=192.0.2.1"),
    Scenario("missing", lambda room: minimal("/nosuch"), has_upper=True, code=127),
    Scenario("hook-fails", hook_fails, has_upper=True, code=125),
    Scenario("signals", lambda room: minimal("/probe", "signals", 3), drive=send_signals),
    Scenario("storm", lambda room: minimal("/probe", "storm", 34, 50)),
    Scenario("orphans", lambda room: minimal("/probe", "burst", 3, 42, 20), code=42),
    Scenario("streams", lambda room: minimal("/probe", "cat"), drive=hold_back),
    Scenario("console", lambda room: minimal("/probe", "both"), has_channel=False),
]
