# SPDX-License-Identifier: Apache-2.0
"""Addresses of one link: what goes to the host, with which scope, and what does not."""

import subprocess

from box import boot, step

# Of the namespace's lo, whose number is 1 there as in the guest.
LINK, OWN = "fe80::77", "fe80::5"


def start(box):
    subprocess.run(["ip", "-6", "addr", "add", f"{LINK}/64", "dev", "lo", "nodad"], check=True)
    box.start_peer("127.0.0.1", f"{LINK}%1")
    box.run()


@boot("v1.17", "v1.19", "smk", steps=[
    step("host", f"scope-host {LINK}%1", rows=(19,)),
    step("device", f"scope-device {LINK}%1", rows=(19,))])
def scope(box):
    """Links of the host's."""
    start(box)


@boot("smk", append="tsi_hijack dummy.numdummies=1", steps=[
    step("refused", f"scope-refused {LINK}", rows=(19,)),
    step("local", f"scope-local {OWN}"),
    step("native", f"scope-native {LINK}%1 {OWN}")])
def scope_inside(box):
    """Nothing is asked of the host, but to listen."""
    start(box)
    box.check_counter("connect", 0)
