# SPDX-License-Identifier: Apache-2.0
"""TCP: bytes, both ways."""

from box import LAN, LAN_INET6, boot, step


@boot("v1.17", "v1.19", "mac", "smk", steps=[
    step(f"echo-{size}-{place}", f"echo {ip} {size}")
    for place, ip in (("loopback", "127.0.0.1"), ("lan", LAN), ("inet6", "::1"), ("lan-inet6", LAN_INET6))
    for size in (1, 1024, 1 << 20)])
def tcp(box):
    box.start_peer()
    box.run()
