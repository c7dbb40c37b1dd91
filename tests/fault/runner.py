# SPDX-License-Identifier: Apache-2.0
"""One run of a scenario with at most one fault in it, and what it left behind."""

import errno
import json
import os
import re
import subprocess

from harness import BUILD, Context, Failure
from scenarios import LIMIT
from session import Guest, Session

INJECT = os.path.join(BUILD, "x86_64", "inject")


def syscall_names():
    names = {}
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", encoding="utf-8") as file:
        for match in re.finditer(r"#define __NR_(\w+) (\d+)", file.read()):
            names[int(match[2])] = match[1]
    return names


ALLOCATION = 500  # what alloc.c makes before each
NAMES = syscall_names() | {ALLOCATION: "malloc"}


class Fault:
    """The n-th call of one kind, by one role, returns an error."""

    def __init__(self, role, number, occurrence, error):
        self.role, self.number, self.occurrence, self.error = role, number, occurrence, error

    @property
    def call(self):
        return NAMES.get(self.number, str(self.number))

    @property
    def text(self):
        return f"{self.role}:{self.number}:{self.occurrence}:{getattr(errno, self.error)}"

    def __str__(self):
        return f"{self.role} {self.call} #{self.occurrence} {self.error}"


class Outcome:
    """session: what the host saw; why: the reason when it did not end in order; calls: role, number -> count."""

    def __init__(self, session, why, report, snapshot):
        self.session, self.why, self.snapshot = session, why, snapshot
        self.calls, self.is_injected, self.end = {}, False, None
        for line in report.splitlines():
            word, *rest = line.split()
            if word == "call":
                self.calls[rest[0], int(rest[1])] = int(rest[2])
            elif word == "injected":
                self.is_injected = True
            elif word == "end":
                self.end = int(rest[0])


class Room:
    """
    Where one worker runs a scenario again and again: a layer, an upper disk that is fresh each time,
    and the directory of the launcher.
    """

    def __init__(self, name, scenario, init):
        self.scenario = scenario
        directory = os.path.join(BUILD, "test-fault", f"{name}.{os.getpid()}")
        subprocess.run(["rm", "-rf", "--", directory], check=False)
        self.context = Context(name, directory, 86400)
        self.guest = Guest(self.context, scenario.changes)
        self.image = None
        self.cgroup = f"/sys/fs/cgroup/unified/fault.{os.path.basename(directory)}"
        if scenario.has_upper:
            self.image = self.guest.upper(size="4M")
            with open(self.image, "rb") as file:
                self.fresh = file.read()
        self.directory = self.context.path("run")
        for part in ("root", "initramfs", "block"):
            os.makedirs(os.path.join(self.directory, part))
        os.symlink(init, os.path.join(self.directory, "initramfs", "init"))
        config = scenario.config(self)
        with open(os.path.join(self.directory, "initramfs", "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.guest._write_block(os.path.join(self.directory, "block"))

    def close(self):
        self.guest.__exit__()
        self.context.finish()
        subprocess.run(["rm", "-rf", "--", self.context.dir], check=False)

    def run(self, fault=None):
        report, snapshot = self.context.path("report"), self.context.path("snapshot")
        for path in (report, snapshot):
            if os.path.exists(path):
                os.unlink(path)
        if self.image:
            with open(self.image, "r+b") as file:  # nobody has the device open: it has nothing cached
                file.write(self.fresh)
        with open(os.path.join(self.directory, "cmdline"), "w", encoding="utf-8") as file:
            file.write(f"console=none {self.scenario.cmdline}")
        wrapper = [INJECT, report, self.image or "-", snapshot, fault.text if fault else "-"]
        session = Session(self.context, self.directory, self.scenario.has_channel, wrapper=wrapper)
        why = None
        try:
            self.scenario.drive(session)
            session.finish(LIMIT, ends=(0,))
        except (Failure, ValueError, OSError) as failure:
            why = f"{type(failure).__name__}: {failure}"
        finally:
            self.clean_up(session)
        text = ""
        if os.path.exists(report):
            with open(report, encoding="utf-8") as file:
                text = file.read()
        return Outcome(session, why, text, snapshot if os.path.exists(snapshot) else None)

    def clean_up(self, session):
        """A run that hangs is ended by the injector's end, which still says what it saw."""
        process = session.process
        if process.poll() is None:
            process.terminate()
        process.wait()
        self.context.processes.remove(process)
        if os.path.isdir(self.cgroup):
            os.rmdir(self.cgroup)
        session.gate.close()
        if session.socket:
            session.socket.close()
        if session.text_fd >= 0:
            os.close(session.text_fd)
