#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Virtual machines whose network is the host's sockets: run.py [--list | --rows] [--long] [-j N] [PATTERN].

--rows prints, for each row of the table of faults in docs/tsi.md, the cases that hold it.
"""

import concurrent.futures
import os
import re
import sys
import traceback

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

import box  # noqa: E402
import case_connect  # noqa: E402,F401
import case_datagram  # noqa: E402,F401
import case_debug  # noqa: E402,F401
import case_hard  # noqa: E402,F401
import case_names  # noqa: E402,F401
import case_poll  # noqa: E402,F401
import case_process  # noqa: E402,F401
import case_scope  # noqa: E402,F401
import case_reset  # noqa: E402,F401
import case_stream  # noqa: E402,F401


def choose(pattern, is_long):
    """Boots with those of their steps that match; a boot whose own name matches has all of them."""
    for one in box.BOOTS:
        of_kind = [s for s in one.steps if s.is_long <= is_long]
        steps = [s for s in of_kind if pattern.search(one.case(s))]
        if pattern.search(one.name) or steps:
            yield one, of_kind if pattern.search(one.name) else steps


def print_rows(chosen):
    rows = {}
    for one, steps in chosen:
        for row in one.rows:
            rows.setdefault(row, []).append(one.name)
        for each in steps:
            for row in each.rows:
                rows.setdefault(row, []).append(one.case(each))
    for row in sorted(rows):
        print(row, *rows[row])


def run_all(chosen, jobs):
    root = os.path.join(box.BUILD, "test-tsi")
    os.makedirs(root, exist_ok=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(box.run_boot, root, *each): each[0] for each in chosen}
        for run in concurrent.futures.as_completed(runs):
            try:
                results, seconds = run.result()
            except Exception:  # a bug of the case is a failure of the case
                results, seconds = [(runs[run].name, traceback.format_exc().strip().replace("\n", " | "))], 0
            for name, why in results:
                failed += why is not None
                print(f"ok tsi/{name} ({seconds:.1f} s)" if why is None else f"not ok tsi/{name}: {why}", flush=True)
    return 1 if failed or not runs else 0


def main(arguments):
    flags = [a for a in arguments if a.startswith("--")]
    jobs = 2
    if "-j" in arguments:
        at = arguments.index("-j")
        jobs = int(arguments[at + 1])
        arguments = arguments[:at] + arguments[at + 2:]
    words = [a for a in arguments if not a.startswith("-")]
    chosen = list(choose(re.compile(words[0] if words else ""), "--long" in flags))
    if "--list" in flags:
        for one, steps in chosen:
            print("\n".join([f"tsi/{one.name}", *(f"tsi/{one.case(s)}" for s in steps)]))
        return 0
    if "--rows" in flags:
        print_rows(chosen)
        return 0
    return run_all(chosen, jobs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
