# SPDX-License-Identifier: Apache-2.0
"""A virtual machine of the boot contract, built here and not by smk: QEMU's command line, the
initramfs and the control channel are made from docs/boot-contract.md, so that smk and init-oci cannot
be wrong in the same way."""

import json
import os
import socket
import struct
import subprocess

from harness import INIT, KERNEL, Failure, check

CONTROL, DATA, CREDIT = 1, 2, 3
EXIT_PREFIX = "smk-exit: "


def cpio(files):
    """A newc archive of {path: (mode, bytes)}."""
    out = bytearray()
    for number, (path, (mode, data)) in enumerate([*files.items(), ("TRAILER!!!", (0, b""))], 1):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


class Outcome:
    """What came of a boot."""

    def __init__(self, events, streams, ports, console, code):
        self.events, self.streams, self.ports, self.console, self.code = events, streams, ports, console, code
        self.record = next((e for e in reversed(events) if e["type"] == "exit"), None)
        lines = [l for l in console.splitlines() if l.startswith(EXIT_PREFIX)]
        self.console_record = json.loads(lines[-1][len(EXIT_PREFIX):]) if lines else None

    @property
    def out(self):
        return self.streams[1].decode(errors="replace")

    def expect(self, code, out=None, phase="run"):
        record = self.record or self.console_record
        if record is None:
            raise Failure(f"no exit record; console: {self.console[-800:]!r}")
        why = f"; failure {record.get('failure')}; console {self.console[-400:]!r}"
        check(record["code"] == code, f"exit code {record['code']}, not {code}{why}")
        check(record["phase"] == phase, f"phase {record['phase']}, not {phase}{why}")
        if out is not None:
            check(self.out == out, f"stdout is {self.out!r}, not {out!r}")
        return self

    def expect_failure(self, *parts, code=125):
        """Set-up failed, with one line on the console that has the parts in it."""
        self.expect(code, phase="setup")
        lines = [l for l in self.console.splitlines() if "init-oci: fatal: " in l]
        check(len(lines) == 1, f"{len(lines)} fatal lines on the console: {self.console[-600:]!r}")
        for part in parts:
            check(part in lines[0], f"the line lacks {part!r}: {lines[0]!r}")
        check("Kernel panic" not in self.console, f"a panic: {self.console[-600:]!r}")
        return self


