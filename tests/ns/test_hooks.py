# SPDX-License-Identifier: Apache-2.0
"""createContainer and startContainer: where they run, what they are told, and what their failure does."""

import errno
import json
import os

from harness import case, check, check_equal, check_in
from pid1 import PROBE, File, Machine, base_tree, config_for
from session import Guest

OUT = "/tmp/out"  # what the hooks say is kept here for the entrypoint: SHOW
SHOW = ("/probe", "show", OUT)


def hook(path, *args, **members):
    return {"path": path, "args": [path.rsplit("/", 1)[1], *map(str, args)]} | members


def kept(path, *args, **members):
    return hook(path, "into", OUT, *args, **members)


def run(guest, hooks, *args, **more):
    return guest.run(config={
        "ociVersion": "1.3.0",
        "process": {"args": list(args or ("/probe", "exit", "0")), "cwd": "/", "user": {"uid": 9, "gid": 9},
                    "capabilities": {}},
        "root": {"path": "rootfs"}, "hooks": hooks} | more)


def run_show(guest, hooks, **more):
    """What the hooks of startContainer have said."""
    return run(guest, {"startContainer": hooks}, *SHOW, **more).expect().output[1].decode()


def hook_program():
    with open(PROBE, "rb") as file:
        return {"/hook": File(file.read())}


def run_create(machine, hooks, **more):
    """Hooks of createContainer, whose program is in the boot root."""
    return machine.run(config_for("/probe") | more | {"hooks": {"createContainer": hooks}}, initramfs=hook_program())


@case()
def start_container(c):
    """Inside the container, before its program, as root, in order; each reads the whole state."""
    hooks = {"startContainer": [kept("/probe", "cat"), hook("/probe", "put", "text", "/tmp/left", "/root-was-here"),
                                kept("/probe", "show", "/tmp/left"), kept("/probe", "cat")]}
    with Guest(c) as guest:
        session = run(guest, hooks, *SHOW, hostname="box", annotations={"a.b": "\u00e9\"x"}).expect()
        first, last = session.output[1].decode().split("text")
        check_equal(first, last, "what each has read")
        state = json.loads(first)
        check_equal(state.pop("pid"), session.of("started")[0]["pid"], "pid")
        check_equal(state, {"ociVersion": "1.3.0", "id": "box", "status": "created", "bundle": "/",
                            "annotations": {"a.b": "\u00e9\"x"}}, "state")


@case()
def state_of_each_hook(c):
    """Whole, however much it is and whoever has read it or written into it before."""
    annotations = {f"key{i}": "\u00fc" * 500 for i in range(200)}
    with Guest(c) as guest:
        hooks = [hook("/probe", "exit", 0), kept("/probe", "count"), hook("/probe", "put", "lies", "/proc/self/fd/0"),
                 kept("/probe", "count")]
        state = {"ociVersion": "1.3.0", "id": "container", "status": "created", "pid": 2, "bundle": "/",
                 "annotations": annotations}
        size = len(json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode())
        check_equal(run_show(guest, hooks, annotations=annotations), f"read {size}\n" * 2, "bytes that the hooks have read")


@case()
def output_of_hooks(c):
    """However much it is: it stops nobody, is not the workload's, and its last line is told of one that fails."""
    loud = hook("/probe", "write", 1000000)
    with Guest(c) as guest:
        for terminal in (False, True):
            process = {"args": ["/probe", "exit", "0"], "cwd": "/", "terminal": terminal}
            session = run(guest, {"startContainer": [loud, hook("/probe", "both"), loud]}, process=process)
            session.expect(out=b"")
        session = run(guest, {"startContainer": [hook("/probe", "nonsense"), loud]})
        session.expect_failure(125, "/hooks/startContainer/0: /probe ended with code 2: ", "PATH")
        check("usage" not in session.failures[0], f"the first line in {session.failures[0]}")
        session = run(guest, {"startContainer": [hook("/probe", "into", "/no/such/place", "exit")]})
        session.expect_failure(125, "/probe ended with code 1: probe: into: No such file or directory")
    with Machine(c, "create") as m:
        m.layer(base_tree())
        run_create(m, [hook("/hook", "write", 1000000), hook("/hook", "write", 1000000, 2)]).expect()


