# SPDX-License-Identifier: Apache-2.0
"""One occurrence of a call fails, in a case of its own; tests/fault/ does that for all of them."""

import subprocess

from harness import wait_until


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
