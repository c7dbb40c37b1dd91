#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each configuration under crun on this machine and in our guest: the probe's facts, field by field. A
difference that differences.py does not allow fails the case; --table prints what it allows."""

import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", name) for name in ("vm", "cases")]

import harness  # noqa: E402
from harness import CASES, TOP, Failure, check, check_equal, shorten  # noqa: E402

harness.EXTRA_ENV["SUPERMACHINE_INIT_OCI_PATH"] = harness.INIT

import configs  # noqa: E402
import differences  # noqa: E402
import endings  # noqa: E402
import facts  # noqa: E402
import sides  # noqa: E402
import variants  # noqa: E402

DOCUMENT = os.path.join(TOP, "docs", "crun-differences.md")
LOCK = threading.Lock()
REFERENCE = []
COUNTS = {"containers": 0, "fields": 0, "allowed": 0}


def reference(context):
    """What the guest's machine itself has: a container that has hardly a namespace of its own."""
    with LOCK:
        if not REFERENCE:
            with configs.variant_bundle(of_the_machine, context.path("reference")) as bundle:
                sides.place_programs(bundle.path, bundle.config, (), "aarch64")
                REFERENCE.append(sides.Guest(context, bundle.path, bundle.config).run().facts)
        return REFERENCE[0]


def of_the_machine(config, _):
    config["linux"]["namespaces"] = [{"type": "mount"}]
    config["process"]["rlimits"] = []
    config["process"]["capabilities"] = variants.capabilities(
        **dict.fromkeys(("bounding", "permitted", "effective"), "SYS_PTRACE"))
    del config["hostname"]


class Run:
    """One configuration on both sides, flattened."""

    def __init__(self, context, name, bundle):
        self.config, self.root = bundle.config, sides.root_of(bundle.path, bundle.config)
        self.reference = reference(context)
        self.is_by_smk = not bundle.sources
        self.identifier = sides.identifier_of(context)
        under_crun, in_guest, self.version = sides.both(context, bundle.path, bundle.config, bundle.sources)
        self.is_about_program = name.startswith(("program-", "interpreter-"))
        self.is_failed = name in endings.ENDINGS and under_crun.error is not None or name == "hook-that-fails"
        self.host = self.flat(under_crun, sides.Host.namespaces())
        self.guest = self.flat(in_guest, self.reference["namespacesOf1"])

    @staticmethod
    def flat(observed, machines):
        out = {"ending": {"code": observed.code, "error": observed.error}}
        if observed.facts:
            out |= facts.comparable(observed.facts, machines)
        else:
            out["ending"]["out"] = observed.out
        return facts.flatten(out)

    def differences(self):
        for field in sorted({*self.host, *self.guest}):
            pair = self.host.get(field, differences.ABSENT), self.guest.get(field, differences.ABSENT)
            if pair[0] != pair[1]:
                yield differences.Difference(self, field, *pair)


def compare(context, name, bundle):
    run = Run(context, name, bundle)
    unexplained = []
    with LOCK:
        COUNTS["containers"] += 1
        COUNTS["fields"] += len({*run.host, *run.guest})
        for difference in run.differences():
            row = difference.explain()
            if row:
                COUNTS["allowed"] += 1
                row.uses += 1
            else:
                unexplained.append(f"{difference.field}: {shorten(difference.host)} under crun, {shorten(difference.guest)}")
    if unexplained:
        raise Failure(f"{len(unexplained)} unexplained: " + "; ".join(unexplained))


def engine_case(name):
    def run(context):
        with configs.engine_bundle(name, context.dir) as bundle:
            compare(context, name, bundle)
    return run


def variant_case(name, change):
    def run(context):
        with configs.variant_bundle(change, context.dir) as bundle:
            compare(context, name, bundle)
    return run


def table_is_documented(_):
    with open(DOCUMENT, encoding="utf-8") as file:
        check(differences.as_markdown() in file.read(), f"{DOCUMENT} has another table: tests/crun/run.py --table")


def rows_are_used(_):
    unused = [f"{row.field} ({row.where})" for row in differences.ROWS if row.is_due and not row.uses]
    check_equal(unused, [], "rows that no difference has used")


def main(arguments):
    if arguments == ["--table"]:
        print(differences.as_markdown(), end="")
        return 0
    CASES.extend((name, engine_case(name), 120) for name in configs.ENGINES)
    CASES.extend((name, variant_case(name, change), 120)
                 for name, change in {**variants.VARIANTS, **endings.ENDINGS}.items())
    is_whole = arguments == [] or (arguments[0] == "-j" and len(arguments) == 2)
    status = harness.main("crun", arguments)
    if is_whole:
        del CASES[:]
        CASES.extend([("rows-are-used", rows_are_used, 10), ("table-is-documented", table_is_documented, 10)])
        status |= harness.main("crun", [])
    print("# {containers} configurations, {fields} fields, {allowed} of them with a difference that a row allows".format(**COUNTS))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
