# SPDX-License-Identifier: Apache-2.0
"""Terminals and signals, through smk to the workload."""

import fcntl
import os
import pty
import signal
import struct
import termios
import time

from harness import SMK, Failure, bundle, case, check, check_equal, check_in, children_of, shell
from images import config_for, small_image
from machine import Machine


class Terminal:
    """smk on a terminal of 30 rows and 100 columns."""

    def __init__(self, context, directory):
        self.master, slave = pty.openpty()
        self.resize(30, 100)
        self.before = termios.tcgetattr(self.master)
        self.data = b""
        self.process = context.popen([SMK, "run", directory], stdin=slave, stdout=slave, stderr=slave,
                                     preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text)

    def wait_for(self, part):
        """Reads on until part has come; what came up to it is taken away."""
        while part not in self.data:
            try:
                got = os.read(self.master, 4096)
            except OSError:
                got = b""
            if not got:
                raise Failure(f"{part!r} did not come: {self.data!r}")
            self.data += got
        before, _, self.data = self.data.partition(part)
        return before

    def end(self, code):
        while True:
            try:
                got = os.read(self.master, 4096)
            except OSError:
                break
            if not got:
                break
            self.data += got
        check_equal(self.process.wait(30), code, f"exit code ({self.data!r})")


@case()
def terminal_size_from_the_start(context):
    terminal = Terminal(context, bundle(context, ["/bin/probe", "sizes", "2"], terminal=True))
    terminal.wait_for(b"size 30 100\r\n")
    terminal.resize(41, 99)
    terminal.wait_for(b"size 41 99\r\n")
    terminal.resize(24, 80)
    terminal.wait_for(b"size 24 80\r\n")
    terminal.end(0)


@case()
def terminal_line_discipline(context):
    """The guest's terminal echoes, edits lines and makes signals; the user's is raw meanwhile."""
    script = "trap 'echo INTERRUPTED' INT; echo ready; read line; echo got:$line; read line; exit 4"
    terminal = Terminal(context, shell(context, script, terminal=True))
    terminal.wait_for(b"ready\r\n")
    check(not termios.tcgetattr(terminal.master)[3] & (termios.ICANON | termios.ISIG | termios.ECHO),
          "the user's terminal is not raw")
    terminal.type(b"wordd\x7f\r")
    terminal.wait_for(b"got:word\r\n")
    terminal.type(b"\x03")
    terminal.wait_for(b"INTERRUPTED")
    terminal.type(b"\r")
    terminal.end(4)


@case()
def terminal_is_restored(context):
    for args, code in ((["/bin/true"], 0), (["/bin/absent"], 127), (["/bin/sh", "-c", "kill -9 $$"], 137)):
        terminal = Terminal(context, bundle(context, args, without="pid", terminal=True))
        check_equal(terminal.process.wait(30), code, "exit code")
        check(termios.tcgetattr(terminal.master) == terminal.before, f"{args}: settings were not restored")


@case()
def terminal_is_a_terminal(context):
    script = "tty; test -t 0 && test -t 1 && test -t 2 && echo three; ls -l /dev/console >/dev/null && echo console"
    terminal = Terminal(context, shell(context, script, terminal=True))
    terminal.wait_for(b"/dev/pts/0\r\nthree\r\nconsole\r\n")
    terminal.end(0)


@case()
def end_of_file_on_the_terminal(context):
    terminal = Terminal(context, shell(context, "echo ready; cat; echo over", terminal=True))
    terminal.wait_for(b"ready\r\n")
    terminal.type(b"\x04")
    terminal.wait_for(b"over\r\n")
    terminal.end(0)


@case()
def terminal_without_one_outside(context):
    """process.terminal, but smk runs in a pipe: still a terminal inside."""
    result = context.smk("run", shell(context, "test -t 1 && echo yes; echo err >&2", terminal=True))
    result.expect(0, out="yes\r\nerr\r\n")


@case()
def no_terminal_inside(context):
    terminal = Terminal(context, shell(context, "test -t 0 || test -t 1 || test -t 2 || echo none"))
    terminal.wait_for(b"none")
    terminal.end(0)


TRAPS = "".join(f"trap 'echo {name}' {name}; " for name in ("HUP", "INT", "QUIT", "USR1", "USR2"))


