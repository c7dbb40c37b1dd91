# SPDX-License-Identifier: Apache-2.0
"""The conversion of an image that a signal ends: soon, whatever it is at, and with nothing left."""

import gzip
import os
import signal
import subprocess
import time

from case_image_bad import GOOD, OTHER, one_layer, sparse
from harness import SMK, case, check, check_equal, check_in, wait_until
from host_case import fake_qemu, own_cache
from image_builder import Image, layer


def long_tail(path):
    """50 GiB of zeros behind the tar's end."""
    data = gzip.compress(GOOD) + gzip.compress(bytes(64 << 20)) * 800
    return Image([layer(GOOD, "+gzip", packed=data, diff=OTHER)]).layout(path)


def empty_members(path):
    """A compressed stream of nothing, for some seconds."""
    data = gzip.compress(GOOD) + gzip.compress(b"") * (16 << 20)
    return Image([layer(GOOD, "+gzip", packed=data, diff=OTHER)]).layout(path)


LONG = {"hole": one_layer(sparse(1 << 40)), "tail": long_tail, "members": empty_members}


@case(timeout=60)
def conversion_ends_by_a_signal(context):
    """In a hole, behind the tar's end, between a compressor's streams: each would take long."""
    fake_qemu(context, "warning")
    own_cache(context)
    layers = context.path("cache", "smk", "layers")
    for name, write in LONG.items():
        process = context.popen([SMK, "run", "--max-layer-size", "2T", write(context.path(name))], stderr=subprocess.PIPE)
        wait_until(lambda: os.path.isdir(layers) and any(".tmp-" in n for n in os.listdir(layers)), 20, "temporary file")
        time.sleep(0.3)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=context.left())
        took = time.monotonic() - begin
        check_equal(process.returncode, 125, f"{name}: exit code")
        check_in(b"ended by a signal", errors, f"{name}: stderr")
        check_equal(os.listdir(layers), [], f"{name}: left in the cache")
        check(took < 3, f"{name}: it took {took:.1f} s to end")
