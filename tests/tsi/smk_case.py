# SPDX-License-Identifier: Apache-2.0
"""What the cases of smk run --net share: a root with the client, servers of the host, and smk with its options."""

import contextlib
import os
import shutil
import socket
import threading

import harness
from harness import BUILD, FIXTURES, base_config, small_root, write_config

CLIENT = os.path.join(BUILD, "aarch64", "tests", "tsi", "client")
LOCK = threading.Lock()


def root():
    """The small root and the client, made once for each of both."""
    small = small_root()
    path = f"{small}-{os.stat(CLIENT).st_mtime_ns}"
    with LOCK:
        if not os.path.isdir(path):
            new = f"{path}.new-{os.getpid()}"
            shutil.copytree(small, new, symlinks=True)
            shutil.copy2(CLIENT, os.path.join(new, "bin", "client"))
            os.rename(new, path)
    return path


def bundle(context, *args, rootfs=None):
    """A program with its words, or a script; in a root of the fixtures' if one is named."""
    config = base_config()
    config["process"]["args"] = list(args) if len(args) > 1 else ["/bin/sh", "-c", args[0]]
    config["root"]["path"] = os.path.join(FIXTURES, rootfs, "rootfs") if rootfs else root()
    write_config(context.path("bundle"), config)
    return context.path("bundle")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def can_reach(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def smk(context, words, *args):
    """smk run with a network; the workload is the client's words, or a script."""
    return context.smk("run", "--kernel", harness.KERNEL, *words, bundle(context, *args))


def pattern(size):
    """The bytes that the client sends, and expects."""
    period = bytes(place * 2654435761 >> 13 & 0xFF for place in range(1 << 21))
    return (period * (size // len(period) + 1))[:size]


@contextlib.contextmanager
def server(handle, address="127.0.0.1", kind=socket.SOCK_STREAM):
    """Gives the port; handle(connection) runs for each, in a thread. Of datagrams: handle(socket), once."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as sock:
        sock.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
        thread = threading.Thread(target=serve, args=(sock, handle, kind), daemon=True)
        thread.start()
        yield sock.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            sock.shutdown(socket.SHUT_RDWR)


def serve(sock, handle, kind):
    if kind == socket.SOCK_DGRAM:
        handle(sock)
        return
    while True:
        try:
            connection, _ = sock.accept()
        except OSError:
            return
        threading.Thread(target=handle_one, args=(handle, connection), daemon=True).start()


def handle_one(handle, connection):
    with connection:
        try:
            handle(connection)
        except OSError:
            pass


def read_all(connection):
    data = bytearray()
    while part := connection.recv(1 << 20):
        data += part
    return bytes(data)
