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


def bulk(profile):
    """Twelve MiB are more than a host takes ahead; the long ones are of full size."""
    for size, is_long in ((12 << 20, False), (100 << 20, True)):
        yield step(f"upload-{size}", f"upload 127.0.0.1 {size}", rows=(29,), limit=300, is_long=is_long)
        yield step(f"download-{size}", f"download 127.0.0.1 {size}", rows=(29,), limit=300, is_long=is_long)
    for size in (1, 1000, 1 << 20):
        yield step(f"upload-by-{size}", f"upload 127.0.0.1 {min(1 << 20, 10000 * size)} {size}", rows=(29,))
        yield step(f"download-by-{size}", f"download 127.0.0.1 {min(1 << 20, 10000 * size)} {size}")
    yield step("both", "both 127.0.0.1 8388608", rows=(1,))
    yield step("both-in-full", "both 127.0.0.1 52428800", rows=(1,), limit=300, is_long=True)
    yield step("while-reading", "while-reading 127.0.0.1", rows=(1,))


@boot("v1.17", "v1.19", "smk", steps=bulk, timeout=900)
def stream(box):
    box.start_peer()
    box.run()


@boot("v1.17", "v1.19", "mac", "smk", steps=[
    step("half-close", "half-close 127.0.0.1"),
    step("peer-end", "peer-end 127.0.0.1"),
    step("close-early", "close-early 127.0.0.1"),
    step("close-delivers", "close-delivers"),
    step("linger", "linger 127.0.0.1"),
    step("peer-reset", "peer-reset 127.0.0.1"),
    step("client-reset", "client-reset")])
def end(box):
    box.start_peer()
    box.run()


@boot("smk", steps=[step("peer-half-close", "peer-half-close")])
def end_of_half(box):
    box.start_peer()
    box.run()


@boot("v1.17", steps=[
    step("time", "write /proc/sys/net/tsi/connect_timeout 2"),
    step("host-dies", "host-dies"),
    step("local", "local 127.0.0.1")])
def backend_killed(box):
    """What is on the wire is of no interest then."""
    box.start_peer()
    box.start()
    box.wait_line("^kill it$")
    box.backend.kill()
    box.finish(has_backend=False)
