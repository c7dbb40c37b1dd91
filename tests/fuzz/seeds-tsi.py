#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-tsi.py DIRECTORY: a connection that is made, used and ended, in the bytes that fuzz_tsi.c decides by."""
import pathlib
import sys

BUFFERS, ROUND, CLIENT = [110, 15], [255], [185]


def control(slot, port, kind, *words, source=3):
    """One message to TSI_PORT_CREATE + port, from port 100 + source: family INET and the proxy 100."""
    return [0, slot, 1, source, 1, port, 1, 1, 0, 1, 0, kind, *words, 1, 1]


def stream(slot, op, length, flags=0):
    """A packet of the stream 100."""
    return [0, slot, 1, 0, 1, 0, 0, 255, 0, 1, 0, 3, 0, 1, 1, op, flags, length, 1]


CREATE = control(0, 0, 0, 0)
CREATE_DATAGRAM = control(0, 0, 0, 1)
CONNECT = control(1, 1, 1, 0)
LISTEN = control(1, 5, 2, 1, 8)
ACCEPT, GETNAME, RELEASE = (control(2, n, 3, 205) for n in (6, 2, 7))
DATA = control(2, 8, 3, 0, source=0)
OPEN = BUFFERS + CREATE + CONNECT + ROUND + ROUND + stream(2, 1, 0) + ROUND
SEEDS = [
    OPEN + stream(3, 5, 20) + ROUND + [140, 4, 9] + ROUND + stream(4, 4, 0, 3) + ROUND + RELEASE + ROUND,
    OPEN + [140, 0, 0] + ROUND + stream(3, 3, 0) + ROUND,
    OPEN + [140, 1, 0] + ROUND + stream(3, 5, 200) + ROUND,
    BUFFERS + CREATE + LISTEN + ROUND + CLIENT + ROUND + ACCEPT + GETNAME + ROUND + RELEASE + ROUND,
    BUFFERS + CREATE_DATAGRAM + CONNECT + ROUND + DATA + ROUND + [140, 4, 9] + ROUND + RELEASE,
    BUFFERS + [102, 1, 1, 0, 1, 0, 3, 16, 1, 1, 3] + ROUND,
]
for number, seed in enumerate(SEEDS):
    (pathlib.Path(sys.argv[1]) / f"{number}").write_bytes(bytes(seed))
