# SPDX-License-Identifier: Apache-2.0
"""The hooks of the host: poststop, what hooks leave behind, what interrupts them, and the commands that run none."""

import json
import os
import signal
import sys
import time

from harness import case, check, check_equal, is_alive, wait_until
from hook_case import (BEFORE, KINDS, end, entry_of, failing_hooks, hook, hooked_bundle, names, run, start, wait_for)
from host_case import leftovers, tiny_bundle


@case()
def failing_poststop_hooks(context):
    """Warnings: all of them run, and the workload's code stays."""
    bad = failing_hooks(context)
    hooks = {"poststop": [hook(context, "first"), *(h for h, _ in bad), hook(context, "last")]}
    result = run(context, "short", hooks).expect(7)
    want = "".join(f"smk: warning: /hooks/poststop/{i + 1}: {words}" for i, (_, words) in enumerate(bad))
    check_equal(result.errors, want, "stderr")
    check_equal([n for n in names(context) if n != "bad"], ["vmm", "first", "last"], "what ran")


def poststop_after(part, code, *words, before=""):
    def runs(context):
        hooks = {"poststop": [hook(context, "poststop")], "poststart": [hook(context, "poststart")]}
        if before:
            hooks["prestart"] = [hook(context, "prestart", before, "")]
        result = run(context, part, hooks, *words)
        check_equal(result.code, code, f"exit code ({result.errors})")
        check_equal([n for n in names(context) if n != "prestart"], ["poststop"], "what ran")

    runs.__name__ = f"poststop_hook_after_{before or part}"
    case()(runs)


poststop_after("broken", 125)
poststop_after("fatal_with_record", 125)  # no started: no poststart
poststop_after("no_record", 125)
poststop_after("hold", 125, "--timeout", "1")
poststop_after("hold", 125, before="kills_vmm")


@case()
def no_hook_before_the_first_is_due(context):
    """A run that fails before there is anything to create runs none."""
    hooks = {kind: [hook(context, kind)] for kind in KINDS}
    run(context, "short", hooks, root={"path": "nowhere"}).expect_line(125, "smk: /root/path: ")
    check_equal(names(context), [], "what ran")


@case()
def timeout_ends_the_group(context):
    """What the hook has started goes with it, and the state's stdin holds nobody."""
    hooks = {"prestart": [hook(context, "slow", "leaves_and_sleeps", "sleep 600 & wait", timeout=1)]}
    result = run(context, "short", hooks)
    result.expect_line(125, "smk: /hooks/prestart/0: ", "took longer than 1 s")
    check(0.9 < result.seconds < 8, f"{result.seconds} s")
    with open(context.path("log.left"), encoding="utf-8") as file:
        left = int(file.read())
    wait_until(lambda: not is_alive(left), 5, "end of the hook's child")


def left_behind(name, program):
    def is_not_waited_for(context):
        for kind in KINDS:
            context.dir = context.path(kind)
            os.makedirs(context.dir)
            hooks = {kind: [hook(context, kind, "leaves", program, env=["PATH=/bin:/usr/bin"])]}
            result = run(context, "short", hooks).expect(7)
            with open(context.path("log.left"), encoding="utf-8") as file:
                left = int(file.read())
            if "sleep" in program:
                check(is_alive(left), "what the hook left behind was ended")
                os.kill(left, signal.SIGKILL)
            check(result.seconds < 10, f"{kind}: {result.seconds} s")
            context.dir = os.path.dirname(context.dir)

    is_not_waited_for.__name__ = name
    case()(is_not_waited_for)


left_behind("process_left_behind", "exec sleep 600")
left_behind("noisy_processes_left_behind", "cat /dev/zero & cat /dev/zero & exec cat /dev/zero")


@case()
def huge_state(context):
    """A megabyte of annotations, for one that reads it and ones that do not."""
    annotations = {f"key{i}": "v" * 1000 for i in range(1000)}
    hooks = {kind: [hook(context, kind + "-deaf", "deaf", ""), {"path": "/bin/true"}, hook(context, kind)]
             for kind in KINDS}
    run(context, "hooked", hooks, annotations=annotations).expect(7, err="")
    for kind in KINDS:
        check(entry_of(context, kind)["state"]["annotations"] == annotations, f"annotations of {kind} differ")


@case()
def output_of_good_hooks(context):
    """Is not shown, however much it is."""
    loud = {"path": "/bin/sh", "args": ["sh", "-c", "head -c 1000000 /dev/zero; echo loud >&2"], "env": ["PATH=/bin:/usr/bin"]}
    hooks = {"prestart": [loud], "poststop": [loud]}
    result = run(context, "short", hooks).expect(7, out="")
    check_equal(result.errors, "", "stderr")


