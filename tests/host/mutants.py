#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py [FILE...]: do the tests of smk notice when a guard is gone?

Each `if (...)` of host/ that leads to a failure is switched off in turn, in a copy, and the units of
its folder and the suite host (but for host/tsi) run against it. A mutant that nothing notices is
printed; the exit code is their number. Failures of system calls that no test can bring about survive.
Up to half a minute a mutant; not part of make check.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

FLAGS = ["-std=gnu17", "-O0", "-w", "-D_GNU_SOURCE", '-DSMK_VERSION="0.1.0"', "-Iinclude", "-I."]
SUITE = [sys.executable, "tests/host/run.py", "host-mutant", "-j", "4"]
CONDITION = re.compile(r"\bif \(")
FAILS = re.compile(r"\bfail_(sys|err|config|entry|smk)\(|return false|return -1|return unknown_|reset\(|refuse\(")
SHARED = [*glob.glob("oci/*.c"), "lib/sha256.c", "lib/sha256_cpu.c"]
# The units that know a folder, what of smk they are linked with, and the suite; TSI's other suite needs machines.
UNITS = {
    "host": (["tests/host/units.c"], "host/", SUITE),
    "host/image": ([], "host/", SUITE),
    "host/tsi": ([*glob.glob("tests/tsi/units*.c"), "tests/tsi/guest.c"], "host/tsi/", None),
}


def switched_off(line, after):
    """The line with its condition false, when it ends there and what follows is a failure."""
    found = CONDITION.search(line)
    if not found or not any(FAILS.search(text) for text in after[:2]):
        return None
    depth = 0
    for at in range(found.end() - 1, len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if not depth:
            return line[:found.end()] + "0 && (" + line[found.end():at] + ")" + line[at:]
    return None


def compile_object(source, output):
    command = ["gcc", *FLAGS, "-iquote", "oci", "-iquote", "host", "-c", source, "-o", output]
    return not subprocess.run(command, check=False).returncode


def link(objects, output, *more):
    subprocess.run(["gcc", *objects, *more, "build/host/libsmkernel.a", "-ljansson", "-llzma", "-pthread",
                    "-larchive", "-lsquashfs", "-o", output], check=True)


def link_units(objects, sources, units, folder, work):
    """The program of a folder's units."""
    program = os.path.join(work, "units")
    link([objects[s] for s in (*sources, *units) if s in (*units, *SHARED) or
          (s.startswith(folder) and s != "host/main.c")], program)
    return program


def is_noticed(argv, environment):
    """Whether a case fails, or hangs; the rest is not waited for."""
    seconds = "300" if argv is SUITE else "5"
    with subprocess.Popen(["timeout", seconds, *argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
                          text=True) as process:
        for line in process.stdout:
            if line.startswith("not ok"):
                process.terminate()
                return True
    return process.returncode != 0


def main():
    sources = [*sorted(glob.glob("host/**/*.c", recursive=True)), *SHARED]
    files = sys.argv[1:] or [source for source in sources if source.startswith("host/")]
    survivors = total = 0
    with tempfile.TemporaryDirectory() as work:
        objects = {s: os.path.join(work, s.replace("/", "_") + ".o") for s in sources}
        for source, output in objects.items():
            if not compile_object(source, output):
                sys.exit(f"{source} cannot be compiled")
        for source in (source for units, _, _ in UNITS.values() for source in units):
            objects[source] = os.path.join(work, source.replace("/", "_") + ".o")
            compile_object(source, objects[source])
        link([objects[s] for s in sources], os.path.join(work, "smk"))
        environment = dict(os.environ, SMK=os.path.join(work, "smk"))
        if any(UNITS[os.path.dirname(source)][2] for source in files) and is_noticed(SUITE, environment):
            sys.exit("the suite fails without any mutant")
        for folder in {os.path.dirname(source) for source in files}:
            units, linked, _ = UNITS[folder]
            if units:
                program = link_units(objects, sources, units, linked, work)
                if is_noticed([program], environment):
                    sys.exit(f"the units of {folder} fail without any mutant")
        for source in files:
            with open(source, encoding="utf-8") as file:
                lines = file.read().splitlines(keepends=True)
            for number, line in enumerate(lines):
                mutant = switched_off(line, lines[number + 1:])
                if not mutant:
                    continue
                path = os.path.join(work, "mutant.c")
                with open(path, "w", encoding="utf-8") as file:
                    file.writelines(lines[:number] + [mutant] + lines[number + 1:])
                changed = dict(objects)
                changed[source] = os.path.join(work, "mutant.o")
                total += 1
                if not compile_object(path, changed[source]):
                    continue
                program = os.path.join(work, "smk")
                link([changed[s] for s in sources], program)
                units, folder, suite = UNITS[os.path.dirname(source)]
                environment = dict(os.environ, SMK=program)
                judges = [[link_units(changed, sources, units, folder, work)]] if units else []
                judges += [suite] if suite else []
                if not any(is_noticed(argv, environment) for argv in judges):
                    survivors += 1
                    print(f"{source}:{number + 1}: {line.strip()}", flush=True)
    print(f"{survivors} of {total} mutants unnoticed")
    sys.exit(min(survivors, 100))


if __name__ == "__main__":
    main()
