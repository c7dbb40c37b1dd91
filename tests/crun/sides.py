# SPDX-License-Identifier: Apache-2.0
"""The two sides: crun on this machine, and our guest, by smk or by the boot contract. Each runs a bundle
and says what came of it."""

import fcntl
import json
import os
import pty
import re
import resource
import shutil
import struct
import subprocess
import termios

import roots
from harness import BUILD, SMK, Failure, check, shorten
from images import make as make_image
from machine import Machine

LIMITS = os.path.join(BUILD, "crun", "setrlimit.so")
HOST_CGROUP = "/sys/fs/cgroup"
UNIFIED = HOST_CGROUP + "/unified"

# crun knows cgroups of version 1 or of version 2, and this machine may have both. In a mount namespace
# of its own it sees one of them, without anything being changed for others.
ONE_VERSION = {
    "v1": f"umount -l {UNIFIED}",
    "v2": f"umount -l {HOST_CGROUP} && mount -t cgroup2 cgroup2 {HOST_CGROUP}",
    "as it is": "true",
}
CONTROLLERS = {"memory": "memory", "cpu": "cpu", "pids": "pids", "blockIO": "io"}


def is_hybrid():
    return os.path.isdir(UNIFIED)


def cgroup_version(config):
    """Version 2, as in the guest, if this machine's has the controllers that the configuration needs."""
    if not is_hybrid():
        return "as it is"
    with open(UNIFIED + "/cgroup.controllers", encoding="utf-8") as file:
        there = file.read().split()
    asked = config["linux"].get("resources", {})
    return "v1" if any(c not in there for key, c in CONTROLLERS.items() if key in asked) else "v2"


class Observed:
    """How a container ended; the probe's facts when it printed them."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out.replace("\r\n", "\n"), err
        found = re.search(r'\{"args".*\}', self.out)
        self.facts = json.loads(found.group()) if found else None

    ERRORS = re.compile(r"No such file or directory|Permission denied|Exec format error|Is a directory|"
                        r"Not a directory|Operation not permitted|Invalid argument|Too many levels of symbolic links")

    @property
    def error(self):
        found = self.ERRORS.search(self.err + self.out) if self.facts is None else None
        return found and found.group()


def run_on_terminal(context, argv, **options):
    """stdin, stdout and stderr are a terminal of 24 lines and 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    process = context.popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, **options)
    os.close(theirs)
    out = b""
    try:
        while data := os.read(ours, 65536):
            out += data
    except OSError:
        pass  # the last of the other side has gone
    finally:
        os.close(ours)
    return Observed(process.wait(timeout=context.left()), out.decode(errors="replace"), "")


def run(context, argv, config, **options):
    if config["process"].get("terminal"):
        return run_on_terminal(context, argv, **options)
    result = context.run(argv, **options)
    return Observed(result.code, result.text, result.errors)


def identifier_of(context):
    return "smk-" + os.path.basename(context.dir)


class Host:
    """crun."""

    name = "crun"

    def __init__(self, context, bundle, config):
        self.context, self.bundle, self.config = context, bundle, config
        self.version = cgroup_version(config)

    def run(self):
        identifier = identifier_of(self.context)
        script = f"{ONE_VERSION[self.version]} && LD_PRELOAD={LIMITS} exec \"$@\""
        argv = ["unshare", "--mount", "sh", "-c", script, "sh", "crun", "--root", self.context.path("crun"),
                "run", "--bundle", self.bundle, identifier]
        try:
            return run(self.context, argv, self.config)
        finally:
            self.clean(identifier)

    def clean(self, identifier):
        """crun leaves the cgroups above the container's own."""
        path = self.config["linux"].get("cgroupsPath", identifier).strip("/")
        while path:
            for top in self.hierarchies():
                for name in ("conmon", "."):  # podman's monitor has one beside the container's
                    try:
                        os.rmdir(os.path.normpath(os.path.join(top, path, name)))
                    except OSError:
                        pass
            path = os.path.dirname(path)

    @staticmethod
    def hierarchies():
        with open("/proc/self/mounts", encoding="utf-8") as file:
            return [line.split()[1] for line in file if line.split()[2] in ("cgroup", "cgroup2")]

    @staticmethod
    def namespaces():
        return {name: os.readlink("/proc/self/ns/" + name) for name in os.listdir("/proc/self/ns")}

    @staticmethod
    def limits():
        names = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
        return {name[7:]: [value % 2**64 for value in resource.getrlimit(number)]
                for name, number in names.items()}


class Guest:
    """Our guest. The sources of bind mounts are in the file system that the machine boots, where the
    contract looks for them: smk, which refuses them, is used when there are none."""

    name = "guest"

    def __init__(self, context, bundle, config, sources=()):
        self.context, self.bundle, self.config, self.sources = context, bundle, config, sources

    def run(self):
        if not self.sources:
            return run(self.context, [SMK, "run", "--net", "none", self.bundle], self.config)
        with open(os.path.join(self.bundle, "config.json"), "rb") as file:
            machine = Machine(self.context, file.read(), memory="256M")
        for source in self.sources:
            add_source(machine, source)
        image = make_image(self.context, "squashfs", root_of(self.bundle, self.config),
                           self.context.path("root.squashfs"))
        outcome = machine.disk(image, "smk-layer-000").boot()
        record = outcome.record or outcome.console_record
        check(record is not None, f"no exit record: {shorten(outcome.console)}")
        failure = record.get("failure")
        return Observed(record["code"], outcome.out, json.dumps(failure) if failure else outcome.console)


def add_source(machine, source):
    """A file or the top of a directory, and the directories above."""
    parts = source.strip("/").split("/")
    for count in range(1, len(parts)):
        machine.files.setdefault("/".join(parts[:count]), (0o40755, b""))
    name = "/".join(parts)
    status = os.stat(source)
    if not os.path.isdir(source):
        with open(source, "rb") as file:
            machine.files[name] = (status.st_mode, file.read())
        return
    machine.files[name] = (status.st_mode, b"")
    for child in os.listdir(source):
        add_source(machine, os.path.join(source, child))


def root_of(bundle, config):
    return os.path.join(bundle, config["root"]["path"])


def place_programs(bundle, config, sources, machine):
    """The root is the container's root's: the user's that the first ID is mapped to."""
    maps = config["linux"].get("uidMappings", [])
    roots.make(root_of(bundle, config), machine, next((m["hostID"] for m in maps if m["containerID"] == 0), 0))
    for program in sources:
        if program.endswith("/program"):
            shutil.copy2(roots.PROBES[machine], program)


def both(context, bundle, config, sources=()):
    """crun's and the guest's; the bundle is the same, but for the architecture of its programs."""
    place_programs(bundle, config, sources, "x86_64")
    host = Host(context, bundle, config)
    under_crun = host.run()
    place_programs(bundle, config, sources, "aarch64")
    in_guest = Guest(context, bundle, config, sources).run()
    if under_crun.facts is None and in_guest.facts is not None:
        raise Failure(f"crun does not run it: {under_crun.code}: {shorten(under_crun.err + under_crun.out)}")
    if in_guest.facts is None and under_crun.facts is not None:
        raise Failure(f"the guest does not run it: {in_guest.code}: {shorten(in_guest.err + in_guest.out)}")
    return under_crun, in_guest, host.version
