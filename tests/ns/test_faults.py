# SPDX-License-Identifier: Apache-2.0
"""
One system call fails, always: the run either survives or ends in order, with one line and the exit
record, the machine switched off, and an upper disk that is clean. Nothing hangs, nothing is silent.
"""

import errno
import os
import re

from harness import BUILD, case, check, check_equal
from pid1 import File, Machine, base_tree, config_for

DENY = os.path.join(BUILD, "x86_64", "deny")

# Those that the way to the container's root is made of.
CALLS = ("openat2", "fsopen", "fsconfig", "fsmount", "move_mount", "open_tree", "mount_setattr", "fspick",
         "getdents64", "fstatfs", "mkdir", "mkdirat", "mknodat", "symlinkat", "readlinkat", "unlinkat",
         "sethostname", "chroot", "chdir", "fchdir", "umount2", "fcntl", "fadvise64", "socket", "ioctl",
         "openat", "read", "pread64", "epoll_pwait", "fstat", "newfstatat", "mmap", "brk", "sync", "umask", "prctl")
ERRORS = (errno.ENOSYS, errno.EPERM, errno.ENOMEM, errno.EIO)


def numbers():
    found = {}
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", encoding="utf-8") as file:
        for match in re.finditer(r"#define __NR_(\w+) (\d+)", file.read()):
            found[match[1]] = int(match[2])
    return found


def one_call(call):
    def one(c):
        number = numbers()[call]
        with Machine(c) as m:
            m.layer(base_tree())
            image = m.upper()
            with open(DENY, "rb") as file:
                deny = file.read()
            for error in ERRORS:
                run = m.run(config_for("/probe") | {"hostname": "x"}, initramfs={"/deny": File(deny)},
                            command=f"/deny {number} {error} /init")
                code = run.record["code"]
                is_clean = code in (125, 126, 127) and len(run.failures) == 1
                survived = len(run.failures) == 0
                check(is_clean or survived, f"errno {error}: {run.text}")
                check_equal(c.run(["e2fsck", "-fn", image]).code, 0, f"errno {error}: the upper's e2fsck")

    one.__name__ = f"{call}_fails"
    return one


for name in CALLS:
    case()(one_call(name))