class Machine:
    def __init__(self, context, config=None, append="", memory="128M", bus="device", cpus=1):
        self.context, self.bus = context, bus
        self.append = f"console=hvc0 quiet panic=-1 {append}".strip()
        self.files = {"init": (0o100755, read(INIT))}
        if config is not None:
            text = config if isinstance(config, bytes) else json.dumps(config).encode()
            self.files["config.json"] = (0o100600, text)
        self.argv = ["qemu-system-aarch64", "-machine", "virt,gic-version=3", "-accel", "tcg",
                     "-cpu", "neoverse-n1", "-smp", str(cpus), "-m", memory, "-nodefaults",
                     "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none",
                     "-global", "virtio-mmio.force-legacy=false", "-kernel", KERNEL]
        self.has_initramfs = True
        self.has_control = True
        self.count = 0
        self.port_files = {}
        self.input_source = self.input_socket = None
        self.requests = []  # pairs: what stdout has to hold before a request (a dict) is sent
        self.device("serial", "max_ports=8")

    def device(self, name, options=""):
        self.argv += ["-device", f"virtio-{name}-{self.bus}{',' if options else ''}{options}"]

    def disk(self, path, serial=None, readonly=True):
        identifier = f"disk{self.count}"
        self.count += 1
        self.argv += ["-drive", f"if=none,id={identifier},format=raw,file={path}"
                      + (",readonly=on" if readonly else "")]
        self.device("blk", f"drive={identifier}" + (f",serial={serial}" if serial else ""))
        return self

    def ninep(self, path, tag):
        self.argv += ["-fsdev", f"local,id={tag},path={path},security_model=none,readonly=on"]
        self.device("9p", f"fsdev={tag},mount_tag={tag}")
        return self

    def virtiofs(self, path, tag):
        """Starts a virtiofsd; guest memory has to be shared with it."""
        sock = self.context.path(f"{tag}.sock")
        daemon = self.context.popen(["/usr/lib/qemu/virtiofsd", f"--socket-path={sock}", "-o",
                                     f"source={path},sandbox=chroot,cache=auto"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(sock):
            check(daemon.poll() is None, f"virtiofsd ended with {daemon.returncode}")
        memory = self.argv[self.argv.index("-m") + 1]
        if "-object" not in self.argv:
            self.argv += ["-object", f"memory-backend-memfd,id=mem,size={memory},share=on",
                          "-machine", "memory-backend=mem"]
        self.argv += ["-chardev", f"socket,id=c-{tag},path={sock}",
                      "-device", f"vhost-user-fs-{self.bus},chardev=c-{tag},tag={tag}"]
        return self

    def port(self, name):
        """A dedicated port whose output is kept."""
        self.port_files[name] = self.context.path(name)
        self.argv += ["-chardev", f"file,id={name},path={self.port_files[name]}",
                      "-device", f"virtserialport,chardev={name},name={name}"]
        return self

    def input_port(self, text):
        """The port smk.stdin, where the guest reads this text and then the end."""
        self.input_source, self.input_socket = socket.socketpair()
        self.input_source.sendall(text)
        self.input_source.shutdown(socket.SHUT_WR)  # a close would make QEMU drop what it has not read
        self.argv += ["-chardev", f"socket,id=stdin,fd={self.input_socket.fileno()}",
                      "-device", "virtserialport,chardev=stdin,name=smk.stdin"]
        return self

    def boot(self):
        console = self.context.path(f"console-{self.count}")
        argv = self.argv + ["-append", self.append]
        if self.has_initramfs:
            path = self.context.path(f"initramfs-{self.count}")
            with open(path, "wb") as file:
                file.write(cpio(self.files))
            argv += ["-initrd", path]
        argv += ["-chardev", f"file,id=console,path={console}", "-device", "virtconsole,nr=0,chardev=console"]
        ours, theirs = socket.socketpair()
        if self.has_control:
            argv += ["-chardev", f"socket,id=control,fd={theirs.fileno()}",
                     "-device", "virtserialport,chardev=control,name=smk.control"]
        inherited = [s.fileno() for s in (theirs, self.input_socket) if s]
        process = self.context.popen(argv, pass_fds=inherited, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        theirs.close()
        if self.input_socket:
            self.input_socket.close()
        events, streams = self.listen(ours)
        said = process.stdout.read().decode(errors="replace")
        process.wait()
        if process.returncode:
            raise Failure(f"QEMU ended with {process.returncode}: {said[-400:]!r}")
        ports = {name: read(path) for name, path in self.port_files.items()}
        outcome = Outcome(events, streams, ports, read(console).decode(errors="replace"), process.returncode)
        self.context.runs += (outcome.record or outcome.console_record) is not None
        return outcome

    def listen(self, sock):
        """Frames until QEMU closes the channel; all credit is given back at once."""
        events, streams, buffer = [], {1: b"", 2: b""}, b""
        with sock:
            while data := receive(sock):
                buffer += data
                while len(buffer) >= 8:
                    kind, _, stream, length = struct.unpack("<BBHI", buffer[:8])
                    if len(buffer) < 8 + length:
                        break
                    payload, buffer = buffer[8:8 + length], buffer[8 + length:]
                    if kind == CONTROL:
                        events.append(json.loads(payload))
                    elif kind == DATA:
                        streams[stream] += payload
                        give_credit(sock, stream, length)
                while self.requests and self.requests[0][0] in streams[1]:
                    request = json.dumps(self.requests.pop(0)[1]).encode()
                    sock.sendall(struct.pack("<BBHI", CONTROL, 0, 0, len(request)) + request)
        check(not buffer, f"half a frame at the end: {buffer!r}")
        return events, streams


def receive(sock):
    try:
        return sock.recv(65536)
    except ConnectionResetError:
        return b""


def give_credit(sock, stream, length):
    try:
        sock.sendall(struct.pack("<BBHII", CREDIT, 0, stream, 4, length))
    except (BrokenPipeError, ConnectionResetError):
        pass


def read(path):
    with open(path, "rb") as file:
        return file.read()
