#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
report.py [--branches]: what the profiles of build/coverage/profiles say of oci/ and init/.

Prints lines and branches of each file and room, and every range of lines that no test executes with the
reason why, from reasons.txt. Fails below the limits, when a range has no reason, and when a reason is
of no range any more, unless it begins with "sometimes". --branches: the sides of conditions that were never taken, too.
"""

import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build", "coverage")
REASONS = os.path.join(HERE, "reasons.txt")
PLACES = ("", "tests/unit", "tests/cases")  # of native programs, below BUILD
ROOMS = ("oci", "init")
LINES_MIN, BRANCHES_MIN = 95, 90
SOMETIMES = "sometimes"  # what happens in a run or does not
VM_CASE = re.compile(r"\bvm/([a-z0-9-]+)")


class File:
    """lines: number -> count; branches: place -> [taken, not taken]; functions: (first, last, name)."""

    def __init__(self):
        self.lines, self.branches, self.functions = {}, {}, []

    def function_at(self, line):
        return next((name for first, last, name in self.functions if first <= line <= last), None)

    def ranges(self):
        """Lines that follow each other and were never executed; what has no code between them joins."""
        found, is_open = [], False
        for number, count in sorted(self.lines.items()):
            if count:
                is_open = False
            elif is_open:
                found[-1][1] = number
            else:
                found.append([number, number])
                is_open = True
        return found


def objects():
    """The programs that left a profile."""
    names = sorted(os.listdir(os.path.join(BUILD, "profiles")))
    if any(name.startswith("vm-") for name in names):
        yield os.path.join(BUILD + "-vm", "init-oci")
    for name in names:
        found = [p for p in (os.path.join(BUILD, place, name) for place in PLACES) if os.path.isfile(p)]
        if len(found) == 1:
            yield found[0]
        elif not name.startswith("vm-"):
            sys.exit(f"coverage: whose profile is {name}?")


def exported(form):
    merged = os.path.join(BUILD, "merged.profdata")
    subprocess.run(["llvm-profdata-14", "merge", *glob.glob(os.path.join(BUILD, "profiles", "*")), "-o", merged],
                   check=True)
    programs = list(objects())
    command = ["llvm-cov-14", "export", f"-format={form}", f"-instr-profile={merged}", programs[0]]
    for program in programs[1:]:
        command += ["-object", program]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def local(path):
    """The name in the tree, or None for a file that is not of the rooms."""
    name = os.path.relpath(path, TOP)
    return name if name.startswith(tuple(room + "/" for room in ROOMS)) else None


def read_lines(files):
    name = None
    for line in exported("lcov").splitlines():
        if line.startswith("SF:"):
            name = local(line[3:])
        elif line.startswith("DA:") and name:
            number, count = line[3:].split(",")
            files.setdefault(name, File()).lines[int(number)] = int(count)


def read_branches(files):
    data = json.loads(exported("text"))["data"][0]
    for entry in data["files"]:
        name = local(entry["filename"])
        for branch in entry["branches"] if name else ():
            sides = files[name].branches.setdefault(tuple(branch[:4]), [0, 0])
            sides[0] += branch[4]
            sides[1] += branch[5]
    for function in data["functions"]:
        name = local(function["filenames"][0])
        if name:
            first, _, last = function["regions"][0][:3]
            files[name].functions.append((first, last, function["name"].rsplit(":", 1)[-1]))
    for file in files.values():  # a macro's body is a line of the header that it stands in, but none that is executed
        file.lines = {line: count for line, count in file.lines.items() if file.function_at(line)}


def source(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read().splitlines()


def read_reasons():
    """(file, function, text or None) -> reason"""
    found = {}
    with open(REASONS, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = re.fullmatch(r"(\S+) (\S+?)(?: `(.*)`)?: (.+)\n", line)
            if not match:
                sys.exit(f"{REASONS}:{number}: is not FILE FUNCTION [`LINE`]: REASON")
            found[match[1], match[2], match[3]] = match[4]
    return found


def vm_cases():
    text = "".join(open(p, encoding="utf-8").read() for p in glob.glob(os.path.join(TOP, "tests", "vm", "*.py")))
    return {name.replace("_", "-") for name in re.findall(r"^def (\w+)\(", text, re.MULTILINE)}


def first_text(text, first, last):
    """The first line of a range that says something."""
    for number in range(first, last + 1):
        if re.search(r"\w", text[number - 1]):
            return text[number - 1].strip()
    return text[first - 1].strip()


def print_not_counted(files, reasons):
    """Sources that no program here has: what is wrong with them, and which reasons were used."""
    wrong, used = [], set()
    for room in ROOMS:
        for name in sorted(os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, room, "*.c"))):
            if name in files or "{" not in source(name):  # tables alone have nothing that is executed
                continue
            key = (name, "*", None)
            used.add(key)
            if key in reasons:
                print(f"\nNot counted: {name}: {reasons[key]}")
            else:
                wrong.append(f"{name} is in no program that ran, and reasons.txt does not say why")
    return wrong, used


def print_uncovered(files):
    """The ranges with their reasons; what is wrong with either."""
    reasons, cases = read_reasons(), vm_cases()
    wrong, used = print_not_counted(files, reasons)
    print("\nNot executed by any test, and why:")
    for name, file in sorted(files.items()):
        text = source(name)
        for first, last in file.ranges():
            said = first_text(text, first, last)
            function = file.function_at(first)
            keys = [k for k in ((name, function, said), (name, function, None)) if k in reasons]
            used.update(keys[:1])
            where = f"{name}:{first}" + (f"-{last}" if last > first else "")
            print(f"  {where:34} {function}: {said}\n      {reasons[keys[0]] if keys else 'NO REASON'}")
            if not keys:
                wrong.append(f"{where}: no test executes `{said}` of {function}, and reasons.txt does not say why")
    for key, reason in reasons.items():
        if key not in used and not reason.startswith(SOMETIMES):
            wrong.append(f"reasons.txt: {key[0]} {key[1]} {key[2] or ''}: is of no line that is left out")
        for case in VM_CASE.findall(reason):
            if case not in cases:
                wrong.append(f"reasons.txt: {key[0]} {key[1]}: there is no vm/{case}")
    return wrong


def print_branches(files):
    print("\nSides of conditions that no test takes:")
    for name, file in sorted(files.items()):
        text = source(name)
        for (line, column, *end), sides in sorted(file.branches.items()):
            never = " ".join(word for word, count in zip(("true", "false"), sides) if not count)
            if never and len(sides) == 2:
                stop = end[1] if end[0] == line else len(text[line - 1]) + 1
                print(f"  {name}:{line}: {text[line - 1][column - 1:stop - 1]}: never {never}")


def per_cent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def row(name, files):
    lines = [count > 0 for file in files for count in file.lines.values()]
    sides = [side > 0 for file in files for branch in file.branches.values() for side in branch]
    values = per_cent(sum(lines), len(lines)), per_cent(sum(sides), len(sides))
    print(f"{name:28}{sum(lines):6}/{len(lines):<6}{values[0]:7.2f} %{sum(sides):6}/{len(sides):<6}{values[1]:7.2f} %")
    return values


def main():
    files, wrong = {}, []
    read_lines(files)
    read_branches(files)
    print(f"{'file':31}{'lines':>16}{'branches':>22}")
    for name in sorted(name for name, file in files.items() if file.functions):
        row(name, [files[name]])
    if "--branches" in sys.argv:
        print_branches(files)
    wrong += print_uncovered(files)
    print()
    for room in ROOMS:
        lines, branches = row(room + "/", [f for n, f in files.items() if n.startswith(room + "/")])
        if lines < LINES_MIN:
            wrong.append(f"{room}/: {lines:.2f} % of lines, at least {LINES_MIN}")
        if branches < BRANCHES_MIN:
            wrong.append(f"{room}/: {branches:.2f} % of branches, at least {BRANCHES_MIN}")
    for line in wrong:
        print("not ok coverage: " + line)
    if not wrong:
        print("ok coverage")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