@case()
def signals_reach_the_workload(context):
    script = TRAPS + "trap 'exit 33' TERM; echo ready; while :; do sleep 0.1; done"
    process = context.popen([SMK, "run", shell(context, script)], stdin=-3, stdout=-1)
    check_equal(process.stdout.readline(), b"ready\n", "the first line")
    for name in ("USR1", "USR2", "HUP", "INT", "QUIT"):
        time.sleep(2.1 if name in ("INT", "QUIT") else 0)  # not three of the ending ones in a row
        process.send_signal(getattr(signal, "SIG" + name))
        check_equal(process.stdout.readline(), name.encode() + b"\n", "the trap's word")
    time.sleep(2.1)
    process.send_signal(signal.SIGTERM)
    check_equal(process.wait(30), 33, "exit code")


@case(120)
def every_signal_by_request(context):
    """All that can be forwarded, one after the other, 32 to 34 too; as PID 1 of a namespace and as another."""
    numbers = [n for n in range(1, 65) if n not in (9, 17, 19)]
    for without in ("pid", None):
        machine = Machine(context, config_for(["/bin/probe", "signals", str(len(numbers))], without))
        waits = ["ready\n"] + [f"signal {n}\n" for n in numbers]
        machine.requests = [(text.encode(), {"type": "signal", "signal": n}) for text, n in zip(waits, numbers)]
        outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(0)
        check_equal(outcome.out.splitlines(), [w.strip() for w in waits], "signals")


@case()
def signal_ends_the_workload(context):
    process = context.popen([SMK, "run", shell(context, "echo ready; exec sleep 60", without="pid")],
                            stdin=-3, stdout=-1)
    check_equal(process.stdout.readline(), b"ready\n", "the first line")
    process.send_signal(signal.SIGTERM)
    check_equal(process.wait(30), 143, "exit code")


@case()
def signal_during_the_boot(context):
    """It waits in the channel and reaches the workload when there is one."""
    process = context.popen([SMK, "run", bundle(context, ["/bin/sleep", "60"], without="pid")],
                            stdin=-3, stdout=-1, stderr=-1)
    time.sleep(0.25)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=40)
    check_equal(process.returncode, 143, f"exit code ({errors})")


@case()
def smk_killed_takes_the_machine_along(context):
    process = context.popen([SMK, "run", shell(context, "echo ready; sleep 60")], stdin=-3, stdout=-1)
    check_equal(process.stdout.readline(), b"ready\n", "the first line")
    children = {pid: os.path.basename(os.readlink(f"/proc/{pid}/exe")) for pid in children_of(process.pid)}
    check_equal(sorted(children.values()), ["qemu-system-aarch64", "smk"], "smk's children")
    process.kill()
    end = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in children):
        check(time.monotonic() < end, f"there is still one of {children}")
        time.sleep(0.05)


@case(timeout=150)
def signal_at_any_time(context):
    """From before QEMU's start to after the exec: it is never lost and never does harm."""
    directory = bundle(context, ["/bin/sleep", "60"], without="pid")
    context.smk("run", bundle(context, ["/bin/true"], name="warm")).expect(0)
    for tenths in range(12):
        process = context.popen([SMK, "run", directory], stdin=-3, stdout=-1, stderr=-1)
        time.sleep(0.03 + tenths / 10)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        check_equal(process.returncode, 143, f"exit code after {tenths}/10 s ({errors})")


@case(timeout=120)
def stopped_and_continued(context):
    """smk is stopped while output is under way: back-pressure, then every byte."""
    script = "seq 1 300000; echo end >&2; exit 8"
    process = context.popen([SMK, "run", shell(context, script)], stdin=-3, stdout=-1, stderr=-1)
    first = process.stdout.readline()
    check_equal(first, b"1\n", "the first line")
    process.send_signal(signal.SIGSTOP)
    time.sleep(5)
    process.send_signal(signal.SIGCONT)
    out = process.stdout.read()
    check_equal((process.wait(60), process.stderr.read()), (8, b"end\n"), "exit code and stderr")
    want = b"".join(b"%d\n" % n for n in range(2, 300001))
    check(out == want, f"{len(out)} bytes, not the {len(want)} that were written")