@case()
def process_left_behind(c):
    """One that a hook has left is not waited for, holds nothing up, and ends with the workload."""
    hooks = {"startContainer": [hook("/probe", "spawn-holder", timeout=15)]}
    with Guest(c) as guest:
        session = run(guest, hooks).expect(out=b"")
        check(session.seconds < 10, f"{session.seconds} s")


@case()
def environment_of_a_hook(c):
    """Its own and nothing else; no descriptor but the three, no signal blocked."""
    with Guest(c) as guest:
        facts = json.loads(run_show(guest, [kept("/probe", "facts", env=["A=1", "B="])]))
        check_equal((facts["env"], facts["args"]), (["A=1", "B="], ["probe", "facts"]), "env and args")
        check_equal(sorted(facts["fds"]), ["0", "1", "2"], "descriptors")
        check_equal((facts["sigBlocked"], facts["uid"]), ("0" * 16, [0] * 3), "signals, uid")
        check_equal(json.loads(run_show(guest, [kept("/probe", "facts")]))["env"], [], "without env")
        run(guest, {"startContainer": [{"path": "/probe"}]}).expect(out=b"")


@case()
def hooks_that_fail(c):
    wanted = {
        "exit": (hook("/probe", "exit", 3), "/probe ended with code 3"),
        "signal": (hook("/probe", "kill", 15), "/probe was ended by signal 15"),
        "missing": (hook("/nosuch"), f"/nosuch: execve: No such file or directory (errno {errno.ENOENT})"),
        "time": (hook("/probe", "sleep", 30, timeout=1), "/probe took longer than 1 s"),
    }
    good = hook("/probe", "exit", 0, timeout=5)
    with Guest(c) as guest:
        for name, (bad, words) in wanted.items():
            session = run(guest, {"startContainer": [good, bad, hook("/probe", "put", "x", "/never")]})
            session.expect_failure(125, "init-oci: fatal: spawn: /hooks/startContainer/1: ", words)
            check(session.failures[0].endswith(words), f"the end of {session.failures[0]}")
            check_equal(session.output[1], b"", f"output after {name}")
            check(session.seconds < 5, f"{name} took {session.seconds} s")


@case()
def create_container(c):
    """A program of the boot root, in the container's namespaces, before the container's root is entered."""
    with Machine(c) as m:
        m.layer(base_tree())
        inside = {"hostname": "inside", "annotations": {"a": "b"},
                  "linux": {"namespaces": [{"type": "uts"}, {"type": "mount"}]}}
        ran = run_create(m, [hook("/hook", "exit", 0), hook("/hook", "put", "x", "/proof")], **inside).expect()
        check_in("root/proof", ran.after, "the boot root afterwards")
        for bad, words in ((hook("/hook", "fails", "cat"), '{"ociVersion":"1.0.2","id":"inside","status":"creating","pid":'),
                           (hook("/hook", "fails", "about", "a"), "inside about a"),
                           (hook("/hook", "fails", "about", "b", env=["A=1", "B=", "PATH=/x"]),
                            "inside about b A=1 B= PATH=/x")):
            ran = run_create(m, [bad], **inside)
            ran.expect_failure(f"/hooks/createContainer/0: /hook ended with code 1: {words}")


@case()
def create_hooks_that_fail(c):
    missing = f"/probe: execve: No such file or directory (errno {errno.ENOENT})"
    with Machine(c) as m:
        m.layer(base_tree())
        for bad, words in ((hook("/hook", "exit", 4), "/hook ended with code 4"),
                           (hook("/hook", "kill", 9), "/hook was ended by signal 9"),
                           (hook("/hook", "sleep", 30, timeout=1), "/hook took longer than 1 s"),
                           (hook("/probe", "exit", 0), missing)):
            failed = run_create(m, [hook("/hook", "exit", 0, timeout=9), bad, hook("/hook", "put", "x", "/never")])
            failed.expect_failure("init-oci: fatal: spawn: /hooks/createContainer/1: " + words)
            check("root/never" not in failed.after, f"a hook ran after {words}")


@case()
def a_limit_that_ends_the_child(c):
    """The state does not fit into a file of no bytes: SIGXFSZ, in front of the entrypoint."""
    with Guest(c) as guest:
        config = {"process": {"args": ["/probe", "exit", "0"], "cwd": "/", "user": {"uid": 0, "gid": 0},
                              "rlimits": [{"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0}]}}
        run(guest, {"startContainer": [hook("/probe", "exit", 0)]}, **config).expect_failure(
            125, "spawn: execve: ", "the child was ended before it, by signal 25")
