#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
sweep.py [-j N] [--list] [--thin] [--allocations] [--scenario NAME] [--role NAME] [--call NAME] [--error NAME]

Every system call that init-oci makes in each scenario fails once, at each occurrence, with each
error; what the runs were worth is printed as a table. --allocations: every allocation, in a build that
tells of them. --thin: each call and error of a scenario at one occurrence, a different one for each,
and a line a call, as the suites print them; --list: only their names. Ends with 1 when a run was lost.
"""

import argparse
import collections
import json
import multiprocessing
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "vm"), os.path.join(HERE, "..", "ns"), HERE]

from harness import BUILD  # noqa: E402
from runner import ALLOCATION, NAMES, Fault, Room  # noqa: E402
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
        if chosen.allocations != (number == ALLOCATION):
            continue
        for at, error in enumerate(ERRORS):
            if (chosen.error and error != chosen.error) or (chosen.allocations and error != "ENOMEM"):
                continue
            occurrences = range(1, count + 1)
            if chosen.thin and not chosen.allocations:
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
        room = Room(f"{scenario.name}-{index}", scenario, chosen.init)
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


def print_cases(log, is_by_scenario):
    """A line a call, or a scenario."""
    cases = collections.defaultdict(list)
    for scenario, fault, verdict, why in log:
        cases["allocations-" + scenario if is_by_scenario else fault.split()[1]].append((scenario, fault, verdict, why))
    for name, runs in sorted(cases.items()):
        lost = [f"{scenario}: {fault}: {why}" for scenario, fault, verdict, why in runs if verdict == LOST]
        print(f"not ok fault/{name}: {len(lost)} lost: {lost[0]}" if lost else f"ok fault/{name} ({len(runs)} runs)")


def print_names(chosen):
    """Of the cases: a call that some scenario makes."""
    found = set()
    for scenario in SCENARIOS:
        room = Room(f"{scenario.name}-list", scenario, chosen.init)
        try:
            found |= {NAMES[number] for _, number in room.run().calls}
        finally:
            room.close()
    print("".join(f"fault/{name}\n" for name in sorted(found - set(LEFT_OUT))), end="")


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count())
    parser.add_argument("--thin", action="store_true")
    parser.add_argument("--allocations", action="store_true")
    parser.add_argument("--list", action="store_true")
    for name in ("scenario", "call", "error", "role"):
        parser.add_argument("--" + name)
    parser.add_argument("--log", default=os.path.join(BUILD, "fault.json"))
    chosen = parser.parse_args()
    program = "init-oci-alloc" if chosen.allocations else "init-oci"
    chosen.init = os.environ.get("NS_INIT", os.path.join(BUILD, "x86_64", program))
    return chosen


def main():
    chosen = options()
    if chosen.list:
        print_names(chosen)
        return 0
    begin = time.monotonic()
    counts = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    totals, log = collections.Counter(), []
    is_whole = False
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for scenario, fault, verdict, why in collect(chosen):
            totals[verdict] += 1
            log.append([scenario, str(fault) if fault else "the sweep itself", verdict, why])
            if fault:
                counts[fault.call][fault.error][verdict] += 1
            if verdict == LOST:
                print(f"lost: {scenario}: {fault}: {why}", flush=True)
        is_whole = True
    except KeyboardInterrupt:
        print("cut short: what there is so far")
    with open(chosen.log, "w", encoding="utf-8") as file:
        json.dump(log, file)
    if chosen.thin:
        print_cases(log, chosen.allocations)
    else:
        print_table(counts)
    print(f"{sum(totals.values())} runs in {time.monotonic() - begin:.0f} s: " +
          ", ".join(f"{totals[v]} {v}" for v in (SURVIVED, CLEAN, LOST, MISSED)))
    return 0 if is_whole and totals[SURVIVED] and not totals[LOST] else 1


if __name__ == "__main__":
    sys.exit(main())
