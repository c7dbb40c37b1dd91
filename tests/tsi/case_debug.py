# SPDX-License-Identifier: Apache-2.0
"""Hardening, on the kernel that watches its memory, locks and leaks: make check-debug.

Elsewhere the same without the last look: the kernel's complaints on the console fail any boot.
"""

import os
import re

from box import IMAGE, LAN, boot, check, step

# The kernel's own tests run at boot; the last step asks for leaks.
IS_DEBUG = bool(os.environ.get("TSI_DEBUG"))
SECONDS = int(os.environ.get("TSI_SECONDS", "600" if IS_DEBUG else "10"))
SEED = int(os.environ.get("TSI_SEED", "1"))
OPTIONS = {"cpus": 2, "memory": "768M" if IS_DEBUG else "256M", "timeout": 3 * SECONDS + 1800, "seed": SEED,
           "append": "tsi_hijack loglevel=7 log_buf_len=1M"}
LEAKS = [step("leaks", "leaks", limit=900)] if IS_DEBUG else []
SPLATS = re.compile(r"KASAN|kmemleak: [1-9]|DEBUG_LOCKS_WARN|INFO: |ODEBUG|list_(add|del) corruption|"
                    r"sleeping function|inconsistent lock|circular locking|suspicious RCU")


def check_console(box):
    found = SPLATS.search(box.console)
    check(not found, f"the kernel complains: {box.console[found.start() if found else 0:][:1500]!r}")


def check_units(box):
    """KTAP of the kernel's own tests."""
    found = re.search(r"# tsi: pass:(\d+) fail:0 skip:0 total:(\d+)$", box.console, re.MULTILINE)
    check(found and found[1] == found[2] and int(found[2]) > 0, f"the kernel's own tests: {IMAGE}")
    check(not re.search(r"^\s*(\[[\d. ]+\] )?\s*not ok ", box.console.split("Run /init")[0], re.MULTILINE),
          "a test of the kernel's own failed")


def short(seconds):
    return [step("time", "write /proc/sys/net/tsi/connect_timeout 1"),
            step("random", f"random {seconds} 32 {SEED}", rows=(1, 2, 8, 21), limit=seconds + 120),
            *LEAKS]


@boot("fuzz", "smk", "v1.17", steps=short(SECONDS), publish=("9101:8101", "9102:8102"), **OPTIONS)
def random(box):
    """What a hostile host sees of it, and does, is of no interest; the guest has to live."""
    box.start_peer()
    box.run(is_clean=box.profile != "fuzz")
    check_console(box)
    if IS_DEBUG:
        check_units(box)


def storms(profile):
    """Fewer than the 1024 proxies that a host keeps: v1.19 keeps the ended ones for 5 s."""
    count = f"{100 if profile == 'v1.19' else 2000 if IS_DEBUG else 200}{' any' if profile == 'fuzz' else ''}"
    time = [step("time", "write /proc/sys/net/tsi/connect_timeout 1")] if profile == "fuzz" else []
    return [*time, step("loopback", f"storm 127.0.0.1 {count}", limit=600), step("lan", f"storm {LAN} {count}", limit=600), *LEAKS]


@boot("smk", "v1.19", "fuzz", steps=storms, **OPTIONS)
def storm(box):
    box.start_peer()
    box.run(is_clean=box.profile != "fuzz")
    check_console(box)
