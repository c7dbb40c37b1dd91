# SPDX-License-Identifier: Apache-2.0
"""Whom PID 1 talks to in its own procfs: the kernel and nobody else, and from its own namespaces."""

import errno
import os

from harness import case, check, check_equal, children_of
from session import Guest
from test_namespaces import config_with

# In the mount namespace of the process $1, in which there are no programs: a file of a tmpfs over $2.
COVER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def need(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
namespace = os.open(f"/proc/{sys.argv[1]}/ns/mnt", os.O_RDONLY)
need(libc.setns(namespace, 0))
open("/fake", "w").close()
need(libc.mount(b"/fake", sys.argv[2].encode(), None, 4096, None))
"""

PARAMETER = "/proc/sys/kernel/ctrl-alt-del"


@case()
def parameter_that_is_another_file(c):
    """Below init-oci's own procfs somebody has put a file of another file system."""
    with open(PARAMETER, encoding="ascii") as file:
        linux = {"sysctl": {"kernel.ctrl-alt-del": file.read().strip()}}  # what it is: no harm is done
    with Guest(c) as guest:
        session = guest.start(config=config_with(linux=linux), gate=True)
        pid = session.pid_1()
        c.tool("python3", "-c", COVER, str(pid), PARAMETER)
        session.open_gate()
        session.finish().expect_failure(125, "/linux/sysctl/kernel.ctrl-alt-del: ", f"(errno {errno.EXDEV})")


@case()
def pid_1_stays_in_its_pid_namespace(c):
    """After its child was born in another one, which its own later children must not be."""
    with Guest(c) as guest:
        config = config_with(("pid", "/proc/3/ns/pid"), args=["/probe", "sleep", "60"])
        session = guest.start(config=config, gate=True)
        pid = session.pid_1()
        holder = c.popen(["nsenter", f"--pid=/proc/{pid}/ns/pid", "unshare", "--pid", "--fork", "sh", "-c",
                          "echo ready; exec sleep 60"], stdout=-1)
        check_equal(holder.stdout.readline(), b"ready\n", "the other namespace's init")
        inner = os.readlink(f"/proc/{children_of(children_of(holder.pid)[0])[0]}/ns/pid")
        session.open_gate()
        session.wait_started()
        own = os.readlink(f"/proc/{pid}/ns/pid")
        check(inner != own, "there is no other namespace")
        check_equal(os.readlink(f"/proc/{pid}/ns/pid_for_children"), own, "PID 1's children's namespace")
        session.request(type="signal", signal=9)
        session.finish().expect(137, 9)
