#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hook: hook.py LOG NAME [ACTION [ARGUMENT]]. Adds a line of JSON to the log, then acts."""

import json
import os
import signal
import subprocess
import sys
import time


def ended(code):
    sys.exit(int(code))


def words(text):
    """Some lines, the last on stderr, and a failure."""
    print("first\n")
    sys.stdout.flush()
    print(text, file=sys.stderr)
    sys.exit(3)


def killed(number):
    os.kill(os.getpid(), int(number))


def sleeps(seconds):
    time.sleep(float(seconds))


def waits(path):
    """Until a file is there, and then fails when the file says so."""
    while not os.path.exists(path):
        time.sleep(0.01)
    with open(path, encoding="utf-8") as file:
        sys.exit(int(file.read() or 0))


def closes_and_waits(path):
    os.close(1)
    os.close(2)
    waits(path)


def leaves(program):
    """A process behind that holds all streams; its number goes to the log's neighbour."""
    child = subprocess.Popen(["/bin/sh", "-c", program])
    with open(sys.argv[1] + ".left", "w", encoding="utf-8") as file:
        file.write(str(child.pid))


def leaves_and_sleeps(program):
    leaves(program)
    time.sleep(600)


def kills_vmm(_):
    os.kill(FACTS["state"]["pid"], signal.SIGKILL)


def texts(path):
    with open(path, "rb") as file:
        return file.read().decode().split("\0")[:-1]


def main():
    facts = {"name": sys.argv[2], "args": texts("/proc/self/cmdline"), "env": texts("/proc/self/environ"),
             "cwd": os.getcwd(), "session": os.getsid(0) == os.getpid(), "pid": os.getpid(),
             "fds": [os.readlink(f"/proc/self/fd/{n}") for n in range(64) if os.path.exists(f"/proc/self/fd/{n}")]}
    if sys.argv[3:4] != ["deaf"]:
        facts["state"] = json.loads(sys.stdin.read())
        facts["at_end"] = sys.stdin.read() == ""
        try:
            facts["exe"] = os.readlink(f"/proc/{facts['state']['pid']}/exe")
        except OSError:
            facts["exe"] = ""
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        log.write(json.dumps(facts) + "\n")
    return facts


def deaf(_):
    pass


FACTS = main()
if sys.argv[3:]:
    globals()[sys.argv[3]](sys.argv[4])
