# SPDX-License-Identifier: Apache-2.0
"""createContainer and startContainer: where they run, what they are told, and what their failure does."""

import errno
import json

from harness import case, check, check_equal, check_in
from pid1 import PROBE, File, Machine, base_tree, config_for
from session import Guest


def hook(path, *args, **members):
    return {"path": path, "args": [path.rsplit("/", 1)[1], *map(str, args)]} | members


def run(guest, hooks, *args, **more):
    return guest.run(config={
        "ociVersion": "1.3.0",
        "process": {"args": list(args or ("/probe", "exit", "0")), "cwd": "/", "user": {"uid": 9, "gid": 9},
                    "capabilities": {}},
        "root": {"path": "rootfs"}, "hooks": hooks} | more)


@case()
def start_container(c):
    """Inside the container, before its program, as root, in order; each reads the whole state."""
    hooks = {"startContainer": [hook("/probe", "cat"), hook("/probe", "put", "text", "/tmp/left", "/root-was-here"),
                                hook("/probe", "cat")]}
    with Guest(c) as guest:
        session = run(guest, hooks, "/probe", "show", "/tmp/left", hostname="box", annotations={"a.b": "\u00e9\"x"})
        states, rest = session.expect().output[1].decode().split("/tmp/left 0\n/root-was-here 0\n")
        last, text = rest[:-len("text")], rest[-len("text"):]
        check_equal((states, text), (last, "text"), "what each has read, and the program")
        state = json.loads(states)
        pid = state.pop("pid")
        check_equal(pid, session.of("started")[0]["pid"], "pid")
        check_equal(state, {"ociVersion": "1.3.0", "id": "box", "status": "created", "bundle": "/",
                            "annotations": {"a.b": "\u00e9\"x"}}, "state")


@case()
def environment_of_a_hook(c):
    """Its own and nothing else; no descriptor but the three, no signal blocked."""
    hooks = {"startContainer": [hook("/probe", "facts", env=["A=1", "B="])]}
    with Guest(c) as guest:
        facts = run(guest, hooks).expect().facts
        check_equal((facts["env"], facts["args"]), (["A=1", "B="], ["probe", "facts"]), "env and args")
        check_equal(sorted(facts["fds"]), ["0", "1", "2"], "descriptors")
        check_equal((facts["sigBlocked"], facts["uid"]), ("0" * 16, [0] * 3), "signals, uid")
        facts = run(guest, {"startContainer": [{"path": "/probe"}]}).expect().facts
        check_equal((facts["env"], facts["args"]), ([], ["/probe"]), "without env and args")


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
            check_equal(session.output[1], b"", f"output after {name}")
            check(session.seconds < 5, f"{name} took {session.seconds} s")


@case()
def create_container(c):
    """A program of the boot root, in the container's namespaces, before the container's root is entered."""
    with open(PROBE, "rb") as file:
        program = File(file.read())
    with Machine(c) as m:
        m.layer(base_tree())
        config = config_for("/probe") | {
            "hostname": "inside", "linux": {"namespaces": [{"type": "uts"}, {"type": "mount"}]},
            "hooks": {"createContainer": [hook("/hook", "put", "text", "/proof"), hook("/hook", "facts")]}}
        ran = m.run(config, initramfs={"/hook": program})
        ran.expect()
        check_in("root/proof", ran.after, "the boot root afterwards")
        check_equal((ran.objects[0]["args"], ran.objects[0]["hostname"]), (["hook", "facts"], "inside"), "the hook")
        config["hooks"]["createContainer"][1] = hook("/hook", "exit", 4)
        failed = m.run(config, initramfs={"/hook": program})
        check_in("fatal: spawn: /hooks/createContainer/1: /hook ended with code 4", failed.text, "console")
        config["hooks"]["createContainer"] = [hook("/probe", "exit", 0)]
        failed = m.run(config, initramfs={"/hook": program})
        check_in("fatal: spawn: /hooks/createContainer/0: /probe: execve", failed.text, "console")
