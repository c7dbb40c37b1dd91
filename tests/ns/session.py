# SPDX-License-Identifier: Apache-2.0
"""A host for init-oci: starts it in namespaces with a control channel, speaks frames, and waits for its
end. One Guest holds the layer of a case; each start() is a run.
"""

import json
import os
import select
import socket
import struct
import time

from harness import BUILD, Failure, check, check_equal, shorten
from pid1 import INIT, Machine, base_tree

LAUNCH = os.path.join(BUILD, "x86_64", "ns-launch")
CONTROL, DATA, CREDIT = 1, 2, 3
END = 1
STDIN, STDOUT, STDERR = 0, 1, 2
WINDOW = 262144
TIMEOUT = 20


def frame(kind, stream=0, payload=b"", flags=0):
    return struct.pack("<BBHI", kind, flags, stream, len(payload)) + payload


class Session:
    """
    One run. Output is taken and credited by read_until() and finish(); events are kept in order,
    with the number of output bytes that came before each. is_crediting, is_reading: what the host does.
    wrapper: a program, with its arguments, that starts the launcher.
    """

    def __init__(self, context, directory, with_channel, with_gate=False, wrapper=()):
        self.output = {STDOUT: bytearray(), STDERR: bytearray()}
        self.ended = set()
        self.events, self.frames, self.credits = [], [], 0
        self.console = b""
        self.is_crediting = self.is_reading = True
        self.buffer = bytearray()
        self.begin = time.monotonic()
        self.context = context
        ours, theirs = socket.socketpair()
        text_in, text_out = os.pipe()
        with open(os.path.join(directory, "cmdline"), "a", encoding="utf-8") as file:
            file.write(f" smk.control={f'fd:{theirs.fileno()}' if with_channel else 'none'}\n")
        self.gate, gate = socket.socketpair()
        command = [*wrapper, LAUNCH, directory] + ([str(gate.fileno())] if with_gate else [])
        self.process = context.popen(command, stdin=context.devnull, stdout=text_out, stderr=text_out,
                                     pass_fds=[theirs.fileno(), gate.fileno()])
        theirs.close()
        gate.close()
        os.close(text_out)
        self.text_fd, self.socket = text_in, ours
        if not with_channel:
            ours.close()
            self.socket = None

    def pid_1(self):
        """PID 1 as this machine sees it, waiting at the gate: it is still the launcher."""
        check_equal(self.gate.recv(1), b"r", "sign of the launcher")
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"

        with open(children, encoding="utf-8") as file:
            return int(file.read())

    def open_gate(self):
        self.gate.send(b"x")

    def send(self, *args, **options):
        try:
            self.socket.sendall(frame(*args, **options))
        except OSError:
            pass  # init-oci has closed its end, which is what the case looks at

    def request(self, **members):
        self.send(CONTROL, 0, json.dumps(members).encode())

    def take(self):
        """Reads once from the channel; False at its end."""
        try:
            bytes_in = self.socket.recv(1 << 17)
        except ConnectionResetError:
            bytes_in = b""
        self.buffer += bytes_in
        while len(self.buffer) >= 8:
            kind, flags, stream, length = struct.unpack("<BBHI", self.buffer[:8])
            if len(self.buffer) < 8 + length:
                break
            payload = bytes(self.buffer[8:8 + length])
            del self.buffer[:8 + length]
            self.handle(kind, flags, stream, payload)
        return bool(bytes_in)

    def handle(self, kind, flags, stream, payload):
        check_equal(sorted(self.ended & {stream}) if kind == DATA else [], [], "data after the stream's end")
        if kind == CONTROL:
            event = json.loads(payload)
            event["after"] = sum(map(len, self.output.values()))
            self.events.append(event)
        elif kind == DATA:
            self.output[stream] += payload
            if flags & END:
                self.ended.add(stream)
            if payload and self.is_crediting:
                self.send(CREDIT, stream, struct.pack("<I", len(payload)))
        elif kind == CREDIT:
            self.credits += struct.unpack("<I", payload)[0]
        else:
            raise Failure(f"frame of type {kind}")

    def pump(self, timeout):
        """Waits for something; False when the console, and with it the run, is over."""
        fds = [self.text_fd] + ([self.socket] if self.socket and self.is_reading else [])
        ready = select.select(fds, [], [], timeout)[0]
        if self.socket in ready and not self.take():
            self.socket.close()
            self.socket = None
        if self.text_fd in ready:
            text = os.read(self.text_fd, 1 << 16)
            self.console += text
            return bool(text)
        return True

    def read_until(self, condition, what, seconds=TIMEOUT):
        end = time.monotonic() + seconds
        while not condition():
            check(time.monotonic() < end, f"no {what} in {seconds} s: {self}")
            check(self.pump(0.1), f"the run ended without {what}: {self}")
        return self

    def wait_started(self):
        return self.read_until(lambda: self.of("started"), "started event")

    def wait_output(self, text, stream=STDOUT):
        return self.read_until(lambda: text in self.output[stream], f"output {text}")

    def finish(self, seconds=TIMEOUT, ends=(0,)):
        """Until the namespace is switched off (ends 0); then the exit record is there."""
        end = time.monotonic() + seconds
        while self.pump(0.1):
            check(time.monotonic() < end, f"not over after {seconds} s: {self}")
        self.seconds = time.monotonic() - self.begin
        os.close(self.text_fd)
        self.text_fd = -1
        self.gate.close()
        while self.socket and self.take():
            pass
        check(self.process.wait(5) in ends, f"end of PID 1, {self}")
        lines = self.console.decode(errors="replace").splitlines()
        on_console = [json.loads(l.split(": ", 1)[1]) for l in lines if l.startswith("smk-exit: ")]
        exits = self.of("exit")
        check_equal(len(exits) + len(on_console), 1, f"number of exit records, {self}")
        self.context.runs += 1
        self.record, self.is_record_on_console = (exits + on_console)[0], bool(on_console)
        self.failures = [l for l in lines if l.startswith("init-oci: fatal: ")]
        if exits:
            check(self.events[-1] is exits[0], "the exit event is not the last")
        return self

    def of(self, kind):
        return [e for e in self.events if e["type"] == kind]

    @property
    def errors(self):
        return [e["text"] for e in self.of("error")]

    @property
    def facts(self):
        return json.loads(self.output[STDOUT])

    def expect(self, code=0, signal=0, out=None, err=b""):
        """Ran, and ended so."""
        got = (self.record["phase"], self.record["code"], self.record["signal"])
        check_equal(got, ("run", code, signal), f"end, {self}")
        check_equal(self.record["coreDumped"], False, "coreDumped")
        check_equal(self.failures, [], "failures")
        if out is not None:
            check_equal(self.output[STDOUT], out, "stdout")
        check_equal(self.output[STDERR], err, "stderr")
        return self

    def expect_failure(self, code, *parts):
        """Set-up failed with one line, the same on the console and in an error event."""
        check_equal((self.record["phase"], self.record["code"]), ("setup", code), f"end, {self}")
        check_equal(len(self.failures), 1, f"number of failure lines, {self}")
        for part in parts:
            check(part in self.failures[0], f"the failure lacks {part!r}: {self.failures[0]}")
        check_equal(self.of("started"), [], "started")
        if not self.is_record_on_console:
            check_equal(self.errors, self.failures, "error events")
        return self

    def __str__(self):
        return f"events {shorten(self.events)}, console {shorten(self.console)}, output {shorten(self.output)}"


