# SPDX-License-Identifier: Apache-2.0
"""How long PID 1 takes to reap 10,000 orphans that end at once: init-oci and tini, side by side, each as
PID 1 of namespaces of this machine. The probe measures, from their end until none is left."""
import os
import statistics
import sys
import tempfile

import machine

sys.path += [os.path.join(machine.TOP, "tests", name) for name in ("vm", "ns")]

from harness import Context  # noqa: E402
from pid1 import PROBE  # noqa: E402
from session import Guest  # noqa: E402

COUNT = 10000
ROUNDS = 7
TINI = ["unshare", "--pid", "--fork", "--mount", "--net", "--ipc", "--uts", "--cgroup", "--kill-child", "sh", "-c",
        'mount -t proc proc /proc; exec tini -- "$0" "$@"', PROBE]


def milliseconds(output):
    return int(output.decode().split()[1]) / 1e3


def measure():
    """Medians of init-oci and tini in milliseconds, taken in turns, and the median of each turn's ratio."""
    turns = []
    with tempfile.TemporaryDirectory() as directory:
        context = Context("reap", os.path.join(directory, "reap"), 300)
        try:
            with Guest(context) as guest:
                for _ in range(ROUNDS):
                    own = guest.run("/probe", "reap", COUNT).expect()
                    other = context.tool(*TINI, "reap", str(COUNT))
                    turns.append((milliseconds(own.output[1]), milliseconds(other.out)))
        finally:
            context.finish()
    own, other = ([turn[i] for turn in turns] for i in (0, 1))
    return statistics.median(own), statistics.median(other), statistics.median(t / o for o, t in turns)
