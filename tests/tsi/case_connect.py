# SPDX-License-Identifier: Apache-2.0
"""connect(), accept() and listen() of TCP."""

import errno

from box import LAN, LAN_INET6, boot, step

EVERYWHERE = (("loopback", "127.0.0.1"), ("lan", LAN), ("inet6", "::1"), ("lan-inet6", LAN_INET6))


@boot("v1.17", "v1.19", "mac", "smk", steps=[
    *(step(f"refused-{place}", f"refused {ip}", rows=(20,)) for place, ip in EVERYWHERE),
    *(step(f"failing-{place}", f"failing {ip}", rows=(4,)) for place, ip in EVERYWHERE),
    step("unreachable", f"fails 192.0.2.1 {errno.ENETUNREACH}"),
    step("unreachable-inet6", f"fails 2001:db8:1::1 {errno.ENETUNREACH}"),
    step("reused", "reused 127.0.0.1", rows=(20, 23)),
    step("nonblocking", "nonblocking 127.0.0.1", rows=(4,)),
    step("nonblocking-inet6", "nonblocking ::1", rows=(4,))])
def connect(box):
    box.start_peer()
    box.run()


@boot("mute", steps=[
    step("time", "write /proc/sys/net/tsi/connect_timeout 2"),
    step("times-out", "times-out", rows=(24,)),
    step("interrupted", "interrupted", rows=(23,)),
    step("pending", "pending", rows=(4,)),
    step("given-up", "given-up", rows=(24,)),
    step("listen", "native-only 8500", rows=(24,)),
    step("local", "local 127.0.0.1", rows=(24,)),
    step("empty", "empty-quiet", rows=(3,))])
def silence(box):
    box.start_peer()
    box.run()


@boot("deny", steps=[
    step("lan", f"fails {LAN} {errno.EACCES}"),
    step("lan-inet6", f"fails {LAN_INET6} {errno.EACCES}"),
    step("loopback", f"fails 127.0.0.1 {errno.ECONNREFUSED}"),  # it has no other reason to fail
    step("listen", "native-only 8500", rows=(14,)),
    step("empty", "empty-quiet", rows=(3,)),
    step("local", "local 127.0.0.1", rows=(14,))])
def refusal(box):
    box.start_peer()
    box.run()


@boot("v1.17", "v1.19", "mac", "smk", steps=[
    step("flags", "flags", rows=(3,)),
    step("empty", "empty", rows=(3,)),
    step("empty-quiet", "empty-quiet", rows=(3,)),
    step("while-accepting", "while-accepting", rows=(2,)),
    step("closed-while-accepting", "closed-while-accepting", rows=(2,))])
def accept(box):
    box.start_peer()
    box.run()


@boot("v1.17", "v1.19", "smk", publish=("127.0.0.1:9001:8001",), steps=[
    step("once", "published 8001 9001 1 1 10"),
    step("parallel", "published 8001 9001 100 100 2000"),
    step("on-its-own-port", "published 8002 8002 10 1 100000"),
    step("many", "sequential 8003 900", rows=(21,), limit=60),
    step("many-in-full", "sequential 8004 15000", rows=(21,), limit=600, is_long=True),
    step("bind-0", "any-port bind", rows=(11,)),
    step("no-bind", "any-port", rows=(12,)),
    step("taken-port", "native-only 7000"),
    step("closed", "unpublished 8005 closed")], timeout=900)
def listen(box):
    box.start_peer()
    box.run()


@boot("v1.17", steps=[
    step("publish", "write /proc/sys/net/tsi/publish 0"),
    step("local", "local 127.0.0.1", rows=(13,)),
    step("local-inet6", "local ::1", rows=(13,)),
    step("udp", "udp-inside 127.0.0.1", rows=(7, 8)),
    step("udp-inet6", "udp-inside ::1", rows=(7, 8)),
    step("loopback", "write /proc/sys/net/tsi/loopback 1"),
    step("nobody", "nobody 127.0.0.1"),
    step("nobody-inet6", "nobody ::1")])
def local(box):
    box.start_peer()
    box.run()
    box.check_counter("packets_in", 0)


@boot("v1.17", steps=[
    step("local", "local 127.0.0.1", rows=(13,)),
    step("local-inet6", "local ::1", rows=(13,))])
def local_published(box):
    box.start_peer()
    box.run()
    box.check_counter("listen", 2)
    for name in ("connect", "children", "accept", "getname"):
        box.check_counter(name, 0)


@boot("v1.17", steps=[
    step("publish", "write /proc/sys/net/tsi/publish 0"),
    step("unpublished", "unpublished 8101", rows=(14,))])
def not_published(box):
    box.start_peer()
    box.run()
    box.check_counter("listen", 0)


REFUSED = [step("listen", "native-only 8500", rows=(14,)), step("local", "local 127.0.0.1"),
           step("local-inet6", "local ::1"), step("client", "echo 127.0.0.1 100")]


@boot("v1.17", refuse_listen=errno.EPERM, steps=REFUSED)
def listen_eperm(box):
    box.start_peer()
    box.run()
    box.check_counter("children", 0)


@boot("v1.17", refuse_listen=errno.EADDRINUSE, steps=REFUSED)
def listen_eaddrinuse(box):
    box.start_peer()
    box.run()
    box.check_counter("children", 0)


@boot("v1.17", refuse_listen=errno.EADDRNOTAVAIL, steps=REFUSED)
def listen_eaddrnotavail(box):
    box.start_peer()
    box.run()
    box.check_counter("children", 0)


@boot("v1.17", refuse_listen=errno.EACCES, steps=REFUSED)
def listen_eacces(box):
    box.start_peer()
    box.run()
    box.check_counter("children", 0)
