# SPDX-License-Identifier: Apache-2.0
"""Boots with TSI: QEMU, the tests' backend and the guest's program, in a network namespace of their own.

A boot is a function decorated with @boot, which names the backend's profiles and the steps that the
guest runs: each step is a case of its own, and so is the boot itself, which passes when the backend has
seen nothing wrong on the wire, nothing is left, and the kernel has complained of nothing.
"""

import ctypes
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "vm")]

from harness import BUILD, KERNEL, Context, Failure, check, shorten, wait_until  # noqa: E402
from machine import cpio  # noqa: E402

IMAGE = os.environ.get("TSI_KERNEL", KERNEL)
APP = os.path.join(BUILD, "aarch64", "tsi-app")
PEER = os.path.join(BUILD, "host", "tsi-app")
BACKEND = os.path.join(BUILD, "debug", "tests", "tsi", "backend")
# Of the namespace's lo: as another machine of the network would be, for the guest.
LAN, LAN_INET6 = "10.77.0.9", "2001:db8:77::9"
BAD_WORDS = re.compile(r"BUG:|Oops|WARNING:|Call trace|Kernel panic|rcu: INFO|possible recursive|refcount_t")
CLONE_NEWNET = 0x40000000

BOOTS = []


class Step:
    """One line of the plan. rows: of the table of faults in docs/tsi.md that it holds."""

    def __init__(self, name, command, rows=(), limit=30, is_long=False):
        self.name, self.command, self.rows, self.limit, self.is_long = name, command, rows, limit, is_long


step = Step


class Boot:
    def __init__(self, function, profile, steps, options):
        self.function, self.profile, self.options = function, profile, options
        self.name = f"{function.__name__.replace('_', '-')}-{profile}"
        self.steps = steps
        self.timeout = options.pop("timeout", 120)
        self.rows = options.pop("rows", ())

    def case(self, one):
        return f"{self.name}-{one.name}"


def boot(*profiles, steps, **options):
    """Registers a boot for each profile. What a profile has of its own: steps may be a function of it."""

    def register(function):
        for profile in profiles:
            chosen = steps(profile) if callable(steps) else steps
            BOOTS.append(Boot(function, profile, list(chosen), dict(options)))
        return function

    return register


