# SPDX-License-Identifier: Apache-2.0
"""Sockets that are not used, other kinds of sockets, other namespaces, no host at all, and the switch."""

import errno

from box import LAN, LAN_INET6, boot, step


@boot("smk", timeout=600, steps=[step("sockets", "lazy 5000", rows=(22,), limit=400)])
def lazy(box):
    """Nothing is on the wire."""
    box.run()
    box.check_counter("packets_in", 0)


@boot("smk", steps=[step("kinds", "other-kinds", rows=(15,)), step("vsock", "vsock-stream")])
def other(box):
    """Nothing is on the wire, though the host would take it."""
    box.start_peer()
    box.run()
    box.check_counter("packets_in", 0)


@boot("none", backend=False, steps=[
    step("local", "local 127.0.0.1", rows=(22,)),
    step("local-inet6", "local ::1", rows=(22,)),
    step("remote", f"fails {LAN} {errno.ENETUNREACH}", rows=(22,)),
    step("remote-inet6", f"fails {LAN_INET6} {errno.ENETUNREACH}", rows=(22,)),
    step("others", "no-host", rows=(22,))])
def no_device(box):
    box.run()


@boot("smk", "v1.17", append="vmw_vsock_virtio_transport.dgram=1", steps=[step("families", "families")])
def explicit(box):
    """Without the word on the command line, and with a QEMU that does not pass the feature bit on."""
    box.start_peer()
    box.run()


@boot("smk", steps=[step("switch", "switched", rows=(33,))])
def switched(box):
    box.start_peer()
    box.run()


@boot("smk", append="tsi_hijack=0", steps=[step("off", "is-off 127.0.0.1"), step("local", "local 127.0.0.1")])
def switched_off(box):
    """The same as without the word: nothing is on the wire."""
    box.start_peer()
    box.run()
    box.check_counter("packets_in", 0)


@boot("mac", steps=[step("time", "host-time"), step("stream", "vsock-stream", rows=(33,)), step("stranger", "vsock-stranger")])
def vsock(box):
    box.start_peer()
    box.run()


@boot("smk", "v1.17", "v1.19", steps=[step("reader", "slow-reader 127.0.0.1", limit=60)])
def slow(box):
    box.start_peer()
    box.run()


@boot("smk", "v1.17", steps=[step("namespaces", "namespaces", rows=(7, 32), limit=60)])
def nested(box):
    box.start_peer()
    box.run()
