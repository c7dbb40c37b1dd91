# SPDX-License-Identifier: Apache-2.0
"""The filter of system calls, as the kernel applies it. What the program is, tests/unit/seccomp.c says."""

import errno
import os
import re

from harness import TOP, case, check, check_equal
from session import Guest
from test_schedule import run

GETPRIORITY, PERSONALITY, SCHED_YIELD, GETPGID, SETRESUID, CAPSET = 140, 135, 24, 121, 117, 126  # x86_64
ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


def profile(*rules, default=ALLOW, **members):
    return {"seccomp": {"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                        "syscalls": list(rules)} | members}


def rule(*names, action=ERRNO, **members):
    return {"names": list(names), "action": action} | members


def errors(session):
    return [int(line) for line in session.expect().output[1].split()]


@case()
def actions(c):
    rules = [rule("getpgid", errnoRet=77), rule("sched_yield"), rule("no_such_call", "personality", errnoRet=5),
             rule("getpriority", action="SCMP_ACT_LOG")]
    calls = ("call", f"{GETPGID},0", SCHED_YIELD, f"{PERSONALITY},0", GETPRIORITY)
    with Guest(c) as guest:
        for with_flag in (False, True):
            session = run(guest, profile(*rules), ["/probe", *map(str, calls)], noNewPrivileges=with_flag)
            check_equal(errors(session), [77, errno.EPERM, 5, 0], "errors")
            facts = run(guest, profile(*rules), noNewPrivileges=with_flag).expect().facts
            check_equal((facts["seccomp"], facts["seccompFilters"], facts["noNewPrivs"]),
                        ("2", "1", str(int(with_flag))), "state")
        facts = run(guest).expect().facts
        check_equal((facts["seccomp"], facts["seccompFilters"]), ("0", "0"), "without a profile")


@case()
def deadly_actions(c):
    with Guest(c) as guest:
        for action in ("SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"):
            session = run(guest, profile(rule("sched_yield", action=action)),
                          ["/probe", "call", f"{GETPGID},0", str(SCHED_YIELD)], rlimits=[
                              {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])
            got = (session.record["phase"], session.record["signal"], session.output[1])
            check_equal(got, ("run", 31, b"0\n"), action)


@case()
def arguments(c):
    """64 bits of them."""
    def arg(op, value, two=0):
        return {"index": 0, "op": op, "value": value, "valueTwo": two}

    big = 1 << 40
    wanted = {
        "SCMP_CMP_EQ": (arg("SCMP_CMP_EQ", big), {big: True, 0: False, big + 1: False}),
        "SCMP_CMP_NE": (arg("SCMP_CMP_NE", big), {big: False, 0: True, big + 1: True}),
        "SCMP_CMP_LT": (arg("SCMP_CMP_LT", big), {big: False, 0: True, big + 1: False}),
        "SCMP_CMP_LE": (arg("SCMP_CMP_LE", big), {big: True, 0: True, big + 1: False}),
        "SCMP_CMP_GE": (arg("SCMP_CMP_GE", big), {big: True, 0: False, big + 1: True}),
        "SCMP_CMP_GT": (arg("SCMP_CMP_GT", big), {big: False, 0: False, big + 1: True}),
        "SCMP_CMP_MASKED_EQ": (arg("SCMP_CMP_MASKED_EQ", big | 1, big), {big: True, 0: False, big + 1: False}),
    }
    with Guest(c) as guest:
        for name, (condition, values) in wanted.items():
            session = run(guest, profile(rule("sched_yield", errnoRet=99, args=[condition])),
                          ["/probe", "call", *(f"{SCHED_YIELD},{value}" for value in values)])
            check_equal(errors(session), [99 if hit else 0 for hit in values.values()], name)


@case()
def loaded_before_the_privileges_go(c):
    """
    Without noNewPrivileges the filter needs CAP_SYS_ADMIN, so it is there before the user is; with it,
    the filter comes last, and what becoming the user takes need not be in the profile.
    """
    no_ids = profile(rule("setresuid", "capset", errnoRet=55))
    user = {"user": {"uid": 9, "gid": 9}, "capabilities": {"bounding": [], "permitted": []}}
    with Guest(c) as guest:
        facts = run(guest, no_ids, noNewPrivileges=True, **user).expect().facts
        check_equal((facts["uid"], facts["seccomp"]), ([9] * 3, "2"), "the user's")
        run(guest, no_ids, noNewPrivileges=False, **user).expect_failure(
            125, "spawn: /process/user/uid: setresuid", "(errno 55)")
        facts = run(guest, profile(), noNewPrivileges=False, **user).expect().facts
        check_equal((facts["seccomp"], facts["capEffective"]), ("2", "0" * 16), "state")


@case()
def a_profile_against_exec(c):
    with Guest(c) as guest:
        run(guest, profile(rule("execve", errnoRet=44)), noNewPrivileges=True).expect_failure(
            126, "spawn: /process/args/0", "(errno 44)")
        # Killed in front of it is not started, in no PID namespace.
        for namespaces in ([], [{"type": "pid"}, {"type": "user"}]):
            session = run(guest, profile(rule("execve", action="SCMP_ACT_KILL_PROCESS")) | {"namespaces": namespaces},
                          noNewPrivileges=True, rlimits=[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])
            session.expect_failure(125, "spawn: execve: ", "the child was ended before it, by signal 31")


@case()
def flags(c):
    with Guest(c) as guest:
        every = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
        facts = run(guest, profile(flags=every)).expect().facts
        check_equal(facts["seccomp"], "2", "with all flags")
        # Only for a filter with a listener, and so the kernel has the last word.
        run(guest, profile(flags=["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])).expect_failure(
            125, "spawn: /linux/seccomp: seccomp", f"(errno {errno.EINVAL})")


@case()
def other_tables_of_the_machine(c):
    """x32's getpid: a call by another architecture's numbers is none that the profile allows."""
    with Guest(c) as guest:
        session = run(guest, profile(), ["/probe", "call", str(0x40000000 + 39)], rlimits=[
            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])
        check_equal((session.record["phase"], session.record["signal"]), ("run", 31), f"{session}")


@case()
def the_usual_profile(c):
    """Some 400 names, allowed by default none: the probe still does its work."""
    with open(os.path.join(TOP, "oci", "syscalls_x86_64.h"), encoding="ascii") as file:
        names = re.findall(r'"(\w+)"', file.read())
    check(len(names) > 300, f"only {len(names)} names")
    usual = profile(rule(*names, action=ALLOW), default=ERRNO, defaultErrnoRet=38)
    with Guest(c) as guest:
        facts = run(guest, usual, user={"uid": 3, "gid": 3}, capabilities={}).expect().facts
        check_equal((facts["seccomp"], facts["uid"]), ("2", [3] * 3), "state")
