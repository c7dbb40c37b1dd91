# SPDX-License-Identifier: Apache-2.0
"""
One occurrence of one system call fails, of PID 1 or of the child before its execve: each of the calls
that spawn, supervise and report make, with errors that happen and some that do not. The run survives
with the right code, or ends with one line and the record; nothing hangs and nothing is silent.
"""

import subprocess

from harness import case, check, wait_until
from session import DATA, END, STDIN, Guest

CODE = 42
OWN = ("wait4", "pipe2", "epoll_create1", "signalfd4", "epoll_ctl", "epoll_pwait", "writev", "readv", "write", "kill",
       "rt_sigprocmask", "ioctl", "fcntl", "clone3", "clone", "poll", "umount2", "sync")
CHILDS = ("setsid", "dup2", "fchdir", "openat2", "move_mount", "chroot", "setgroups", "setresuid", "setresgid", "capset", "getcwd",
          "close_range", "prctl", "reboot")
ERRORS = ("EINTR", "EAGAIN", "ENOMEM", "EPERM")
OCCURRENCES = 8  # of a call; fewer when it is not called so often


def is_traced(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return "TracerPid:\t0" not in file.read()


class Tracer:
    """Of a PID 1 that waits at its gate: one occurrence of a call fails."""

    def __init__(self, c, pid, call, error, when, with_child=False):
        self.log = c.path("strace")
        self.process = c.popen(["strace", "-q", "-o", self.log, *(["-f"] if with_child else []), "-e", f"trace={call}",
                                "-e", f"inject={call}:error={error}:when={when}", "-p", str(pid)],
                               stderr=subprocess.DEVNULL)
        wait_until(lambda: is_traced(pid), 5, "tracer")

    def has_injected(self):
        """After the run."""
        self.process.wait(5)
        with open(self.log, encoding="utf-8") as file:
            return "INJECTED" in file.read()


def inject(c, guest, call, error, when, with_child):
    """A run with the fault; None when the call is not made so often."""
    session = guest.start("/probe", "burst", 3, CODE, 20, gate=True, capabilities={})
    tracer = Tracer(c, session.pid_1(), call, error, when, with_child)
    session.open_gate()
    session.send(DATA, STDIN, flags=END)
    session.finish(10, ends=(0, 1))
    return session if tracer.has_injected() else None


def sweep(call, with_child):
    def one(c):
        with Guest(c) as guest:
            for when in range(1, OCCURRENCES + 1):
                for error in ERRORS:
                    what = f"{error} of {call} number {when}"
                    session = inject(c, guest, call, error, when, with_child)
                    if session is None:
                        check(when > 1, f"{call} is never called")
                        return
                    code, failures = session.record["code"], len(session.failures)
                    check((code == CODE and failures == 0) or (code in (125, 126, 127) and failures == 1),
                          f"{what}: {session}")

    one.__name__ = f"sweep_{call}"
    return one


for name in OWN:
    case(150)(sweep(name, False))
for name in CHILDS:
    case(150)(sweep(name, True))
