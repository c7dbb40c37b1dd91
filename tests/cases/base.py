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
    "hooks": {},
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
    },
    "mounts": [
        {
            "destination": "/data",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "size=64k"],
        }
    ],
    "linux": {
        "namespaces": [{"type": "pid"}],
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
        "sysctl": {},
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
