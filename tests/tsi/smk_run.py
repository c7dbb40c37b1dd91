#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""smk run --net with the real kernel, which is $TSI_KERNEL's if that is set."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "vm")]

import harness  # noqa: E402

harness.EXTRA_ENV["SUPERMACHINE_INIT_OCI_PATH"] = harness.INIT
harness.KERNEL = os.path.abspath(os.environ.get("TSI_KERNEL", harness.KERNEL))

import case_programs  # noqa: E402,F401
import case_smk  # noqa: E402,F401
import case_smk_guest  # noqa: E402,F401

if __name__ == "__main__":
    sys.exit(harness.main("tsi-smk", sys.argv[1:]))
