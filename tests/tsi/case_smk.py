# SPDX-License-Identifier: Apache-2.0
"""smk run --net: what a workload reaches, who reaches it, and that what it sent arrives."""

import os
import socket
import time

import harness
from harness import SMK, case, check, check_equal, wait_until
from smk_case import bundle, can_reach, free_port, pattern, read_all, server, smk

SIZE = 8 << 20


@case()
def bytes_both_ways(context):
    got = []

    def exchange(connection):
        got.append(read_all(connection))
        connection.sendall(b"thanks\n")

    with server(exchange) as up, server(lambda c: c.sendall(pattern(SIZE))) as down:
        smk(context, ["--net", "tsi:loopback"], f"client upload 127.0.0.1 {up} {SIZE} 65536 && "
            f"client download 127.0.0.1 {down} 65536").expect(0, out=f"thanks\n{SIZE} bytes, 0 wrong\n")
    check(got == [pattern(SIZE)], "the host got other bytes")


@case()
def over_ipv6(context):
    with server(lambda c: c.sendall(pattern(1000)), "::1") as port:
        smk(context, ["--net", "tsi:loopback"], "client", "download", "::1", str(port), "100").expect(
            0, out="1000 bytes, 0 wrong\n")


@case()
def loopback_is_refused(context):
    """Of the host; the guest's own is its own."""
    called = []
    with server(called.append) as port, server(called.append, "::1") as port6:
        smk(context, ["--net", "tsi"], f"for a in 127.0.0.1 0.0.0.0 ::ffff:127.0.0.1; do client connect $a {port}; done; "
            f"client connect ::1 {port6}; client serve 99 1 & sleep 1; client connect 127.0.0.1 99; wait").expect(
            0, out="connect: ECONNREFUSED\n" * 4 + "listening\nconnected\nserved\n")
    check_equal(called, [], "connections at the host")


@case()
def link_local_is_refused(context):
    smk(context, ["--net", "tsi:loopback"], "client connect 169.254.169.254 80; client ask 169.254.169.254 53 x").expect(
        1, out="connect: EACCES\nconnect: EACCES\n")


@case()
def datagrams(context):
    def answer(sock):
        data, address = sock.recvfrom(1000)
        sock.sendto(b"to " + data, address)

    with server(answer, kind=socket.SOCK_DGRAM) as port:
        smk(context, ["--net", "tsi:loopback"], "client", "ask", "127.0.0.1", str(port), "question").expect(
            0, out="to question\n")
        smk(context, ["--net", "tsi"], "client", "ask", "127.0.0.1", str(port), "question").expect(
            1, out="connect: ECONNREFUSED\n")


@case()
def published(context):
    """From the host, while the guest listens; a port that is not published is nobody's."""
    port, other = free_port(), free_port()
    process = context.popen([SMK, "run", "--kernel", harness.KERNEL, "--net", "tsi", "--publish", f"{port}:80",
                             bundle(context, f"client serve {other} 1 & client serve 80 20; kill %1")],
                            stdout=-1, stderr=-1)
    for _ in range(2):
        check_equal(process.stdout.readline(), b"listening\n", "output")
    with socket.socket() as sock:
        check_equal(sock.connect_ex(("127.0.0.1", other)), 111, "what the port says that is not published")
    wait_until(lambda: can_reach(port), 10, "listener")
    for number in range(19):
        check_equal(echo(port, b"%d" % number), b"%d" % number, "what comes back")
    out, err = process.communicate()
    check_equal(out.splitlines()[-1:], [b"served"], f"output ({err!r})")


def echo(port, data):
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


@case()
def what_was_sent_arrives(context):
    """The guest is gone when the host's program begins to read."""
    got = []

    def late(connection):
        wait_until(lambda: is_powered_off(context), 30, "end of QEMU")
        got.append(read_all(connection))

    size = 3 << 20
    with server(late) as port:
        smk(context, ["--net", "tsi:loopback"],
            f"(client upload 127.0.0.1 {port} {size} 65536) & while ! [ -e /tmp/x ]; do sleep 1; touch /tmp/x; done").expect(0)
        wait_until(lambda: got, 10, "upload")
    check(len(got[0]) > 1 << 20, f"{len(got[0])} bytes arrived")
    check(got[0] == pattern(size)[:len(got[0])], "other bytes arrived")


def is_powered_off(context):
    name = context.path("bundle").encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
        except OSError:
            continue
        if b"qemu-system-aarch64" in line and name in line:
            return False
    return True


@case()
def control_over_vsock(context):
    """Streams and the exit record by TSI's process; and the guest's sockets, too."""
    with server(lambda c: c.sendall(pattern(1000))) as port:
        result = smk(context, ["--net", "tsi:loopback,control"],
                     f"client download 127.0.0.1 {port} 100; head -c 3000000 /dev/zero; echo end >&2; exit 7").expect(7)
    check_equal(len(result.out), 3000000 + len("1000 bytes, 0 wrong\n"), "bytes of output")
    check_equal(result.errors, "end\n", "stderr")


@case()
def user_network(context):
    with server(lambda c: c.sendall(pattern(100000))) as port:
        smk(context, ["--net", "user"], f"cat /etc/resolv.conf; client download 10.0.2.2 {port} 65536").expect(
            0, out="nameserver 10.0.2.3\n100000 bytes, 0 wrong\n")


@case()
def no_network(context):
    begin = time.monotonic()
    smk(context, ["--net", "none"], "client", "connect", "192.0.2.1", "80").expect(1, out="connect: ENETUNREACH\n")
    check(time.monotonic() - begin < 30, "it took long")
