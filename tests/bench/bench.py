#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py: measures what the project promises, prints a table, writes build/bench.json.

Ends with 1 when a budget is passed. Budgets are counted in guest instructions and virtual time, which
repeat anywhere, or are ratios of two things timed side by side in this run; wall times are reported
without a budget."""
import json
import os
import statistics
import subprocess
import sys
import time

import image
import machine
import net
import reap

MIB = 1 << 20
RUNS = 10
# The entrypoint may be this far from PID 1's main, in each run (virtual ms, waits included).
INIT_MS = 4.0


class Table:
    """Rows of name, value, unit and budget; a row without a budget is information."""

    def __init__(self):
        self.rows = []

    def add(self, name, value, unit, at_most=None, at_least=None):
        met = not (at_most is not None and value > at_most or
                   at_least is not None and value < at_least)
        self.rows.append({"name": name, "value": round(value, 3), "unit": unit, "at_most": at_most,
                          "at_least": at_least, "met": met})

    def print(self):
        for row in self.rows:
            budget = ""
            if row["at_most"] is not None:
                budget = f"<= {row['at_most']:g}"
            elif row["at_least"] is not None:
                budget = f">= {row['at_least']:g}"
            verdict = ("ok" if row["met"] else "PASSED OVER") if budget else ""
            print(f"{row['name']:<48} {row['value']:>10.3f} {row['unit']:<10} {budget:>9} {verdict}")

    def failed(self):
        return [row["name"] for row in self.rows if not row["met"]]


def measure_boots(table, files, append):
    """Kernel and init in instructions, waits in virtual time, the stages of the flight recorder."""
    stages = {}
    for cpus in (1, 2):
        boots = [machine.boot(files, cpus, append) for _ in range(RUNS)]
        kernel = statistics.median(boot.kernel for boot in boots)
        init = statistics.median(boot.init for boot in boots)
        table.add(f"kernel entry to PID 1's main, {cpus} vCPU", kernel / 1e6, "M instr",
                  at_most=20 if cpus == 1 else None)
        table.add(f"PID 1's main to the entrypoint's main, {cpus} vCPU", init / 1e6, "M instr",
                  at_most=3 if cpus == 1 else None)
        table.add(f"the same with waits, slowest of {RUNS}, {cpus} vCPU",
                  max(boot.init_ns for boot in boots) / 1e6, "virt. ms", at_most=INIT_MS)
        if cpus == 1:
            stages = measure_stages(table, boots[0].marks)
    return stages


def measure_podman(table, files, pack, append):
    """The same way with podman's default configuration: a seccomp profile of some 400 names, masked paths, a
    cgroup with limits, namespaces."""
    config = machine.podman_config()
    kernel, _, layer = files
    files = kernel, machine.write_initramfs(pack, "podman", config), layer
    names = sum(len(rule["names"]) for rule in config["linux"]["seccomp"]["syscalls"])
    if names < 400 or len(config["linux"]["maskedPaths"]) < 5:
        sys.exit(f"bench: podman's configuration has {names} system calls only: that is not its default")
    boots = [machine.boot(files, 1, append) for _ in range(3)]
    table.add("main to main, podman's default configuration",
              statistics.median(boot.init for boot in boots) / 1e6, "M instr", at_most=6)


def measure_stages(table, marks):
    """One row for each stage of init-oci on the way to the entrypoint."""
    stages = {}
    before = marks["main"]
    for name in ("bootargs", "discover", "parse", "plan", "apply", "spawn"):
        stages[name] = (marks[name] - before) / 1e6
        table.add(f"  stage {name}", stages[name], "virt. ms")
        before = marks[name]
    return stages


def measure_run(table, smk, bundle):
    """Wall time of `smk run` with a warm cache, and of its parts."""
    command = [smk, "run", bundle]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    times = []
    for _ in range(RUNS):
        begin = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.monotonic() - begin)
    table.add("smk run, busybox fixture, median wall time", statistics.median(times) * 1e3, "ms")


def measure_sizes(table):
    with open(os.path.join(machine.TOP, "assets", "manifest.json")) as source:
        assets = json.load(source)["assets"]
    budgets = {"kernel": (12 * MIB, 4 * MIB), "init-oci": (256 << 10, 110 << 10)}
    for name, (raw, packed) in budgets.items():
        asset = assets[name]
        table.add(f"{name}, raw", asset["raw_size"] / 1024, "KiB", at_most=raw / 1024)
        table.add(f"{name}, xz", asset["xz_size"] / 1024, "KiB", at_most=packed / 1024)


def measure_extraction(table, speed):
    kernel = os.path.join(machine.TOP, "assets", "kernel.xz")
    result = json.loads(subprocess.run([speed, kernel], check=True, stdout=subprocess.PIPE).stdout)
    table.add("kernel: xz -dc", result["xz_ms"], "ms")
    table.add("kernel: libsmkernel, checked", result["smk_ms"], "ms")
    table.add("kernel: libsmkernel over xz -dc", result["ratio"], "times", at_least=1.6)


def measure_reaping(table):
    own, tini, ratio = reap.measure()
    table.add(f"{reap.COUNT} orphans: init-oci", own, "ms")
    table.add(f"{reap.COUNT} orphans: tini", tini, "ms")
    table.add(f"{reap.COUNT} orphans: tini over init-oci", ratio, "times")


def measure_image(table, smk, root, bundle):
    own, others, ratio, warm = image.measure(smk, root, bundle)
    table.add(f"image of {image.LAYERS} layers, cold: smk", own, "ms")
    table.add(f"image of {image.LAYERS} layers, cold: umoci, mksquashfs", others, "ms")
    table.add("umoci and mksquashfs over smk", ratio, "times", at_least=2)
    table.add(f"warm run of an image of {image.LAYERS} over a bundle's", warm, "times", at_most=1.1)


NET_BUDGETS = {"guest to host": 3, "host to guest": 3, "connections out": 2, "connections in, published": 2}


def measure_net(table, smk, program):
    """The ratio that has the budget is the clock's; the one by CPU time is less of what else the machine does."""
    for name, unit, (tsi, user, ratio, cpu) in net.measure(smk, program, os.path.join(machine.BUILD, "images")):
        table.add(f"{name}: --net tsi", tsi, unit)
        table.add(f"{name}: --net user", user, unit)
        table.add(f"{name}: tsi over user", ratio, "times", at_least=NET_BUDGETS.get(name))
        table.add(f"{name}: the same by CPU time", cpu, "times")