class Guest(Machine):
    """with Guest(context, changes) as guest: session = guest.start("/probe", "exit", "3")"""

    def __init__(self, context, changes=None):
        super().__init__(context)
        context.devnull = os.open(os.devnull, os.O_RDWR)
        self.layer(base_tree(changes))
        self.runs = 0
        self.wrapper = ()  # of the launcher's command

    def __exit__(self, *error):
        os.close(self.context.devnull)
        return super().__exit__(*error)

    def start(self, *args, cmdline="", channel=True, gate=False, config=None, mounts=(), **process):
        """channel: False for none, and then the console has everything. gate: see open_gate()."""
        self.runs += 1
        where = self.context.path(f"session{self.runs}")
        for name in ("root", "initramfs", "block"):
            os.makedirs(os.path.join(where, name))
        os.symlink(INIT, os.path.join(where, "initramfs", "init"))
        if config is None:
            config = {
                "ociVersion": "1.0.2",
                "process": {"args": [str(a) for a in args], "cwd": "/", "user": {"uid": 0, "gid": 0}} | process,
                "root": {"path": "rootfs"},
                "mounts": list(mounts),
            }
        with open(os.path.join(where, "initramfs", "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self._write_block(os.path.join(where, "block"))
        with open(os.path.join(where, "cmdline"), "w", encoding="utf-8") as file:
            file.write(f"console=none {cmdline}")
        return Session(self.context, where, channel, gate, self.wrapper)

    def run(self, *args, **options):
        """A run that needs nobody, with nothing on its standard input."""
        session = self.start(*args, **options)
        if session.socket:
            session.send(DATA, STDIN, flags=END)
        return session.finish()
