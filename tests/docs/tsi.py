#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of docs/tsi.md names, for each fault, exactly the cases whose sources say that they hold it; a * stands for
a profile of the tests' host."""

import fnmatch
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAULTS = 33


def told_rows():
    """Row -> patterns of cases."""
    rows = {}
    with open(os.path.join(TOP, "docs", "tsi.md"), encoding="utf-8") as file:
        for found in re.finditer(r"^\| (\d+) \|[^|]*\|[^|]*\|([^|]*)\|$", file.read(), re.MULTILINE):
            rows[int(found[1])] = re.findall(r"`([^`]+)`", found[2])
    return rows


def held_rows():
    runner = os.path.join(TOP, "tests", "tsi", "run.py")
    lines = subprocess.run([sys.executable, runner, "--rows"], check=True, capture_output=True, text=True).stdout
    return {int(row): names for row, *names in map(str.split, lines.splitlines())}


def faults_of(told, held):
    if sorted(told) != list(range(1, FAULTS + 1)):
        yield f"the rows are {sorted(told)}"
    for row in told:
        names = held.get(row, [])
        for pattern in told[row]:
            if not fnmatch.filter(names, pattern):
                yield f"row {row}: no case {pattern} holds it"
        for name in names:
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in told[row]):
                yield f"row {row}: {name} is not told"


def main():
    wrong = list(faults_of(told_rows(), held_rows()))
    print("ok docs/tsi" if not wrong else f"not ok docs/tsi: {'; '.join(wrong[:5])}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
