#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generated cases for tests/cases/run: every field of the configuration with every kind of wrong
value (the verdicts stand in matrix.txt), damaged JSON text, and limits. What the parser must say is
worked out here, from the specification's types, without its source.

generate.py          the stream that `run -` reads
generate.py table    the matrix as this model sees it, to be compared with matrix.txt
"""
import json
import os
import sys

sys.dont_write_bytecode = True  # the tree stays as it was
from base import FATAL
from limits import limits
from matrix import matrix, table
from texts import big_texts, texts


def emit(name, raw, line):
    sys.stdout.buffer.write(b"%s %d %s\n" % (name.encode(), len(raw), line.encode()))
    sys.stdout.buffer.write(raw)


def line_of(wrong):
    if not wrong:
        return "accept"
    return "init-oci: fatal: " + wrong if wrong.startswith("plan: ") else FATAL + wrong


def main():
    if sys.argv[1:] == ["table"]:
        sys.stdout.write(table())
        return
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "matrix.txt"), encoding="utf-8") as file:
        if file.read() != table():
            sys.exit("not ok matrix: matrix.txt differs from the model (generate.py table)")
    for pointer, name, config, wrong in matrix():
        emit("matrix%s=%s" % (pointer, name), json.dumps(config).encode(), line_of(wrong))
    for name, raw, line in texts():
        emit("text-" + name, raw, line)
    for name, config, wrong in limits():
        emit("limit-" + name, json.dumps(config).encode(), line_of(wrong))
    for name, raw, line in big_texts():
        emit("big-" + name, raw, line)


main()