def new_network():
    """A network namespace for this thread, and what it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    check(libc.unshare(CLONE_NEWNET) == 0, f"unshare: {os.strerror(ctypes.get_errno())}")
    for words in ("link set lo up", f"addr add {LAN}/32 dev lo", f"-6 addr add {LAN_INET6}/128 dev lo nodad"):
        subprocess.run(["ip", *words.split()], check=True)


class Box:
    """One boot. run() is start() and finish(); between them the case may look and meddle."""

    def __init__(self, context, profile, steps, append="tsi_hijack", publish=(), memory="256M", cpus=1,
                 backend=True, seed=1, files=None, refuse_listen=0):
        self.context, self.profile, self.steps = context, profile, steps
        self.append, self.publish, self.memory, self.cpus = append, publish, memory, cpus
        self.has_backend, self.seed, self.files = backend, seed, files or {}
        self.refuse_listen = refuse_listen
        self.results = {}
        self.summary = None
        self.backend = self.qemu = None
        new_network()

    @property
    def console(self):
        try:
            with open(self.context.path("console"), "rb") as file:
                return file.read().decode(errors="replace").replace("\r", "")
        except FileNotFoundError:
            return ""

    def await_word(self, process, word):
        line = process.stdout.readline()
        check(line.strip() == word, f"{process.args[0]} says {line!r}")

    def start_peer(self, *ips):
        with open(self.context.path("peer"), "wb") as file:
            peer = self.context.popen([PEER, "peer", *(ips or ("127.0.0.1", "::1", LAN, LAN_INET6))],
                                      stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=file)
        self.await_word(peer, b"listening")
        return peer

    def start_backend(self):
        options = ["--profile", self.profile, "--seed", str(self.seed)]
        if self.refuse_listen:
            options += ["--refuse-listen", str(self.refuse_listen)]
        for text in self.publish:
            options += ["--publish", text]
        self.backend = self.context.popen([BACKEND, *options, self.context.path("vsock")],
                                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.await_word(self.backend, b"listening")

    def command(self):
        plan = "".join(f"{s.name} {s.limit} {s.command}\n" for s in self.steps)
        files = {"init": (0o100755, read(APP)), "plan": (0o100600, plan.encode()), **self.files}
        with open(self.context.path("initramfs"), "wb") as file:
            file.write(cpio(files))
        argv = ["qemu-system-aarch64", "-machine", "virt,gic-version=3,memory-backend=mem", "-accel", "tcg",
                "-cpu", "neoverse-n1", "-smp", str(self.cpus), "-m", self.memory, "-nodefaults",
                "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none",
                "-object", f"memory-backend-memfd,id=mem,size={self.memory},share=on",
                "-global", "virtio-mmio.force-legacy=false", "-kernel", IMAGE,
                "-initrd", self.context.path("initramfs"),
                "-append", f"console=hvc0 loglevel=5 panic=-1 {self.append}",
                "-device", "virtio-serial-device", "-device", "virtconsole,chardev=console",
                "-chardev", f"file,id=console,path={self.context.path('console')}"]
        if self.has_backend:
            argv += ["-chardev", f"socket,id=vsock,path={self.context.path('vsock')}",
                     "-device", "vhost-user-vsock-device,chardev=vsock"]
        return argv

    def start(self):
        if self.has_backend:
            self.start_backend()
        self.qemu = self.context.popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)

    def wait_line(self, pattern, seconds=60):
        """Until the console has a line like this: the match."""
        found = []

        def look():
            found[:] = [m for m in [re.search(pattern, self.console, re.MULTILINE)] if m]
            return found or self.qemu.poll() is not None

        wait_until(look, seconds, f"line {pattern!r} on the console")
        check(found, f"no line {pattern!r} on the console: {shorten(self.console[-600:])}")
        return found[0]

    def read_results(self):
        for found in re.finditer(r"^(ok|not ok) ([\w.-]+)(?:: (.*)| \(\d+ ms\))?$", self.console, re.MULTILINE):
            self.results[found[2]] = None if found[1] == "ok" else found[3] or "no reason"

    def finish(self, is_clean=True, has_backend=True):
        """Waits for the end. is_clean: as it has to be on the wire, too; without its backend, QEMU complains."""
        try:
            out, _ = self.qemu.communicate(timeout=self.context.left())
        except subprocess.TimeoutExpired:
            self.read_results()
            raise Failure(f"the guest is not over; console: {self.console[-600:]!r}") from None
        self.read_results()
        check(not out or not has_backend, f"QEMU says {out[-300:]!r}")
        found = BAD_WORDS.search(self.console)
        check(not found, f"the kernel complains: {self.console[found.start() if found else 0:][:600]!r}")
        check("\ndone\n" in self.console, f"no end of the plan; console: {self.console[-600:]!r}")
        if self.has_backend and has_backend:
            self.judge_wire(is_clean)
        return self

    def judge_wire(self, is_clean):
        out, _ = self.backend.communicate(timeout=self.context.left())
        self.summary = json.loads(out.splitlines()[-1])
        if is_clean:
            check(self.summary["counters"]["left"] == 0, f"left: {self.summary}")
            check(self.summary["violations"] == 0, f"wrong on the wire: {self.summary['texts']}")

    def check_counter(self, name, want):
        got = self.summary["counters"][name]
        check(got == want, f"{name} is {got}, not {want}: {self.summary['counters']}")

    def run(self, is_clean=True):
        self.start()
        return self.finish(is_clean)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run_boot(root, one, steps):
    """Pairs of a case's name and why it failed, or None; and the seconds it all took."""
    directory = os.path.join(root, f"{one.name}.{os.getpid()}")
    os.makedirs(directory)
    context = Context(one.name, directory, one.timeout)
    begin = time.monotonic()
    box = why = None
    try:
        box = Box(context, one.profile, steps, **one.options)
        one.function(box)
    except Failure as failure:
        why = str(failure)
    finally:
        context.finish()
    results = [(one.name, why)]
    for each in steps:
        results.append((one.case(each), box.results.get(each.name, "it was not reached") if box else why))
    if not any(reason for _, reason in results):
        subprocess.run(["rm", "-rf", "--", directory], check=False)
    return results, time.monotonic() - begin
