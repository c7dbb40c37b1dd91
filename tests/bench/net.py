# SPDX-License-Identifier: Apache-2.0
"""The network of a guest, TSI's beside QEMU's user-mode one: a guest of each runs all the time, and they take
turns, so that whatever else this machine does is the same for both. A turn is short; what counts is the median
of the turns' ratios."""
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import machine

COMMANDS, CONNECTIONS = 9000, 9001
TURNS = 7
BYTES = 32 << 20
COUNT = 200
CHUNK = bytes(1 << 18)


def free_ports(count):
    socks = [socket.socket() for _ in range(count)]
    for sock in socks:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


def read_to_end(sock, size):
    buffer = bytearray(1 << 18)
    while size > 0:
        got = sock.recv_into(buffer)
        if not got:
            raise SystemExit("bench: a connection ended early")
        size -= got


class Server:
    """Of the host: what it does with each connection, one after the other."""

    def __init__(self, handle):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, args=(handle,), daemon=True).start()

    def serve(self, handle):
        while True:
            connection, _ = self.sock.accept()
            with connection:
                handle(connection)


def take_upload(connection):
    read_to_end(connection, BYTES)
    connection.sendall(b"x")


def give_download(connection):
    for _ in range(BYTES // len(CHUNK)):
        connection.sendall(CHUNK)


class Guest:
    """One that runs, and the port of the host for each of its ports."""

    def __init__(self, smk, words, host, target, ports, command=()):
        self.host, self.ports = host, dict(zip(ports, free_ports(len(ports))))
        publish = [word for guest, here in self.ports.items() for word in ("--publish", f"{here}:{guest}")]
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([smk, "run", *words, *publish, target, *command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.errors)

    def connect(self, port):
        """By hand: to look an address up costs as much as a part of what is measured."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.connect(("127.0.0.1", self.ports[port]))
        return sock

    def await_answer(self, question, port):
        """QEMU takes connections before anybody listens in the guest."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with self.connect(port) as sock:
                    sock.settimeout(10)
                    sock.sendall(question)
                    if sock.recv(1):
                        return
            except OSError:
                pass
            time.sleep(0.1)
        self.errors.seek(0)
        raise SystemExit(f"bench: the guest does not answer: {self.errors.read().decode(errors='replace')}")

    def order(self, words):
        with self.connect(COMMANDS) as sock:
            sock.sendall(words.encode())
            read_to_end(sock, 1)

    def cpu_seconds(self):
        """Of smk and all that it started."""
        total, pids = 0, [self.process.pid]
        while pids:
            pid = pids.pop()
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                total += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
                pids += map(int, file.read().split())
        return total / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def guests(smk, target, ports, command=()):
    """With TSI, and with QEMU's network."""
    return [Guest(smk, words, host, target, ports, command)
            for words, host in ((["--net", "tsi:loopback"], "127.0.0.1"), (["--net", "user"], "10.0.2.2"))]


def in_turns(pair, work, amount, turns=TURNS):
    """(rates by the clock: TSI's, the other's, median of the turns' ratios; ratio by the CPU time of all turns)."""
    for guest in pair:
        work(guest)
    rates, cpu = [], [0.0, 0.0]
    for turn in range(turns):
        order = (0, 1) if turn % 2 else (1, 0)
        rate = [0.0, 0.0]
        for index in order:
            before, begin = pair[index].cpu_seconds(), time.monotonic()
            work(pair[index])
            rate[index] = amount / (time.monotonic() - begin)
            cpu[index] += pair[index].cpu_seconds() - before
        rates.append(rate)
    tsi, user = (statistics.median(rate[index] for rate in rates) for index in (0, 1))
    return tsi, user, statistics.median(rate[0] / rate[1] for rate in rates), cpu[1] / cpu[0]


def take_bytes(guest):
    for _ in range(COUNT):
        with guest.connect(CONNECTIONS) as sock:
            if sock.recv(2) != b"x" or sock.recv(1):
                raise SystemExit("bench: a published connection had no byte")


def measure_sockets(smk, program, where):
    bundle = os.path.join(where, "bundle")
    root = os.path.join(bundle, "rootfs")
    for name in ("bin", "dev", "proc", "sys", "etc", "tmp"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(program, os.path.join(root, "bin", "bench"))
    config = machine.default_config()
    config["process"]["args"] = ["/bin/bench"]
    machine.write_json(os.path.join(bundle, "config.json"), config)
    pair = guests(smk, bundle, (COMMANDS, CONNECTIONS))
    sink, source, bytes_of = Server(take_upload), Server(give_download), Server(lambda c: c.sendall(b"x"))
    try:
        for guest in pair:
            guest.await_answer(b"connect %s %d 1" % (guest.host.encode(), bytes_of.port), COMMANDS)
        mib = BYTES / (1 << 20)
        yield "guest to host", "MiB/s", in_turns(pair, lambda g: g.order(f"upload {g.host} {sink.port} {BYTES}"), mib)
        yield "host to guest", "MiB/s", in_turns(pair, lambda g: g.order(f"download {g.host} {source.port} {BYTES}"), mib)
        yield "connections out", "1/s", in_turns(pair, lambda g: g.order(f"connect {g.host} {bytes_of.port} {COUNT}"), COUNT)
        yield "connections in, published", "1/s", in_turns(pair, take_bytes, COUNT)
    finally:
        for guest in pair:
            guest.stop()


def ask_redis(guest, pipeline, count):
    """So many GETs, `pipeline` of them at a time."""
    question, answer = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", b"$-1\r\n"
    with guest.connect(6379) as sock:
        for _ in range(count // pipeline):
            sock.sendall(question * pipeline)
            read_to_end(sock, len(answer) * pipeline)


def ask_nginx(guest, count):
    """By one connection, each after the other."""
    page = http.client.HTTPConnection("127.0.0.1", guest.ports[80])
    for _ in range(count):
        page.request("GET", "/")
        if b"Hello from nginx" not in page.getresponse().read():
            raise SystemExit("bench: nginx gave another page")
    page.close()


SERVICES = (
    ("redis:latest", 6379, b"PING\r\n", ["redis-server", "--save", "", "--protected-mode", "no"], (
        ("redis, a request at a time", lambda guest: ask_redis(guest, 1, 200), 200),
        ("redis, 100 requests at a time", lambda guest: ask_redis(guest, 100, 4000), 4000))),
    ("nginx:latest", 80, b"GET / HTTP/1.0\r\n\r\n", [], (
        ("nginx, a request at a time", lambda guest: ask_nginx(guest, 100), 100),)),
)


def measure_services(smk, images):
    for name, port, question, command, rows in SERVICES:
        pair = guests(smk, os.path.join(images, name), (port,), command)
        try:
            for guest in pair:
                guest.await_answer(question, port)
            for row, work, amount in rows:
                yield row, "1/s", in_turns(pair, work, amount, 5)
        finally:
            for guest in pair:
                guest.stop()


def measure(smk, program, images):
    """Rows of name, unit, and what in_turns() says."""
    with tempfile.TemporaryDirectory(prefix="bench-net") as where:
        yield from measure_sockets(smk, program, where)
    yield from measure_services(smk, images)


if __name__ == "__main__":
    for row in measure(*sys.argv[1:4]):
        print("%-30s %-6s tsi %8.1f user %8.1f ratio %.2f cpu %.2f" % (row[0], row[1], *row[2]), flush=True)
