# SPDX-License-Identifier: Apache-2.0
"""A device that goes and comes back: the host has forgotten, or, as this one, not."""

from box import LAN, boot, step


@boot("smk", "v1.17", "v1.19", cpus=2, steps=[
    step("loopback", "reset 127.0.0.1", limit=60),
    step("lan", f"reset {LAN}", limit=60),
    step("inet6", "reset ::1", limit=60)])
def reset(box):
    box.start_peer()
    box.run()


@boot("smk", "v1.17", cpus=2, steps=[step("busy", "reset-busy 127.0.0.1 5", limit=60)])
def reset_busy(box):
    """What is closed while there is no device is never released, and what is on its way is lost: the wire is not judged."""
    box.start_peer()
    box.run(is_clean=False)


@boot("busy", steps=[step("refused", "reset-refused 4")])
def reset_refused(box):
    """Twice, a second after each other: the third time the listener is published again."""
    box.start_peer()
    box.run()
    box.check_counter("listen", 4)


@boot("mute", steps=[step("pending", "reset-pending")])
def reset_pending(box):
    box.start_peer()
    box.run()