# PID 1's main by the same kernel before it had TSI.
BEFORE_TSI = 17.364e6


def measure_tsi_off(table, files, append):
    """What TSI costs a boot that has none of it, and one that may use it."""
    off, on = (statistics.median(machine.boot(files, 1, f"{append} {word}").kernel for _ in range(3))
               for word in ("", "tsi_hijack"))
    table.add("kernel with TSI, off, over one without", 100 * (off / BEFORE_TSI - 1), "%", at_most=1)
    table.add("tsi_hijack over none", 100 * (on / off - 1), "%", at_most=1)


def main():
    entry, pack, speed, smk, bundle, program = sys.argv[1:7]
    append = " ".join(sys.argv[7:])
    table = Table()
    files = machine.build(entry, pack)
    stages = measure_boots(table, files, append)
    measure_podman(table, files, pack, append)
    measure_tsi_off(table, files, append)
    table.add("guest memory touched by a boot", machine.touched_memory(files, append) / MIB, "MiB")
    measure_run(table, smk, bundle)
    measure_sizes(table)
    measure_extraction(table, speed)
    measure_reaping(table)
    measure_image(table, smk, os.path.join(os.path.dirname(bundle), "python", "rootfs"), bundle)
    measure_net(table, smk, program)
    table.print()
    with open(os.path.join(machine.BUILD, "bench.json"), "w") as target:
        json.dump({"rows": table.rows, "stages_ms": stages}, target, indent="\t")
    failed = table.failed()
    for name in failed:
        print(f"bench: over budget: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
