# SPDX-License-Identifier: Apache-2.0
"""Names and options of sockets, and IPv6."""

from box import LAN, LAN_INET6, boot, step


@boot("v1.17", "smk", steps=[
    *(step(f"{name}{suffix}", f"names {number} {ip}", rows=(25,))
      for suffix, ip in (("", "127.0.0.1"), ("-inet6", "::1"))
      for number, name in enumerate(("client", "server", "datagram"))),
    step("lan", f"names-lan {LAN}", rows=(25,)),
    step("lan-inet6", f"names-lan {LAN_INET6}", rows=(25,)),
    step("mapped", "mapped 127.0.0.1"),
    step("dual", "dual 0"),
    step("v6only", "dual 1"),
    step("scope", "scope 127.0.0.1")])
def names(box):
    box.start_peer()
    box.run()


@boot("v1.17", "smk", steps=[
    step("tcp", "options tcp 127.0.0.1", rows=(10,)),
    step("udp", "options udp 127.0.0.1", rows=(9, 10)),
    step("no-tls", "no-tls 127.0.0.1", rows=(10,)),
    step("receive-limit", "receive-limit 127.0.0.1", rows=(10,)),
    step("send-limit", "send-limit 127.0.0.1", rows=(10,)),
    step("low-water", "low-water 127.0.0.1", rows=(10,)),
    step("send-to-connected", "send-to-connected 127.0.0.1", rows=(19,)),
    step("send-to-connected-inet6", "send-to-connected ::1", rows=(19,))])
def options(box):
    box.start_peer()
    box.run()
