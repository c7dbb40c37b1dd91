#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py [FILE...]: do the tests of oci/ notice when a guard is gone?

Each `if (...)` of each file of oci/ is switched off in turn, in a copy of the tree's sources, and the
unit programs and all cases run against it. A mutant that nothing notices is printed; the exit code is
their number. Lines that end with a comment containing "no test can" are left out. Takes about two
seconds a mutant; not part of make check.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["-std=gnu17", "-O0", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-D_GNU_SOURCE", '-DSMK_VERSION="x"', "-Iinclude", "-I.", "-iquote", "oci"]
WRAPPED = {
    "arena": "-Wl,--wrap=free,--wrap=malloc",
    "edit": "-Wl,--wrap=realloc",
    "memory": "-Wl,--wrap=arena_create,--wrap=planner_add,--wrap=arena_alloc,--wrap=arena_zalloc,--wrap=arena_strdup,--wrap=arena_printf",
}
PROGRAMS = ["fail", "arena", "edit", "fields", "linux", "memory", "message", "plan", "spec", "tables", "text"]
CONDITION = re.compile(r"\bif \(")


def switched_off(line):
    """The line with its first condition false, or None when it does not end on the line."""
    found = CONDITION.search(line)
    if not found or "no test can" in line:
        return None
    depth = 0
    for at in range(found.end() - 1, len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if not depth:
            inner = line[found.end():at]
            return line[:found.end()] + "0 && (" + inner + ")" + line[at:]
    return None


def compile_object(source, output):
    return subprocess.run(["gcc", *FLAGS, "-c", source, "-o", output], check=False).returncode == 0


def link_and_run(objects, tests, work):
    for name, test in tests.items():
        program = os.path.join(work, name)
        extra = [WRAPPED[name]] if name in WRAPPED else []
        subprocess.run(["gcc", *FLAGS, test, *objects, *extra, "-ljansson", "-o", program],
                       check=True)
        arguments = ["tests/cases"] if name == "run" else []
        result = subprocess.run([program, *arguments], capture_output=True, timeout=120, check=False)
        if result.returncode or b"not ok" in result.stdout:
            return True
    with open(os.path.join(work, "stream"), "rb") as stream:
        result = subprocess.run([os.path.join(work, "run"), "-"], stdin=stream,
                                capture_output=True, timeout=120, check=False)
    return result.returncode != 0 or b"not ok" in result.stdout


def main():
    files = sys.argv[1:] or sorted(glob.glob("oci/*.c"))
    work = tempfile.mkdtemp()
    with open(os.path.join(work, "stream"), "wb") as stream:
        subprocess.run(["tests/cases/generate.py"], stdout=stream, check=True)
    objects, tests = {}, {}
    for source in sorted(glob.glob("oci/*.c")):
        objects[source] = os.path.join(work, os.path.basename(source) + ".o")
        compile_object(source, objects[source])
    for name in ["run", *PROGRAMS]:
        source = "tests/cases/run.c" if name == "run" else "tests/unit/%s.c" % name
        tests[name] = os.path.join(work, name + ".o")
        compile_object(source, tests[name])
    survivors = total = 0
    for source in files:
        with open(source, encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        for number, line in enumerate(lines):
            mutant = switched_off(line)
            if not mutant:
                continue
            path = os.path.join(work, "mutant.c")
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines[:number] + [mutant] + lines[number + 1:])
            changed = dict(objects)
            changed[source] = os.path.join(work, "mutant.o")
            built = compile_object(path, changed[source])
            total += 1
            try:
                noticed = not built or link_and_run(changed.values(), tests, work)
            except subprocess.TimeoutExpired:
                noticed = True
            if not noticed:
                survivors += 1
                print("%s:%d: %s" % (source, number + 1, line.strip()), flush=True)
    print("%d of %d mutants unnoticed" % (survivors, total))
    shutil.rmtree(work)
    sys.exit(min(survivors, 100))


main()
