#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds-rules.py DIRECTORY: bytes of every shape, from which fuzz_seccomp.c and fuzz_device.c make rules."""
import pathlib
import sys

SEEDS = [bytes(range(256)), bytes([0x3b] * 40), bytes([8, 0, 0, 0, 0]), bytes([0x31, 11, 201, 0x0e, 0, 0]),
         bytes((7 * i * i + 3) % 256 for i in range(200)), bytes([0x1f, 2, 4] * 30), b""]
for number, seed in enumerate(SEEDS):
    (pathlib.Path(sys.argv[1]) / str(number)).write_bytes(seed)
