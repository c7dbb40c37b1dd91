#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""smk without a guest: options, bundles, packing, QEMU's command line, and a session with a QEMU that
is played by fake_qemu.py. run.py SUITE [-j N] [PATTERN]"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), name) for name in ("vm", "images"))]

import harness  # noqa: E402
import case_options  # noqa: E402,F401
import case_podman  # noqa: E402,F401
import case_bundle  # noqa: E402,F401
import case_pack  # noqa: E402,F401
import case_cache  # noqa: E402,F401
import case_machine  # noqa: E402,F401
import case_session  # noqa: E402,F401
import case_bake  # noqa: E402,F401
import case_image_bad  # noqa: E402,F401
import case_image_names  # noqa: E402,F401
import case_image_end  # noqa: E402,F401
import case_image_forms  # noqa: E402,F401
import case_image_tree  # noqa: E402,F401
import case_image_lower  # noqa: E402,F401
import case_stop  # noqa: E402,F401
import case_hooks  # noqa: E402,F401
import case_hooks_end  # noqa: E402,F401
import case_net  # noqa: E402,F401

if __name__ == "__main__":
    sys.exit(harness.main(sys.argv[1], sys.argv[2:]))
