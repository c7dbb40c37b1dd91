#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
sweep.py [-j N] [--thin] [--scenario NAME] [--call NAME] [--error NAME] [--calls-of NUMBER...]

Every system call that init-oci makes in each scenario fails once, at each occurrence, with each
error; what the run was worth is printed as a table. --thin takes each call and error at one
occurrence, a different one for each. Ends with 1 when a run was lost.
"""

import argparse
import collections
import json
import multiprocessing
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "vm"), os.path.join(HERE, "..", "ns"), HERE]

from harness import BUILD  # noqa: E402
from runner import NAMES, Fault, Room  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from verdict import CLEAN, LOST, SURVIVED, Baseline, judge  # noqa: E402

ERRORS = ("EINTR", "EAGAIN", "ENOMEM", "EPERM", "EIO", "ENOSPC", "EMFILE", "ENOSYS")
MISSED = "missed"  # the call was not made so often this time
TRIES = 3

# Not swept: there is nothing that init-oci could do.
LEFT_OUT = {
    "exit_group": "does not return",
    "getpid": "cannot fail",
    "umask": "cannot fail",
    "arch_prctl": "libc's, before main: without a thread pointer there is no C program",
    "set_tid_address": "libc's, before main; the kernel has no way to fail it",
}


def faults_of(calls, chosen):
    """Every call of every role, at every occurrence, with every error."""
    for (role, number), count in sorted(calls.items()):
        name = NAMES.get(number, str(number))
        if name in LEFT_OUT or (chosen.call and name != chosen.call) or (chosen.role and role != chosen.role):
            continue
        for at, error in enumerate(ERRORS):
            if chosen.error and error != chosen.error:
                continue
            occurrences = range(1, count + 1)
            if chosen.thin:
                occurrences = [1 + (number * 7 + at * 3) % count]
            for occurrence in occurrences:
                yield Fault(role, number, occurrence, error)


def run_one(room, baseline, fault):
    """A fault that is not reached is tried again: the loop's calls are not always as many."""
    for _ in range(TRIES):
        outcome = room.run(fault)
        verdict, why = judge(baseline, outcome)
        if outcome.is_injected:
            return verdict, why
        if verdict != SURVIVED:
            return LOST, f"without the fault: {why}"
    return MISSED, ""


def work(index, jobs, results, chosen):
    """A worker takes every jobs-th fault of each scenario, on a processor of its own: tracing is twice as fast so."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[index % len(os.sched_getaffinity(0))]})
    for scenario in SCENARIOS:
        if chosen.scenario and scenario.name != chosen.scenario:
            continue
        room = Room(f"{scenario.name}-{index}", scenario)
        try:
            first = room.run()
            baseline = Baseline(scenario, first)
            for at, fault in enumerate(faults_of(first.calls, chosen)):
                if at % jobs == index:
                    results.put((scenario.name, fault, *run_one(room, baseline, fault)))
        except Exception as error:  # a bug of the sweep is a failure of the sweep
            results.put((scenario.name, None, LOST, f"the sweep itself: {error!r}"))
        finally:
            room.close()
    results.put(None)


def collect(chosen):
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(i, chosen.jobs, results, chosen), daemon=True)
               for i in range(chosen.jobs)]
    for worker in workers:
        worker.start()
    left = len(workers)
    while left:
        result = results.get()
        if result is None:
            left -= 1
        else:
            yield result
    for worker in workers:
        worker.join()


def print_table(counts):
    print(f"{'call':18}" + "".join(f"{error:>12}" for error in ERRORS) + "   survived/clean/lost")
    for call in sorted(counts):
        cells = ["/".join(str(counts[call][error][v]) for v in (SURVIVED, CLEAN, LOST)) for error in ERRORS]
        print(f"{call:18}" + "".join(f"{cell:>12}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count())
    parser.add_argument("--thin", action="store_true")
    for name in ("scenario", "call", "error", "role"):
        parser.add_argument("--" + name)
    parser.add_argument("--log", default=os.path.join(BUILD, "fault.json"))
    chosen = parser.parse_args()
    begin = time.monotonic()
    counts = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    totals, log = collections.Counter(), []
    for scenario, fault, verdict, why in collect(chosen):
        totals[verdict] += 1
        if fault:
            counts[fault.call][fault.error][verdict] += 1
            log.append([scenario, str(fault), verdict, why])
        if verdict == LOST:
            print(f"lost: {scenario}: {fault}: {why}", flush=True)
    with open(chosen.log, "w", encoding="utf-8") as file:
        json.dump(log, file)
    print_table(counts)
    print(f"{sum(totals.values())} runs in {time.monotonic() - begin:.0f} s: " +
          ", ".join(f"{totals[v]} {v}" for v in (SURVIVED, CLEAN, LOST, MISSED)))
    return 1 if totals[LOST] or not totals[SURVIVED] else 0


if __name__ == "__main__":
    sys.exit(main())
