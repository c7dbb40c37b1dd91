#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [-j N] [PATTERN]: init-oci as PID 1 in namespaces."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))

import harness  # noqa: E402
import test_channel  # noqa: E402,F401
import test_config  # noqa: E402,F401
import test_faults  # noqa: E402,F401
import test_hardening  # noqa: E402,F401
import test_hooks  # noqa: E402,F401
import test_kernel_files  # noqa: E402,F401
import test_layers  # noqa: E402,F401
import test_limits  # noqa: E402,F401
import test_links  # noqa: E402,F401
import test_mounts  # noqa: E402,F401
import test_namespaces  # noqa: E402,F401
import test_network  # noqa: E402,F401
import test_paths  # noqa: E402,F401
import test_process  # noqa: E402,F401
import test_schedule  # noqa: E402,F401
import test_seccomp  # noqa: E402,F401
import test_streams  # noqa: E402,F401

sys.exit(harness.main(os.environ.get("NS_SUITE", "ns"), sys.argv[1:]))
