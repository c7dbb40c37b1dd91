# SPDX-License-Identifier: Apache-2.0
"""UDP."""

from box import LAN, LAN_INET6, boot, step


@boot("v1.17", "v1.19", "smk", steps=[
    *(step(f"{kind}-{size}", f"resolve {kind} 127.0.0.1 {size}", rows=(7, 16, 17))
      for kind in ("connected", "sendto") for size in (512, 1232, 4096)),
    step("connected-lan", f"resolve connected {LAN} 512", rows=(7,)),
    step("sendto-lan", f"resolve sendto {LAN} 512"),
    step("connected-inet6", "resolve connected ::1 1232", rows=(7,)),
    step("sendto-lan-inet6", f"resolve sendto {LAN_INET6} 1232"),
    step("two-resolvers", f"two-resolvers 127.0.0.1 {LAN}", rows=(16,)),
    step("two-resolvers-inet6", f"two-resolvers ::1 {LAN_INET6}", rows=(16,)),
    step("send-big", "send-big 127.0.0.1 65507", rows=(17,)),
    step("send-33000", f"send-big {LAN} 33000", rows=(17, 29)),
    step("boundaries", "boundaries 127.0.0.1"),
    step("local", "udp-local 127.0.0.1", rows=(7, 8)),
    step("local-inet6", "udp-local ::1", rows=(7, 8)),
    step("local-server", "udp-local-server 127.0.0.1", rows=(8,)),
    step("local-server-inet6", "udp-local-server ::1", rows=(8,)),
    step("unspecified", "unspecified 127.0.0.1", rows=(19,)),
    step("unspecified-inet6", "unspecified ::1", rows=(19,)),
    step("unspecified-lan", f"unspecified {LAN}", rows=(19,))])
def datagram(box):
    box.start_peer()
    box.run()
