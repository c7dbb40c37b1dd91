# SPDX-License-Identifier: Apache-2.0
"""Hooks of all kinds, on both sides of the machine."""

import json
import os

from harness import SMK, case, check, check_equal, shell, wait_until

LAYER = "/layer/000"  # where a createContainer hook finds the bundle's files
KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def hooked(context, script, hooks):
    """A bundle with hooks; what is said goes to the log, whoever says it."""
    directory = shell(context, script)
    path = os.path.join(directory, "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    config["hooks"] = {kind: [hook] for kind, hook in hooks.items()}
    config["annotations"] = {"who": "asks"}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    return directory


def host_hook(context, name, script=":"):
    """Adds a line with its name, the state's status and the program that the state's process runs."""
    words = (f"state=$(cat); {script}; pid=${{state#*'\"pid\":'}}; pid=${{pid%%,*}}; status=${{state#*'\"status\":\"'}}; "
             f"echo {name} ${{status%%'\"'*}} $(readlink /proc/$pid/exe) >>{context.path('log')}")
    return {"path": "/bin/sh", "args": ["sh", "-c", words], "env": ["PATH=/usr/bin:/bin"], "timeout": 60}


def guest_hook(root, script):
    """What a hook says is not shown: createContainer writes to the console, startContainer into a file."""
    return {"path": f"{root}/bin/busybox", "args": ["sh", "-c", script], "timeout": 60}


def log(context):
    """Without what else is on the console."""
    with open(context.path("log"), encoding="utf-8") as file:
        lines = [line.split() for line in file]
    return [" ".join(line) for line in lines if line and line[0] in (*KINDS, "entrypoint", "end")]


@case(timeout=120)
def order_of_all_hooks(context):
    """One log of one run: the hosts' hooks add to it, and it is the workload's output and its console."""
    waits = f"until grep -q ^entrypoint {context.path('log')}; do sleep 0.1; done"
    hooks = {kind: host_hook(context, kind) for kind in ("poststop", "createRuntime", "prestart")}
    hooks["poststart"] = host_hook(context, "poststart", waits)
    hooks["startContainer"] = guest_hook("", "echo startContainer $(/bin/cat) >/tmp/said")
    hooks["createContainer"] = guest_hook(LAYER, f"{{ echo; echo createContainer $({LAYER}/bin/busybox cat); }} >/dev/console")
    directory = hooked(context, "cat /tmp/said; echo entrypoint; read x; echo end", hooks)
    with open(context.path("log"), "ab") as file:
        process = context.popen([SMK, "run", "--console", directory], stdin=-1, stdout=file, stderr=file)
    wait_until(lambda: any(l.startswith("poststart") for l in log(context)) or process.poll() is not None, 60, "poststart")
    process.communicate(b"\n", timeout=60)
    lines = log(context)
    check_equal(process.returncode, 0, f"exit code ({lines})")
    check_equal([line.split()[0] for line in lines], [*KINDS[:4], "entrypoint", "poststart", "end", "poststop"], "order")
    # Not by PATH: make coverage has a script there, which becomes this.
    qemu = os.path.realpath("/usr/bin/qemu-system-aarch64")
    check_equal([line for line in lines if "{" not in line],
                [f"prestart creating {SMK}", f"createRuntime creating {SMK}", "entrypoint", f"poststart running {qemu}",
                 "end", "poststop stopped"], "on the host")
    states = [json.loads(line.split(" ", 1)[1]) for line in lines if "{" in line]
    check_equal([(s["status"], s["annotations"]) for s in states],
                [("creating", {"who": "asks"}), ("created", {"who": "asks"})], "states in the guest")


def nothing_runs_after(kind):
    def fails(context):
        hooks = {kind: host_hook(context, kind, "echo no luck >&2; exit 4"), "poststop": host_hook(context, "poststop"),
                 "poststart": host_hook(context, "poststart")}
        result = context.smk("run", "--console", hooked(context, "echo entrypoint", hooks))
        result.expect(125, out="")
        check_equal(result.errors, f"smk: /hooks/{kind}/0: /bin/sh: ended with code 4: no luck\n", "stderr")
        check_equal(log(context), ["poststop stopped"], "the log")

    fails.__name__ = f"failing_{kind}_hook_of_the_host"
    case()(fails)


nothing_runs_after("prestart")
nothing_runs_after("createRuntime")


@case(timeout=120)
def failing_poststart_hook_of_the_host(context):
    """The workload is killed, its machine goes down in order, and what it has written is on its disk."""
    hooks = {"poststart": host_hook(context, "poststart", "exit 4"), "poststop": host_hook(context, "poststop")}
    directory = hooked(context, "sleep 600", hooks)
    result = context.smk("run", directory)
    result.expect_line(125, "smk: /hooks/poststart/0: /bin/sh: ended with code 4")
    check(result.seconds < 9, f"{result.seconds} s: the machine was not told")
    check_equal(log(context), ["poststop stopped"], "the log")


@case(timeout=120)
def failing_hooks_of_the_guest(context):
    """The entrypoint does not run, the host's poststop hooks do."""
    for number, kind in enumerate(("createContainer", "startContainer")):
        bad = guest_hook(LAYER if kind == "createContainer" else "", "echo why; exit 5")
        hooks = {kind: bad, "poststop": host_hook(context, "poststop"), "poststart": host_hook(context, "poststart")}
        result = context.smk("run", hooked(context, "echo entrypoint", hooks))
        result.expect_line(125, f"init-oci: fatal: spawn: /hooks/{kind}/0: ", "ended with code 5: why")
        check_equal((result.text, log(context)), ("", ["poststop stopped"] * (number + 1)), "stdout and the log")
