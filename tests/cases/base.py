# SPDX-License-Identifier: Apache-2.0
"""A configuration that has every field, and what the other parts need of it."""
import copy

U32 = 2**32 - 1
U64 = 2**64 - 1
ID_MAX = U32 - 1
MIB = "x" * 2**20
FATAL = "init-oci: fatal: parse: "

BASE = {
    "ociVersion": "1.2.0",
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "box",
    "domainname": "example.org",
    "annotations": {"a.b": "c"},
    "hooks": {
        kind: [{"path": "/bin/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}]
        for kind in ("prestart", "createRuntime", "createContainer", "startContainer",
                     "poststart", "poststop")
    },
    "process": {
        "terminal": True,
        "consoleSize": {"height": 25, "width": 80},
        "args": ["/bin/sh"],
        "env": ["A=b"],
        "cwd": "/",
        "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [5]},
        "capabilities": {
            key: ["CAP_KILL"]
            for key in ("bounding", "effective", "inheritable", "permitted", "ambient")
        },
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": U64}],
        "noNewPrivileges": True,
        "oomScoreAdj": 100,
        "scheduler": {
            "policy": "SCHED_DEADLINE",
            "nice": 0,
            "priority": 0,
            "flags": ["SCHED_FLAG_RESET_ON_FORK"],
            "runtime": 1,
            "deadline": 2,
            "period": U64,
        },
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
        "execCPUAffinity": {"initial": "0", "final": "0-3,7"},
    },
    "mounts": [
        {
            "destination": "/data",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "size=64k"],
            "uidMappings": [{"containerID": 0, "hostID": 1, "size": 2}],
            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 2}],
        }
    ],
    "linux": {
        "namespaces": [{"type": "pid", "path": "/proc/1/ns/pid"}, {"type": "user"},
                       {"type": "time"}],
        "uidMappings": [{"containerID": 0, "hostID": 1, "size": ID_MAX}],
        "gidMappings": [{"containerID": 0, "hostID": 1, "size": ID_MAX}],
        "timeOffsets": {
            "monotonic": {"secs": -1, "nanosecs": 5},
            "boottime": {"secs": 1, "nanosecs": 0},
        },
        "cgroupsPath": "/a",
        "rootfsPropagation": "rslave",
        "maskedPaths": ["/proc/kcore"],
        "readonlyPaths": ["/proc/sys"],
        "personality": {"domain": "LINUX", "flags": []},
        "netDevices": {"eth0": {"name": "lan0"}},
        "memoryPolicy": {
            "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
        "seccomp": {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 38,
            "architectures": ["SCMP_ARCH_AARCH64"],
            "flags": ["SECCOMP_FILTER_FLAG_LOG"],
            "listenerPath": "",
            "listenerMetadata": "",
            "syscalls": [{
                "names": ["read"],
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": 1,
                "args": [{"index": 0, "value": U64, "valueTwo": 0, "op": "SCMP_CMP_EQ"}],
            }],
        },
        "resources": {
            "devices": [
                {"allow": False, "type": "c", "major": 1, "minor": 3, "access": "rwm"}],
            "memory": {
                "limit": 0, "reservation": 5, "swap": -1, "useHierarchy": True,
                "checkBeforeUpdate": True, "disableOOMKiller": False},
            "cpu": {
                "shares": 1024, "quota": 1, "burst": 1, "period": 1, "idle": 0,
                "cpus": "0", "mems": "0"},
            "pids": {"limit": 5},
            "blockIO": {
                "weight": 10,
                "weightDevice": [{"major": 8, "minor": 0, "weight": 10}],
                "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": U64}],
                "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": U64}],
                "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": U64}],
                "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": U64}],
            },
            "hugepageLimits": [{"pageSize": "2MB", "limit": U64}],
            "network": {"classID": 1},
            "rdma": {"mlx5_0": {"hcaHandles": 1, "hcaObjects": 2}},
            "unified": {"memory.high": "1"},
        },
        "devices": [
            {
                "type": "c",
                "path": "/dev/fuse",
                "major": 10,
                "minor": 229,
                "fileMode": 438,
                "uid": 0,
                "gid": 0,
            }
        ],
        "sysctl": {"kernel.msgmax": "1"},
    },
}


def shown(text):
    return '"%s"' % text[:40]


def put(config, pointer, value, remove=False):
    keys = pointer.split("/")[1:]
    at = config
    for key in keys[:-1]:
        at = at[int(key)] if isinstance(at, list) else at[key]
    last = int(keys[-1]) if isinstance(at, list) else keys[-1]
    if not remove:
        at[last] = value
    elif isinstance(at, list) or last in at:
        del at[last]


def changed(pointer, value):
    config = copy.deepcopy(BASE)
    put(config, pointer, value)
    return config