def interrupted(kind):
    def ends_in_order(context):
        """One of two signals at once is not for poststop."""
        hooks = {kind: [hook(context, "slow", "sleeps", 600), hook(context, "never")],
                 "poststop": [hook(context, "poststop")]}
        process = start(context, "short", hooks)
        wait_for(context, "slow")
        for number in (signal.SIGSTOP, signal.SIGUSR1, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            process.send_signal(number)
        end(process, 125, f"smk: /hooks/{kind}/0: {sys.executable}: interrupted by a signal to smk")
        check(not is_alive(entry_of(context, "slow")["pid"]), "the hook runs on")
        check_equal(names(context), ["slow", "poststop"], "what ran")
        check_equal(leftovers(context), [], "temporary files")

    ends_in_order.__name__ = f"interrupted_{kind}_hook"
    case()(ends_in_order)


for _kind in BEFORE:
    interrupted(_kind)


@case()
def interrupted_poststop_hook(context):
    """A signal ends the one hook. The end of the VM by force was the end of its poststart hook."""
    hooks = {"poststart": [hook(context, "poststart", "sleeps", 600)],
             "poststop": [hook(context, "slow", "sleeps", 600), hook(context, "last")]}
    process = start(context, "stubborn", hooks)
    wait_for(context, "poststart")
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    wait_for(context, "slow")
    check(process.poll() is None, "smk has not waited for the hook")
    check(not is_alive(entry_of(context, "poststart")["pid"]), "the poststart hook runs on")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    check_equal(process.returncode, 125, f"exit code ({errors})")
    check_equal(errors.decode(), f"smk: warning: /hooks/poststop/0: {sys.executable}: interrupted by a signal to smk\n"
                "smk: the VM was ended by force\n", "stderr")
    check_equal(names(context), ["poststart", "slow", "last"], "what ran")


@case()
def hook_that_closes_its_output(context):
    """Is waited for, and not by looking all the time."""
    process = start(context, "short", {"prestart": [hook(context, "quiet", "closes_and_waits", context.path("now"))]})
    wait_for(context, "quiet")
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
        time.sleep(1)
        ticks = sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
    check(ticks < 15, f"smk has run for {ticks} ticks of 10 ms")
    with open(context.path("now"), "w", encoding="utf-8"):
        pass
    end(process, 7)


@case()
def killed_smk_takes_the_hook_along(context):
    process = start(context, "short", {"prestart": [hook(context, "slow", "sleeps", 600)]})
    wait_for(context, "slow")
    entry = entry_of(context, "slow")
    process.kill()
    process.wait()
    wait_until(lambda: not is_alive(entry["pid"]) and not is_alive(entry["state"]["pid"]), 10, "end of the hook and VMM")


@case()
def bundle_whose_path_is_not_utf8(context):
    """Cannot be told to hooks; without any it runs."""
    good = hooked_bundle(context, "short", {})
    os.rename(good, context.path("b\udcff"))
    context.smk("run", context.path("b\udcff")).expect(7)
    with open(context.path("b\udcff", "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["hooks"] = {"poststop": [{"path": "/bin/true"}]}
    with open(context.path("b\udcff", "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    context.smk("run", context.path("b\udcff")).expect_line(125, "smk: /hooks/poststop/0: ", "is not UTF-8")


@case()
def printed_command_runs_no_hooks(context):
    directory = hooked_bundle(context, "short", {"createContainer": [{"path": "/bin/true"}]})
    check_equal(context.smk("run", "--print-vmm", directory).expect(0).errors, "", "stderr")
    hooks = {kind: [hook(context, kind)] for kind in KINDS}
    context.dir = context.path("second")
    os.makedirs(context.dir)
    result = context.smk("run", "--print-vmm", hooked_bundle(context, "short", hooks))
    result.expect_line(0, "smk: warning: /hooks/prestart/0: the printed command runs no hooks of the host")
    check_equal(names(context), [], "what ran")


@case()
def plan_prints_the_hooks(context):
    """Those of the guest too, each where it runs; none is run."""
    kinds = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    hooks = {kind: [{"path": "/no/such"}, {"path": "/h", "args": ["h", "a b"], "timeout": 7}] for kind in kinds}
    lines = context.smk("plan", tiny_bundle(context, hooks=hooks)).expect(0, err="").text.splitlines()
    want = [f'hook {kind} {words} /hooks/{kind}/{i}' for kind in kinds
            for i, words in enumerate(("/no/such /no/such", '/h h "a b" timeout=7'))]
    check_equal(lines[:4] + lines[-8:], want, "lines")
    check(len(lines) > 20 and not any(l.startswith("hook") for l in lines[4:-8]), f"lines {lines}")
