# SPDX-License-Identifier: Apache-2.0
"""The hooks of the host: when they run, what they are told, and what the failure of the first ones does."""

import os
import signal
import sys

from harness import SMK, case, check, check_equal, is_alive, wait_until
from hook_case import (BEFORE, HOOK, KINDS, end, entry_of, failing_hooks, hook, hooked_bundle, names, run, start,
                       wait_for)


@case()
def order_of_hooks(context):
    """Each kind in its order and at its time: the VMM begins after createRuntime, and has ended before poststop."""
    hooks = {kind: [hook(context, kind), hook(context, kind + "-2")] for kind in reversed(KINDS)}
    run(context, "hooked", hooks).expect(7, out="", err="")
    got = names(context)
    check_equal(got[:5] + got[-2:], ["prestart", "prestart-2", "createRuntime", "createRuntime-2", "vmm", "poststop",
                                     "poststop-2"], "order")
    check_equal(sorted(got[5:-2]), ["end", "poststart", "poststart-2"], "while the workload runs")
    check(got.index("poststart") < got.index("end"), f"order of {got}")


@case()
def state_of_hooks(context):
    """What the hooks read: the same container, told by its VMM's process, which is held before its program."""
    annotations = {"a.b": "\u00e9\"\n", "empty": "", "org.x/y": "z"}
    hooks = {kind: [hook(context, kind)] for kind in KINDS}
    directory = hooked_bundle(context, "hooked", hooks, annotations=annotations, ociVersion="1.2.1")
    os.symlink(directory, context.path("link"))
    context.smk("run", "link", cwd=context.dir).expect(7)
    vmm = entry_of(context, "vmm")["pid"]
    for kind, status in zip(KINDS, ("creating", "creating", "running", "stopped")):
        entry = entry_of(context, kind)
        want = {"ociVersion": "1.2.1", "id": f"smk-{vmm}", "status": status, "bundle": os.path.realpath(directory),
                "pid": 0 if status == "stopped" else vmm, "annotations": annotations}
        check_equal(entry["state"], want, f"state of {kind}")
        check(entry["at_end"], "stdin goes on after the state")
        if kind in BEFORE:
            check_equal(entry["exe"], SMK, "what the process is before its program")


@case()
def surroundings_of_a_hook(context):
    """Its own words and environment, the bundle's directory, three descriptors, a session of its own."""
    hooks = {"prestart": [hook(context, "bare"), hook(context, "full", "deaf", "", env=["A=1", "B="])]}
    directory = hooked_bundle(context, "warning", hooks)
    context.smk("run", directory).expect(0)
    for name, env in (("bare", []), ("full", ["A=1", "B="])):
        entry = entry_of(context, name)
        check_equal(entry["env"], env, "environment")
        check_equal(entry["args"][:5], ["python3", "-S", HOOK, context.path("log"), name], "arguments")
        check_equal(entry["cwd"], os.path.realpath(directory), "working directory")
        check(entry["session"], "not in a session of its own")
        check_equal([f.split(":")[0] for f in entry["fds"]], ["/memfd", "pipe", "pipe"], "descriptors")
        check_equal(entry["fds"][1], entry["fds"][2], "stdout and stderr")


@case()
def hook_without_args(context):
    """Gets its path as its name."""
    path = context.path("hook.sh")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho \"$0 $#\" >{context.path('out')}\n")
    os.chmod(path, 0o755)
    run(context, "warning", {"createRuntime": [{"path": path}]}).expect(0)
    with open(context.path("out"), encoding="utf-8") as file:
        check_equal(file.read(), f"{path} 0\n", "the hook's words")


