# SPDX-License-Identifier: Apache-2.0
"""Servers of the host for real programs in the guest: names, pages, and a client for redis."""

import contextlib
import functools
import http.server
import os
import socket
import socketserver
import subprocess
import threading

from harness import FIXTURES, check_equal, wait_until
from smk_case import can_reach, free_port

TYPE_A = 1
NO_NAME = 3


def parse_question(query):
    """The name, its type, and the bytes of both."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), int.from_bytes(query[at + 1:at + 3], "big"), query[12:at + 5]


def answer(query, names):
    """What there is of a name: its IPv4 address; of another type nothing; and of another name, that there is none."""
    name, kind, question = parse_question(query)
    address = names.get(name)
    records = b""
    if address and kind == TYPE_A:
        records = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(address)
    flags = 0x8580 | (0 if address else NO_NAME)
    return query[:2] + flags.to_bytes(2, "big") + b"\0\x01" + bool(records).to_bytes(2, "big") + bytes(4) + question + records


@contextlib.contextmanager
def running(server):
    """A server of socketserver's, in a thread."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextlib.contextmanager
def name_server(address, names):
    """On port 53; gives the list of the names that were asked for."""
    asked = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            query, sock = self.request
            asked.append(parse_question(query)[0])
            sock.sendto(answer(query, names), self.client_address)

    with running(socketserver.UDPServer((address, 53), Handler)):
        yield asked


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def page_server(address, directory):
    """Gives the port."""
    handler = functools.partial(Quiet, directory=directory)
    with running(http.server.ThreadingHTTPServer((address, 0), handler)) as server:
        yield server.server_address[1]


@contextlib.contextmanager
def redis_server(context):
    """The fixture's server by qemu-user, on a port of the loopback address; gives the port."""
    root = os.path.join(FIXTURES, "redis", "rootfs")
    port = free_port()
    process = context.popen(["qemu-aarch64-static", "-L", root, os.path.join(root, "usr", "bin", "redis-server"), "--bind",
                             "127.0.0.1", "--port", str(port), "--save", "", "--dir", context.dir],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_until(lambda: can_reach(port), 20, "redis of the host's")
    yield port
    process.terminate()
    check_equal(process.wait(), 0, "exit code of the host's redis")


class Redis:
    """A client: commands as lists of bytes, answers as bytes or numbers."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, *words):
        self.sock.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))

    def receive(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return rest

    def ask(self, *words):
        self.send(*words)
        return self.receive()
