#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for qemu-system-aarch64 in tests of smk that need no guest: it speaks the control channel
and plays the part that $FAKE_QEMU names. Its argument vector goes to $FAKE_QEMU_ARGV as JSON."""

import json
import os
import re
import socket
import struct
import sys
import time

CONTROL, DATA, CREDIT = 1, 2, 3
MARKS = {"main": 1000000, "bootargs": 2000000}
RECORD = {"phase": "run", "signal": 0, "coreDumped": False, "oomKilled": False, "timings": MARKS,
          "userMicroseconds": 0, "systemMicroseconds": 0, "maxRssBytes": 0, "droppedBytes": 0}


class Guest:
    def __init__(self, argv):
        text = " ".join(argv)
        self.control = self.open(re.search(r"socket,id=control,fd=(\d+)", text))
        self.console = self.open(re.search(r"socket,id=console,fd=(\d+)", text))
        self.buffer = b""
        self.credit = {1: 262144, 2: 262144}
        self.waiting = []

    @staticmethod
    def open(match):
        return socket.socket(fileno=int(match.group(1))) if match else None

    def frame(self, kind, payload=b"", stream=0, flags=0):
        self.control.sendall(struct.pack("<BBHI", kind, flags, stream, len(payload)) + payload)

    def message(self, **members):
        self.frame(CONTROL, json.dumps(members).encode())

    def hello(self, version=1):
        self.message(type="hello", version=version, init="fake", timings=MARKS)

    def output(self, data, stream=1, flags=0):
        self.frame(DATA, data, stream, flags)

    def output_within_credit(self, data, stream=1):
        """Waits for credit; other frames that come meanwhile are kept for receive()."""
        while self.credit[stream] < len(data):
            self.waiting.append(self.read_frame())
            self.take_credit()
        self.credit[stream] -= len(data)
        self.output(data, stream)

    def take_credit(self):
        for kind, _, stream, payload in self.waiting:
            if kind == CREDIT:
                self.credit[stream] += struct.unpack("<I", payload)[0]
        self.waiting = [frame for frame in self.waiting if frame[0] != CREDIT]

    def exit(self, code):
        self.message(type="exit", **RECORD, code=code)

    def receive(self):
        """The next frame from smk that is no credit: (type, flags, stream, payload)."""
        self.take_credit()
        while not self.waiting:
            self.waiting.append(self.read_frame())
            self.take_credit()
        return self.waiting.pop(0)

    def read_frame(self):
        while True:
            if len(self.buffer) >= 8:
                kind, flags, stream, length = struct.unpack("<BBHI", self.buffer[:8])
                if len(self.buffer) >= 8 + length:
                    payload = self.buffer[8:8 + length]
                    self.buffer = self.buffer[8 + length:]
                    return kind, flags, stream, payload
            data = self.control.recv(65536)
            if not data:
                sys.exit(0)
            self.buffer += data


def hold(guest):
    guest.hello()
    guest.output(b"holding\n")
    time.sleep(600)


def nothing(_):
    """Ends at once."""


def vhost(guest):
    """Asks the network for its features, as QEMU does at first."""
    guest.hello()
    sock = socket.socket(fileno=int(re.search(r"socket,id=tsi,fd=(\d+)", " ".join(sys.argv))[1]))
    sock.sendall(struct.pack("<III", 1, 1, 0))
    guest.output(b"features 0x%x\n" % struct.unpack("<IIIQ", sock.recv(20, socket.MSG_WAITALL))[3])
    guest.exit(0)


def echo_signals(guest):
    """Prints each signal that smk passes on, and ends at TERM."""
    guest.hello()
    guest.output(b"ready\n")
    while True:
        kind, _, _, payload = guest.receive()
        if kind == CONTROL and json.loads(payload)["type"] == "signal":
            number = json.loads(payload)["signal"]
            guest.output(b"signal %d\n" % number)
            if number == 15:
                guest.exit(143)
                return


def one_signal(guest):
    """Prints the first signal that smk passes on, and ends."""
    guest.hello()
    guest.output(b"ready\n")
    while True:
        kind, _, _, payload = guest.receive()
        if kind == CONTROL and json.loads(payload)["type"] == "signal":
            guest.output(b"signal %d\n" % json.loads(payload)["signal"])
            guest.exit(0)
            return


def echo_input(guest):
    """Sends stdin back, with as much credit as it used, to the end."""
    guest.hello()
    flags = 0
    while not flags & 1:
        _, flags, _, payload = guest.receive()
        guest.output_within_credit(payload)
        guest.frame(CREDIT, struct.pack("<I", len(payload)))
    guest.exit(0)


def count_input(guest):
    """Gives no credit back: counts what comes anyway."""
    guest.hello()
    total = 0
    guest.control.settimeout(1)
    try:
        while True:
            kind, _, _, payload = guest.receive()
            total += len(payload) if kind == DATA else 0
    except TimeoutError:
        guest.output(b"%d\n" % total)
    guest.exit(0)


def flood(guest):
    """A megabyte on each stream, as far as the credit of each allows."""
    guest.hello()
    left = {1: 1 << 20, 2: 1 << 20}
    while left[1] or left[2]:
        sizes = {s: min(guest.credit[s], left[s], 30000) for s in (1, 2)}
        for stream, size in sizes.items():
            if size:
                guest.output_within_credit(bytes([64 + stream]) * size, stream)
                left[stream] -= size
        if not any(sizes.values()):
            guest.waiting.append(guest.read_frame())
            guest.take_credit()
    guest.exit(5)


def too_much(guest):
    guest.hello()
    for _ in range(100):
        guest.output(b"x" * 60000)
    time.sleep(600)


def pipe_signal(guest):
    """Prints until it is told that nobody reads."""
    guest.hello()
    guest.output(b"one\n")
    while True:
        guest.output(b"more\n")
        guest.control.settimeout(0.05)
        try:
            kind, _, _, payload = guest.receive()
            if kind == CONTROL:
                guest.exit(100 + json.loads(payload)["signal"])
                return
        except TimeoutError:
            pass


def bad_type(guest):
    guest.frame(9, b"?")
    time.sleep(600)


def zero_type(guest):
    guest.frame(0)
    time.sleep(600)


def bad_credit(guest):
    guest.frame(CREDIT, b"123")
    time.sleep(600)


def credit_of_another_stream(guest):
    guest.frame(CREDIT, b"1234", stream=1)
    time.sleep(600)


def too_much_credit(guest):
    guest.frame(CREDIT, b"\xff" * 4)
    time.sleep(600)


def bad_length(guest):
    guest.control.sendall(struct.pack("<BBHI", CONTROL, 0, 0, 1 << 30))
    time.sleep(600)


def bad_json(guest):
    guest.frame(CONTROL, b"{nonsense")
    time.sleep(600)


def bad_stream(guest):
    guest.hello()
    guest.output(b"?", stream=7)
    time.sleep(600)


def bad_version(guest):
    guest.hello(version=99)
    time.sleep(600)


def no_record(guest):
    guest.console.sendall(b"early words\r\nKernel panic - not syncing: no reason\r\n")
    guest.hello()


def panic_that_scrolls(guest):
    """As the kernel does: a reason, and then more than smk shows at the end."""
    guest.hello()
    guest.console.sendall(b"[    1.5] Kernel panic - not syncing: no \x1b[31mmemory\r\n" + b"[    1.6] 0123456789abcdef\r\n" * 2000 +
                          b"[    1.7] ---[ end Kernel panic - not syncing: no memory ]---\r\n")


def fatal_without_record(guest):
    guest.message(type="error", text="init-oci: fatal: apply: /x: no luck")


def fatal_with_record(guest):
    guest.message(type="error", text="init-oci: fatal: apply: /x: no luck")
    failure = {"stage": "apply", "code": 125, "errno": 2, "field": "/x", "path": "", "op": "", "why": "no luck"}
    guest.message(type="exit", **dict(RECORD, phase="setup", failure=failure), code=125)


def other_error(guest):
    guest.message(type="error", text="unknown request")
    guest.hello()
    guest.exit(0)


def console_record(guest):
    guest.console.sendall(b"smk-exit: " + json.dumps(dict(RECORD, code=9)).encode() + b"\r\n")


def forged_record(guest):
    """What a workload can do that may write to the console and reboot."""
    guest.hello()
    guest.console.sendall(b"smk-exit: " + json.dumps(dict(RECORD, code=0)).encode() + b"\r\n")


def malformed_console_record(guest):
    guest.console.sendall(b"smk-exit: {\r\nsmk-exit: \r\nsmk-exit: {}\r\n" + b"x" * 100000 + b"\r\n")


def lost_output(guest):
    guest.hello()
    guest.message(type="exit", **dict(RECORD, droppedBytes=77), code=0)


def warning(guest):
    guest.console.sendall(b"init-oci: warning: something is optional\r\n")
    guest.hello()
    guest.exit(0)


def log(**members):
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as file:
        file.write(json.dumps(members) + "\n")


def wait_for(name):
    """Until a hook has written its name into the log."""
    while f'"name": "{name}"' not in open(os.environ["FAKE_LOG"], encoding="utf-8").read():
        time.sleep(0.01)


def hooked(guest):
    """A workload that runs until the poststart hook has been there; started comes twice."""
    log(name="vmm", pid=os.getpid())
    guest.hello()
    guest.message(type="started", pid=2)
    guest.message(type="started", pid=2)
    wait_for("poststart")
    log(name="end")
    guest.exit(7)


def short(guest):
    """One that has ended before anybody looks."""
    log(name="vmm", pid=os.getpid())
    guest.hello()
    guest.message(type="started", pid=2)
    guest.exit(7)


def talks(guest):
    """Sends input back for as long as a hook is there."""
    guest.hello()
    guest.message(type="started", pid=2)
    wait_for("poststart")
    guest.output(b"through\n")
    echo_killed(guest)


def started(guest):
    guest.hello()
    guest.message(type="started", pid=2)
    echo_killed(guest)


def echo_killed(guest):
    """Ends by the first signal; one that kills comes too late."""
    while True:
        kind, _, _, payload = guest.receive()
        if kind == CONTROL and json.loads(payload)["type"] == "signal":
            number = json.loads(payload)["signal"]
            log(name="signal", number=number)
            if number == 9:
                guest.message(type="error", text="request: no such process")
            guest.exit(128 + number)
            return


def stubborn(guest):
    """Does nothing that it is told."""
    guest.hello()
    guest.message(type="started", pid=2)
    time.sleep(600)


def broken(_):
    print("qemu-system-aarch64: cannot do that", file=sys.stderr)
    sys.exit(1)


def no_memory(_):
    print("qemu-system-aarch64: cannot set up guest memory 'mach-virt.ram': Cannot allocate memory", file=sys.stderr)
    sys.exit(1)


def console_flood(guest):
    """Four megabytes on the console, and then some output."""
    guest.hello()
    guest.console.sendall(b"words\r\n" * 600000)
    guest.output(b"through\n")
    guest.exit(0)


def stay(guest):
    """A record, but no end."""
    guest.hello()
    guest.exit(0)
    time.sleep(600)


def main():
    if "FAKE_QEMU_ARGV" in os.environ:
        with open(os.environ["FAKE_QEMU_ARGV"], "w", encoding="utf-8") as file:
            json.dump(sys.argv, file)
    globals()[os.environ["FAKE_QEMU"]](Guest(sys.argv))


if __name__ == "__main__":
    main()