def failure_before_the_vm(kind):
    def fails(context):
        done = [name for k in BEFORE[:BEFORE.index(kind)] for name in (k, k + "-2")]
        for number, (bad, words) in enumerate(failing_hooks(context)):
            context.dir = context.path(str(number))
            os.makedirs(context.dir)
            hooks = {k: [hook(context, k), hook(context, k + "-2")] for k in KINDS}
            hooks[kind] = [hook(context, "good", timeout=100), bad, hook(context, "never")]
            result = run(context, "short", hooks).expect(125, out="")
            check_equal(result.errors, f"smk: /hooks/{kind}/1: {words}", "stderr")
            ran = [name for name in names(context) if name != "bad"]
            check_equal(ran, [*done, "good", "poststop", "poststop-2"], f"what ran with {words}")
            check(not os.path.exists(context.path("argv.json")), "the VMM has begun")
            context.dir = os.path.dirname(context.dir)

    fails.__name__ = f"failing_{kind}_hook"
    case()(fails)


for _kind in BEFORE:
    failure_before_the_vm(_kind)


@case()
def failing_poststart_hook(context):
    """An error since version 1.3 of the specification: the workload is killed, the machine goes down in order."""
    hooks = {"poststart": [hook(context, "good"), hook(context, "bad", "words", "alas"), hook(context, "never")],
             "poststop": [hook(context, "poststop")]}
    run(context, "started", hooks).expect_line(
        125, f"smk: /hooks/poststart/1: {sys.executable}: ended with code 3: alas")
    check_equal(names(context), ["good", "bad", "signal", "poststop"], "what ran")
    check_equal(entry_of(context, "signal")["number"], 9, "the workload's signal")


@case()
def failing_poststart_hook_after_the_end(context):
    """The workload's code is not told as if all had gone well."""
    with open(context.path("now"), "w", encoding="utf-8") as file:
        file.write("5")
    hooks = {"poststart": [hook(context, "late", "waits", context.path("now"))]}
    run(context, "short", hooks).expect_line(125, "smk: /hooks/poststart/0: ", "ended with code 5")
    check_equal(names(context), ["vmm", "late"], "what ran")


@case()
def failing_poststart_hook_and_a_stubborn_guest(context):
    hooks = {"poststart": [hook(context, "bad", "ended", 9)], "poststop": [hook(context, "poststop")]}
    result = run(context, "stubborn", hooks)
    result.expect_line(125, "smk: /hooks/poststart/0: ", "ended with code 9")
    check(9 < result.seconds < 20, f"{result.seconds} s")
    check_equal(names(context), ["bad", "poststop"], "what ran")


@case()
def poststart_hook_that_takes_too_long(context):
    hooks = {"poststart": [hook(context, "slow", "sleeps", 600, timeout=1)]}
    result = run(context, "started", hooks)
    result.expect_line(125, "smk: /hooks/poststart/0: ", "took longer than 1 s")
    check(result.seconds < 8, f"{result.seconds} s")


@case()
def poststart_hook_that_outlives_the_vm(context):
    """Is waited for, and then comes poststop."""
    hooks = {"poststart": [hook(context, "poststart", "waits", context.path("now")), hook(context, "second")],
             "poststop": [hook(context, "poststop")]}
    process = start(context, "hooked", hooks)
    wait_until(lambda: "end" in names(context) and not is_alive(entry_of(context, "vmm")["pid"]), 20, "end of the VM")
    check(process.poll() is None, "smk has not waited")
    check_equal(names(context)[-1], "end", "the last that ran")
    with open(context.path("now"), "w", encoding="utf-8"):
        pass
    end(process, 7)
    check_equal(names(context)[-2:], ["second", "poststop"], "the last that ran")


@case()
def poststart_hook_stops_no_stream(context):
    hooks = {"poststart": [hook(context, "poststart", "waits", context.path("now"))]}
    process = start(context, "talks", hooks)
    check_equal(process.stdout.readline(), b"through\n", "the workload's line")
    process.send_signal(signal.SIGUSR1)
    wait_for(context, "signal")
    check(process.poll() is None, "smk has not waited for the hook")
    with open(context.path("now"), "w", encoding="utf-8"):
        pass
    end(process, 138)
