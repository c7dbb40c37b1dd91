# SPDX-License-Identifier: Apache-2.0
"""The guest behind the tests' host (tests/tsi/backend.c): each manner of a host, and nothing wrong on the wire."""

import json
import os
import subprocess

from harness import BUILD, base_config, case, check, check_equal
from images import make
from machine import Machine
from tsi_case import LOCK, pattern, read_all, root, server

BACKEND = os.path.join(BUILD, "debug", "tests", "tsi", "backend")
SIZE = 100 << 20


def image(context):
    path = root() + ".squashfs"
    with LOCK:
        if not os.path.exists(path):
            make(context, "squashfs", root(), f"{path}.new")
            os.rename(f"{path}.new", path)
    return path


def boot(context, profile, script, *options):
    """The script's output, and what the host has seen; a violation is a failure."""
    path = context.path("vsock")
    backend = context.popen([BACKEND, "--profile", profile, *options, path], stdout=subprocess.PIPE)
    check_equal(backend.stdout.readline(), b"listening\n", "the backend's first line")
    config = base_config()
    config["process"]["args"] = ["/bin/sh", "-c", script]
    config["root"]["path"] = "/"
    machine = Machine(context, config, "tsi_hijack").disk(image(context), "smk-layer-000")
    machine.argv += ["-object", "memory-backend-memfd,id=mem,size=128M,share=on", "-machine", "memory-backend=mem",
                     "-chardev", f"socket,id=vsock,path={path}", "-device", "vhost-user-vsock-device,chardev=vsock"]
    outcome = machine.boot()
    seen = json.loads(backend.communicate()[0])
    check_equal(seen["texts"], [], f"what is wrong on the wire with {profile}")
    check_equal(backend.returncode, 0, "the backend's exit code")
    return outcome, seen["counters"]


def exchange(profile):
    """A case: 100 MiB each way, with writes of several sizes."""

    def run(context):
        got = []
        with server(lambda c: got.append(read_all(c))) as up, server(lambda c: c.sendall(pattern(SIZE))) as down:
            outcome, counters = boot(context, profile,
                                     f"client upload 127.0.0.1 {up} {SIZE} 1000000; client download 127.0.0.1 {down} 65536; "
                                     f"client upload 127.0.0.1 {up} 10000 1")
        outcome.expect(0, f"{SIZE} bytes, 0 wrong\n")
        check_equal([len(g) for g in got], [SIZE, 10000], "bytes at the host")
        check(got[0] == pattern(SIZE), "the host got other bytes")
        check_equal(counters["create"], counters["release"], "proxies released")
        check_equal(counters["connect"], 3, "connections")

    run.__name__ = "exchange_" + profile.replace(".", "_")
    case(timeout=240)(run)


for name in ("smk", "v1.17", "v1.19"):
    exchange(name)


def refused(profile, *lines):
    """A case: what a connection to a host's port comes to."""

    def run(context):
        outcome, _ = boot(context, profile, "client connect 127.0.0.1 1; client ask 127.0.0.1 1 x; client serve 80 0")
        outcome.expect(0, "".join(line + "\n" for line in lines))

    run.__name__ = "refused_by_" + profile
    case()(run)


refused("deny", "connect: EACCES", "connect: EACCES", "listening", "served")
refused("mac", "connect: ECONNREFUSED", "recv: EAGAIN", "listening", "served")


@case()
def nothing_is_left(context):
    """Of a hundred connections that were never closed, when the machine ends."""
    with server(read_all) as port:
        outcome, counters = boot(context, "v1.17", f"client idle 127.0.0.1 {port} 100")
    outcome.expect(0, "idle\n")
    check_equal((counters["create"], counters["release"], counters["left"]), (100, 100, 0), "created, released, left")


@case()
def what_stays_in_the_guest(context):
    """A listener of the guest's own is found without the host."""
    outcome, counters = boot(context, "v1.17",
                             "client serve 99 1 & while ! client connect 127.0.0.1 99; do sleep 1; done; wait")
    check("connected" in outcome.out and "served" in outcome.out, outcome.out)
    check_equal(counters["children"], 0, "connections that came by the host")
