#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
alone.py RESOLV_CONF COMMAND...: a host of its own for a command, in namespaces of network and mounts.

It has loopback and a card with addresses of every scope; LINK in the environment is the card's number. On all of
them port 80 of TCP and port 7 of UDP say which address they were asked at, and port 53 of UDP is a name server, for
which every name is 192.0.2.80. RESOLV_CONF is the text of /etc/resolv.conf.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading

ADDRESSES = ("192.0.2.80/24", "169.254.9.9/16", "2001:db8::80/64", "fe80::9/64")
ANSWER = bytes([192, 0, 2, 80])


def name_of(address):
    return address[0].removeprefix("::ffff:").split("%")[0]


def serve_streams():
    with socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(name_of(connection.getsockname()).encode() + b"\n")


def local_of(control):
    """The address that a datagram came to, by IPV6_PKTINFO."""
    return next(socket.inet_ntop(socket.AF_INET6, data[:16]) for level, kind, data in control
                if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO))


def serve_datagrams(port, answer):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.bind(("::", port))
        while True:
            data, control, _, address = sock.recvmsg(2000, 200)
            info = [c for c in control if c[1] == socket.IPV6_PKTINFO]  # and so is the answer's source
            sock.sendmsg([answer(data, name_of((local_of(control),)))], info, 0, address)


def dns_answer(query, _):
    """RFC 1035: the question again; for type A with an address."""
    end = query.index(0, 12) + 5
    is_a = query[end - 4:end - 2] == b"\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + ANSWER if is_a else b""
    return query[:2] + b"\x81\x80\0\1\0" + bytes([is_a]) + b"\0\0\0\0" + query[12:end] + record


def set_up(resolv_conf):
    for command in ("ip link set lo up", "ip link add card type veth peer name other", "ip link set card addrgenmode none",
                    *(f"ip address add {address} dev card" for address in ADDRESSES), "ip link set other up",
                    "ip link set card up", f"mount --bind {resolv_conf} /etc/resolv.conf", "mount -t tmpfs none /run"):
        subprocess.run(command.split() + ["nodad"] * ("::" in command), check=True)


def main():
    if sys.argv[1] != "--inside":
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, *sys.argv[:1], "--inside", *sys.argv[1:]])
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(sys.argv[2])
        file.flush()
        set_up(file.name)
        for target, *args in ((serve_streams,), (serve_datagrams, 7, lambda _, name: name.encode()),
                              (serve_datagrams, 53, dns_answer)):
            threading.Thread(target=target, args=args, daemon=True).start()
        environment = dict(os.environ, LINK=str(socket.if_nametoindex("card")))
        return subprocess.run(sys.argv[3:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
