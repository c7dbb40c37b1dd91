# SPDX-License-Identifier: Apache-2.0
"""The entrypoint's process: what it is when it starts, and how its end arrives."""

import errno
import os

from harness import case, check, check_equal
from matrix_policy import ERRORS
from pid1 import FIFO, File, Link, Node, config_for
from session import Guest

CAPABILITIES = {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_SETUID": 7, "CAP_NET_BIND_SERVICE": 10, "CAP_SYS_PTRACE": 19}
SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")
STOPPED_OR_IGNORED = {17, 18, 19, 20, 21, 22, 23, 28}  # signals that do not end a process


def mask(*names):
    return f"{sum(1 << CAPABILITIES[n] for n in names):016x}"


def sets(*names, only=SETS):
    return {name: list(names) for name in only}


@case(120)
def every_exit_code(c):
    with Guest(c) as guest:
        for code in range(256):
            guest.run("/probe", "exit", code).expect(code)


@case()
def every_signal_as_death(c):
    with Guest(c) as guest:
        for number in set(range(1, 65)) - STOPPED_OR_IGNORED:
            guest.run("/probe", "kill", number).expect(128 + number, number)


def program(text, mode=0o755):
    return File(text if isinstance(text, bytes) else text.encode(), mode)


WRONG_MACHINE = bytes.fromhex("7f454c4602010100") + bytes(8) + bytes.fromhex("0200f300") + bytes(44)

EXEC_TREE = {
    "/bin": None,
    "/bin/noexec": program("#!/probe\n", 0o644),
    "/bin/empty": program(""),
    "/bin/text": program("echo hello\n"),
    "/bin/script": program("#!/no/such/interpreter -x\n"),
    "/bin/crlf": program("#!/bin/sh\r\necho\n"),
    "/bin/garbage": program(b"\x7fELF" + b"x" * 100),
    "/bin/foreign": program(WRONG_MACHINE),
    "/bin/dynamic": program(open("/bin/true", "rb").read()),
    "/bin/loop": Link("loop"),
    "/bin/dangling": Link("/nowhere"),
    "/bin/fifo": Node(FIFO, mode=0o755),
    "/bin/through-link": Link("../probe"),
    "/later/noexec": Link("../probe"),
    "/self": program("#!/proc/self/exe\n"),
}

# args[0]: the errno, what the line says besides, and the path it names (None: args[0])
EXEC_FAILURES = {
    "nosuch": ("ENOENT", "not found on the PATH", None),
    "/nosuch": ("ENOENT", "", None),
    "/bin/dangling": ("ENOENT", "", None),
    "/bin/script": ("ENOENT", "its interpreter /no/such/interpreter is missing", None),
    "script": ("ENOENT", "its interpreter /no/such/interpreter is missing", "/bin/script"),
    "/bin/crlf": ("ENOENT", "its interpreter /bin/sh\\x0d is missing", None),
    "/bin/dynamic": ("ENOENT", "its interpreter /lib64/ld-linux-x86-64.so.2 is missing", None),
    "": ("ENOENT", "", None),
    "/bin/noexec": ("EACCES", "", None),
    "noexec": ("EACCES", "", "/bin/noexec"),
    "/bin": ("EACCES", "", None),
    "/bin/fifo": ("EACCES", "", None),
    "/bin/empty": ("ENOEXEC", "", None),
    "/bin/text": ("ENOEXEC", "", None),
    "/bin/garbage": ("ENOEXEC", "", None),
    "/bin/foreign": ("ENOEXEC", "", None),
    "/bin/loop": ("ELOOP", "", None),
    "/probe/file": ("ENOTDIR", "", None),
    "/" + "x" * 300: ("ENAMETOOLONG", "", "..." + "x" * 252),  # as much of its end as a failure holds
}


@case()
def what_cannot_be_executed(c):
    """Code and line, exactly: what is missing or wrong is told apart."""
    with Guest(c, EXEC_TREE) as guest:
        for name, (error, words, path) in EXEC_FAILURES.items():
            session = guest.run(name, env=["PATH=/bin"]).expect_failure(127 if error == "ENOENT" else 126)
            number = getattr(errno, error)
            parts = [p for p in (path or name, "execve", words, f"{ERRORS[error]} (errno {number})") if p]
            check_equal(session.failures, ["init-oci: fatal: spawn: /process/args/0: " + ": ".join(parts)], name[:20])
            check_equal(session.record["failure"]["errno"], number, f"errno of {name[:20]}")


@case()
def too_long_an_argument(c):
    with Guest(c) as guest:
        guest.run("/probe", "exit", "0" * 131071).expect(0)
        guest.run("/probe", "x" * 131072).expect_failure(126, f"(errno {errno.E2BIG})")


@case()
def noexec_mount(c):
    with Guest(c) as guest:
        session = guest.run("/tmp/x", "--version", mounts=[
            {"destination": "/tmp/x", "type": "bind", "source": "/init", "options": ["bind", "noexec"]}])
        session.expect_failure(126, "/tmp/x", f"(errno {errno.EACCES})")


@case()
def path_search(c):
    with Guest(c, EXEC_TREE) as guest:
        guest.run("through-link", "exit", 3, env=["PATH=/nowhere:/probe:/bin"]).expect(3)
        guest.run("probe", "exit", 4, env=["PATH="]).expect(4)  # the current directory, which is /
        guest.run("probe", "exit", 5, env=["PATH=:/bin"]).expect(5)
        guest.run("probe", "exit", 6, env=["PATH=/bin:"]).expect(6)
        guest.run("through-link", "exit", 7, env=[]).expect(7)  # the default has /bin
        guest.run("noexec", "exit", 8, env=["PATH=/bin:/later"]).expect(8)  # EACCES goes on
        guest.run("probe", env=["PATH=/bin"]).expect_failure(127, "not found")


@case()
def arguments_and_environment(c):
    args = ["/probe", "facts", "", " a  b ", "\u00e9\n\t\"\\", "$HOME", "-x"]
    env = ["A=1", "B=", "C= x=y ", "HOME=/here", "AA=2", "PATH=/"]
    with Guest(c) as guest:
        facts = guest.run(*args, env=env).expect().facts
        check_equal([a.encode("latin-1").decode() for a in facts["args"]], args, "args")
        check_equal(facts["env"], env, "env")


@case()
def home_from_the_image(c):
    passwd = "root:x:0:0::/root:\nuser:x:1000:1000::/home/user:/bin/sh\n"
    with Guest(c, {"/etc/passwd": passwd}) as guest:
        for uid, home in ((0, "/root"), (1000, "/home/user"), (7, "/")):
            facts = guest.run("/probe", user={"uid": uid, "gid": 0}, env=["X=1"]).expect().facts
            check_equal(facts["env"], ["X=1", f"HOME={home}"], "env")


USERS = {"/etc/passwd": "root:x:0:0::/root:\nweb:x:33:44::/srv:\n", "/etc/group": "a:x:50:web\nb:x:51:web,x\n"}


def by_name(words):
    return config_for("/probe") | {"annotations": {"dev.supermachine.user": words}}


@case()
def user_by_name(c):
    """The ids of the configuration give way to the image's; so do HOME and the streams' owner."""
    expected = {"web": (33, 44, [50, 51], "/srv"), "33": (33, 44, [50, 51], "/srv"), "web:b": (33, 51, [], "/srv"),
                "7": (7, 0, [], "/"), "root:9": (0, 9, [], "/root")}
    with Guest(c, USERS) as guest:
        for words, (uid, gid, groups, home) in expected.items():
            facts = guest.run("/probe", config=by_name(words)).expect().facts
            check_equal((facts["uid"], facts["gid"]), ([uid] * 3, [gid] * 3), f"ids of {words}")
            check_equal(sorted(g for g in facts["groups"] if g != gid), groups, f"groups of {words}")
            check_equal(facts["env"], [f"HOME={home}"], f"env of {words}")


@case()
def user_by_name_with_more_groups(c):
    """Those of process.user come on top of the image's."""
    files = {"/etc/passwd": "web:x:33:44::/srv:/bin/sh\n", "/etc/group": "more:x:50:web\n"}
    with Guest(c, files) as guest:
        config = by_name("web")
        config["process"]["user"]["additionalGids"] = [60, 61]
        facts = guest.run("/probe", config=config).expect().facts
        check_equal(sorted(facts["groups"]), [44, 50, 60, 61], "groups")


@case()
def user_that_the_image_does_not_have(c):
    with Guest(c, USERS) as guest:
        for words, file in (("nobody", "/etc/passwd: has no user nobody"), ("web:x", "/etc/group: has no group x")):
            guest.run("/probe", config=by_name(words)).expect_failure(
                125, f"spawn: /annotations/dev.supermachine.user: {file}")


@case()
def home_from_a_hostile_image(c):
    big = b"x" * 70 + b"\n"
    hostile = {
        "absent": {},
        "fifo": {"/etc/passwd": Node(FIFO)},
        "zero": {"/etc/passwd": Link("/dev/zero")},
        "loop": {"/etc/passwd": Link("passwd")},
        "directory": {"/etc/passwd": None},
        "magic": {"/etc/passwd": Link("/proc/self/environ")},
        "long line": {"/etc/passwd": b"root:x:0:0:" + b"y" * (1 << 20)},
        "beyond 1 MiB": {"/etc/passwd": big * (1 << 14) + b"root:x:0:0::/late:\n"},
        "NUL": {"/etc/passwd": b"root:x:0:0::/a\0b:\n"},
    }
    for name, changes in hostile.items():
        c.dir = c.path(name.replace(" ", "-"))
        os.makedirs(c.dir)
        with Guest(c, changes) as guest:
            session = guest.run("/probe").expect()
            check_equal(session.facts["env"], ["HOME=/"], f"env with {name}")
            check(session.seconds < 2, f"{name} took {session.seconds} s")
        c.dir = os.path.dirname(c.dir)


@case()
def identity(c):
    user = {"uid": 1000, "gid": 1001, "additionalGids": [5, 7, 1001], "umask": 0o27}
    with Guest(c) as guest:
        facts = guest.run("/probe", user=user).expect().facts
        check_equal(facts["uid"], [1000] * 3, "uid")
        check_equal(facts["gid"], [1001] * 3, "gid")
        check_equal(facts["groups"], [5, 7, 1001], "groups")
        check_equal(facts["umask"], 0o27, "umask")
        facts = guest.run("/probe").expect().facts
        check_equal(facts["umask"], 0o22, "default umask")
        check_equal(facts["groups"], [0], "root's groups")
        facts = guest.run("/probe", user={"uid": 4294967294, "gid": 4294967294}).expect().facts
        check_equal(facts["uid"] + facts["gid"], [4294967294] * 6, "largest ids")


@case()
def primary_group_cannot_be_dropped(c):
    """CVE-2022-2989 and its like: the group's missing permission stays missing for a member."""
    with Guest(c, {"/secret": File(b"", 0o604, 0, 10)}) as guest:
        user = {"uid": 10, "gid": 10, "additionalGids": [5]}
        check_equal(guest.run("/probe", user=user).expect().facts["groups"], [5, 10], "groups")


@case()
def capability_sets(c):
    two = ("CAP_KILL", "CAP_NET_BIND_SERVICE")
    wanted = {
        "all five, user": ({"uid": 9, "gid": 9}, sets(*two), [mask(*two)] * 5),
        "all five, root": ({"uid": 0, "gid": 0}, sets(*two), [mask(*two)] * 5),
        "none": ({"uid": 0, "gid": 0}, {}, [mask()] * 5),
        "bounding only": ({"uid": 9, "gid": 9}, sets("CAP_CHOWN", only=["bounding"]),
                          [mask("CAP_CHOWN"), mask(), mask(), mask(), mask()]),
        "inheritable only": ({"uid": 9, "gid": 9}, sets("CAP_CHOWN", only=["bounding", "inheritable", "permitted"]),
                             [mask("CAP_CHOWN"), mask(), mask("CAP_CHOWN"), mask(), mask()]),
    }
    with Guest(c) as guest:
        for name, (user, capabilities, masks) in wanted.items():
            facts = guest.run("/probe", user=user, capabilities=capabilities).expect().facts
            got = [facts["cap" + s.capitalize()] for s in SETS]
            check_equal(got, masks, f"{SETS} of {name}")


@case()
def no_new_privileges(c):
    with Guest(c) as guest:
        for wanted in (False, True):
            facts = guest.run("/probe", noNewPrivileges=wanted).expect().facts
            check_equal(facts["noNewPrivs"], str(int(wanted)), "noNewPrivs")


@case()
def resource_limits(c):
    limits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
              {"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615},
              {"type": "RLIMIT_FSIZE", "soft": 1 << 40, "hard": 1 << 41}]
    with Guest(c) as guest:
        got = guest.run("/probe", rlimits=limits).expect().facts["rlimits"]
        for limit in limits:
            check_equal(got[limit["type"][7:]], [limit["soft"], limit["hard"]], limit["type"])
        guest.run("/probe", rlimits=[{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1 << 62}]).expect_failure(
            125, "/process/rlimits/0", "prlimit64")


@case()
def oom_score(c):
    with Guest(c) as guest:
        for score in (0, 500, 1000):
            facts = guest.run("/probe", oomScoreAdj=score).expect().facts
            check_equal(facts["oomScoreAdj"], score, "oomScoreAdj")
        check_equal(guest.run("/probe").expect().facts["oomScoreAdj"], 0, "default oomScoreAdj")


@case()
def nothing_is_inherited(c):
    with Guest(c) as guest:
        facts = guest.run("/probe", rlimits=[]).expect().facts
        check_equal(sorted(facts["fds"]), ["0", "1", "2"], "descriptors")
        check_equal([f.split(":")[0] for f in facts["fds"].values()], ["pipe"] * 3, "what they are")
        for name in ("sigBlocked", "sigIgnored", "sigCaught", "sigPending"):
            check_equal(facts[name], "0" * 16, name)
        check_equal((facts["capInheritable"], facts["capAmbient"]), ("0" * 16, "0" * 16), "inheritable capabilities")
        check_equal((facts["pgid"], facts["sid"], facts["ppid"]), (facts["pid"], facts["pid"], 1), "session")
        roots = sorted(facts["roots"])
        check_equal(roots, ["/dev", "/etc", "/probe", "/proc", "/sys", "/tmp"], "the root directory")
        foreign = [m for m in facts["mounts"] if any(w in m for w in ("/layer", "/upper", "smk-work"))
                   and " - overlay " not in m]
        check_equal(foreign, [], "mounts of init-oci's own")


@case()
def signals_that_somebody_had_ignored(c):
    """All that a shell can ignore, before init-oci: the workload has each by default."""
    numbers = [str(n) for n in range(1, 65) if n not in (9, 17, 19, 32, 33)]
    with Guest(c) as guest:
        guest.wrapper = ["sh", "-c", f"trap '' {' '.join(numbers)}; exec \"$@\"", "sh"]
        facts = guest.run("/probe").expect().facts
        for name in ("sigBlocked", "sigIgnored", "sigCaught", "sigPending"):
            check_equal(facts[name], "0" * 16, name)


@case()
def working_directory(c):
    with Guest(c, {"/made/by/image": None, "/link": Link("/made/by"), "/dangling": Link("/nowhere/at/all"),
                   "/file": "x"}) as guest:
        for cwd, real in (("/made/by/image", None), ("/new/deep/directory", None), ("/link", "/made/by"),
                          ("/link/new", "/made/by/new"), ("/../../..", "/"), ("/dangling", "/nowhere/at/all")):
            check_equal(guest.run("/probe", cwd=cwd).expect().facts["cwd"], real or cwd, "cwd")
        for cwd in ("/file", "/file/below"):
            guest.run("/probe", cwd=cwd).expect_failure(125, "/process/cwd", cwd[:6])


@case()
def working_directory_of_the_user(c):
    """One that root alone may enter is entered all the same, as under crun; one that nobody may is not."""
    from pid1 import Directory, config_for
    user = {"uid": 5, "gid": 5}
    with Guest(c, {"/private": Directory(0o700, 0, 0)}) as guest:
        facts = guest.run("/probe", cwd="/private", capabilities={}, user=user).expect().facts
        check_equal((facts["cwd"], facts["isCwdReadable"]), ("/private", 0), "cwd and what may be done there")
        ids = [{"containerID": 0, "hostID": 1000, "size": 10}]
        config = config_for("/probe", cwd="/private", user=user) | {"linux": {
            "namespaces": [{"type": "pid"}, {"type": "user"}], "uidMappings": ids, "gidMappings": ids}}
        guest.run(config=config).expect_failure(125, "/process/cwd", "/private", f"(errno {errno.EACCES})")


@case()
def repeated_variables(c):
    """As under crun: the last value at the first one's place."""
    env = ["A=1", "AB=0", "B=", "A=2", "B=b=c", "A=3"]
    with Guest(c) as guest:
        facts = guest.run("/probe", env=env + ["HOME=/"]).expect().facts
        check_equal(facts["env"], ["A=3", "AB=0", "B=b=c", "HOME=/"], "env")


@case()
def working_directory_through_a_descriptor(c):
    """CVE-2024-21626."""
    with Guest(c) as guest:
        for fd in range(3, 31):
            guest.run("/probe", cwd=f"/proc/self/fd/{fd}").expect_failure(125, "/process/cwd")


def attempts(session):
    return dict(line.rsplit(" ", 1) for line in session.expect().output[1].decode().splitlines())


@case()
def pid_1_is_out_of_reach(c):
    """CVE-2019-5736 and CVE-2016-9962: with the capabilities of a usual container, then as a tracer."""
    usual = sets("CAP_CHOWN", "CAP_KILL", "CAP_SETUID", only=["bounding", "effective", "permitted"])
    tracer = sets("CAP_SYS_PTRACE", only=["bounding", "effective", "permitted"])
    with Guest(c) as guest:
        errors = attempts(guest.run("/probe", "open-proc1", capabilities=usual))
        check_equal(set(errors.values()), {str(errno.EACCES)}, f"errors {errors}")
        errors = attempts(guest.run("/probe", "trace-proc1", capabilities=usual))
        check_equal(errors, {"ptrace": str(errno.EPERM)}, "errors")
        errors = attempts(guest.run("/probe", "open-proc1", capabilities=tracer))
        check_equal(errors["/proc/1/exe"], str(errno.ETXTBSY), "writing to PID 1's program")


@case()
def pid_1_cannot_be_killed_or_stopped(c):
    with Guest(c) as guest:
        session = guest.run("/probe", "strike-proc1")
        session.expect(3, out=b"kill 0\nstop 0\n")  # sent, and without effect


@case()
def runtime_as_interpreter(c):
    """CVE-2019-5736's other half: a script whose interpreter is whoever executes it."""
    with Guest(c, EXEC_TREE) as guest:
        session = guest.run("/self")
        check_equal((session.record["phase"], session.record["code"]), ("run", 2), f"{session}")


@case()
def no_way_out_of_the_root(c):
    with Guest(c) as guest:
        guest.run("/probe", "escape").expect(out=b"layer 0\ninit 0\nprobe 1\n")
