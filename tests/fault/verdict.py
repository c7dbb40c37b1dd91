# SPDX-License-Identifier: Apache-2.0
"""
What a run with a fault was worth, against the same run without one.

survived  the same end, the same output, the same facts, the same disk; what may be missing is a row of
          TOLERATED, with a warning
clean     ended in order: 125, 126 or 127 with one line, or the right end with a record that counts
          the output that is missing; the record, the power off, a clean disk
lost      anything else
"""

import json
import os
import re
import subprocess
import time

from harness import shorten
from scenarios import WITNESS
from session import STDERR, STDOUT

SURVIVED, CLEAN, LOST = "survived", "clean", "lost"
OFF = (2, 1)  # SIGINT and SIGHUP: how reboot(2) ends a PID namespace, off or restarted

# A warning's pattern -> what of the facts may differ, and why that is no reason to stop.
TOLERATED = {
    r"<builtin:/dev/mqueue>": (r"/mounts|/devices/|/roots|/(mountRoots|access)//dev/mqueue",
                               "a kernel may be without message queues"),
    r"<builtin:loopback>": (r"/network/lo", "a kernel may be without a network"),
    r"<builtin:/sys/fs/cgroup>": (r"/mounts|/(mountRoots|access)//sys/fs/cgroup",
                                 "a kernel may be without cgroups"),
    r"<builtin:/etc/(hosts|hostname|resolv.conf)>": (r"/files/|/roots|/devices",
                                                    "an image may keep a directory or a dangling link there"),
}


def mount_line(line):
    """Without the ids of mounts, peer groups and anonymous devices, and what is the whole machine's of cgroup2."""
    fields = line.split()
    dash = fields.index("-")
    optional = [f.split(":")[0] for f in fields[6:dash]]
    return " ".join(fields[3:6] + optional + fields[dash:]).replace(",nsdelegate", "")


def facts_of(text, is_here=True):
    """
    The probe's facts without what no two runs have in common; lines of others (hooks) as they are.
    is_here: of this machine.
    """
    begin = text.index('{"args":')
    facts, end = json.JSONDecoder().raw_decode(text, begin)
    facts["others"] = text[:begin] + text[end:]
    own, machines = facts.pop("namespaces"), facts.pop("namespacesOf1")
    host = {kind: os.readlink(f"/proc/self/ns/{kind}") if is_here else "" for kind in own}
    facts["newNamespaces"] = sorted(k for k in own if own[k] != machines[k])
    facts["hostNamespaces"] = sorted(k for k in own if own[k] == host[k])
    facts["mounts"] = {line.split()[4]: mount_line(line) for line in facts["mounts"]}
    for clock in ("monotonic", "boottime"):
        facts[clock] = round((facts[clock] - (time.monotonic() if is_here else 0)) / 1000)
    facts["fds"] = {fd: re.sub(r"[0-9]+", "N", name or "") for fd, name in facts["fds"].items()}
    return facts


def differences(got, want, path=""):
    """Paths of the members in which two facts differ, with both values."""
    if isinstance(got, dict) and isinstance(want, dict):
        for key in sorted(set(got) | set(want)):
            yield from differences(got.get(key, "absent"), want.get(key, "absent"), f"{path}/{key}")
    elif got != want:
        yield path, got, want


def end_of(session):
    record = session.record
    return {key: record.get(key) for key in ("phase", "code", "signal", "coreDumped", "oomKilled")}


def failure_lines(session):
    """On the console; when that could not be written to, from the channel."""
    return session.failures or [e for e in session.errors if e.startswith("init-oci: fatal: ")]


def output_of(session):
    """stdout, stderr, and what is on the console that is not init-oci's own."""
    lines = session.console.decode(errors="replace").splitlines(keepends=True)
    rest = [l for l in lines if not l.startswith(("init-oci: ", "smk-exit: "))]
    out = session.output[STDOUT].decode(errors="replace")
    return out, session.output[STDERR].decode(errors="replace"), rest


class Baseline:
    """A scenario's run without a fault."""

    def __init__(self, scenario, outcome):
        session = outcome.session
        if outcome.why or outcome.end not in OFF or session.record["code"] != scenario.code:
            raise RuntimeError(f"{scenario.name} without a fault: {outcome.why}, end {outcome.end}, {session}")
        self.scenario, self.end, self.failures = scenario, end_of(session), failure_lines(session)
        self.out, self.err, self.rest = output_of(session)
        self.facts = None if scenario.is_exact else facts_of(self.out)

    def differs(self, session):
        """Why the output is not what it would have been without a fault, or None."""
        out, err, rest = output_of(session)
        if not out and not err and self.out and rest:  # no channel: everything is on the console
            for line in self.rest:
                if line in rest:
                    rest.remove(line)
            out, rest = "".join(rest), self.rest
        if err != self.err or sorted(rest) != sorted(self.rest):
            return f"stderr is {shorten(err)}, the console has {shorten(rest)}"
        if self.facts is None:
            return None if out == self.out else f"stdout is {shorten(out)}"
        try:
            found = list(differences(facts_of(out), self.facts))
        except (ValueError, KeyError) as error:
            return f"no facts: {error!r} in {shorten(out)}"
        found = [f for f in found if not is_tolerated(f[0], session)]
        return "; ".join(f"{path} is {shorten(got)}, not {shorten(want)}" for path, got, want in found) or None

    def tells_what_is_missing(self, session):
        """The record counts every byte of output that has not come."""
        missing = sum(len(s.encode()) for s in (self.out, self.err, *self.rest)) \
            - sum(map(len, session.output.values())) \
            - sum(len(l) for l in output_of(session)[2])
        return session.record["droppedBytes"] and (session.record["droppedBytes"] == missing or self.facts is not None)


def is_tolerated(path, session):
    warnings = [l for l in session.console.decode(errors="replace").splitlines() if "init-oci: warning: " in l]
    return any(re.search(pattern, line) and re.match(where, path)
               for pattern, (where, _) in TOLERATED.items() for line in warnings)


def disk_is_bad(outcome, has_witness):
    """What e2fsck says of the disk as it was when the power went, or that the workload's file is not on it."""
    if outcome.snapshot is None:
        return "no power-off was tried"
    result = subprocess.run(["e2fsck", "-fn", outcome.snapshot], capture_output=True, check=False)
    if result.returncode:
        return f"e2fsck: {result.returncode}: {shorten((result.stdout + result.stderr).decode(errors='replace'))}"
    with open(outcome.snapshot, "rb") as file:
        if has_witness and WITNESS not in file.read():
            return "the workload's file is not on the disk"
    return None


def judge(baseline, outcome):
    """(verdict, why)"""
    session = outcome.session
    if outcome.why:
        return LOST, outcome.why
    if outcome.end not in OFF:
        return LOST, f"PID 1 ended with wait status {outcome.end}"
    is_same = end_of(session) == baseline.end and failure_lines(session) == baseline.failures
    if baseline.scenario.has_upper:
        bad = disk_is_bad(outcome, is_same and session.record["phase"] == "run")
        if bad:
            return LOST, bad
    if is_same:
        differs = baseline.differs(session)
        if not differs:
            return SURVIVED, ""
        if baseline.tells_what_is_missing(session):
            return CLEAN, f"{session.record['droppedBytes']} bytes of output dropped"
        return LOST, differs
    if session.record["code"] in (125, 126, 127) and len(failure_lines(session)) == 1 and session.record.get("failure"):
        return CLEAN, failure_lines(session)[0]
    return LOST, f"{end_of(session)} {failure_lines(session)}, not {baseline.end} {baseline.failures}"
