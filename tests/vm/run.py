#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Virtual machines with the committed kernel and the tree's init-oci."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "images")]

import harness  # noqa: E402

# The tree's init-oci: `make assets-check` says whether the committed one is the same.
harness.EXTRA_ENV["SUPERMACHINE_INIT_OCI_PATH"] = harness.INIT

import case_cgroup  # noqa: E402,F401
import case_run  # noqa: E402,F401
import case_tty  # noqa: E402,F401
import case_probe  # noqa: E402,F401
import case_disks  # noqa: E402,F401
import case_bad  # noqa: E402,F401
import case_fixtures  # noqa: E402,F401
import case_guest  # noqa: E402,F401
import case_memory  # noqa: E402,F401
import case_hardening  # noqa: E402,F401
import case_hooks  # noqa: E402,F401
import case_bake  # noqa: E402,F401
import case_services  # noqa: E402,F401
import case_volumes  # noqa: E402,F401
import case_image_options  # noqa: E402,F401
import case_image_tree  # noqa: E402,F401
import case_image_tools  # noqa: E402,F401

if __name__ == "__main__":
    sys.exit(harness.main("vm", sys.argv[1:]))
