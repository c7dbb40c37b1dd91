# SPDX-License-Identifier: Apache-2.0
"""What the cases of the host's hooks share: hook.py as a hook, its log, and hooks that fail."""

import json
import os
import sys

from harness import SMK, check_equal, check_in, wait_until
from host_case import fake_qemu, tiny_bundle

HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hook.py")
BEFORE = ("prestart", "createRuntime")
KINDS = (*BEFORE, "poststart", "poststop")


def hook(context, name, *action, **members):
    words = [HOOK, context.path("log"), name, *map(str, action)]
    return {"path": sys.executable, "args": ["python3", "-S", *words]} | members


def hooked_bundle(context, part, hooks, **members):
    """With a QEMU that plays `part`."""
    fake_qemu(context, part)
    context.env["FAKE_LOG"] = context.path("log")
    with open(context.path("log"), "w", encoding="utf-8"):
        return tiny_bundle(context, hooks=hooks, **members)


def run(context, part, hooks, *words, **members):
    return context.smk("run", *words, hooked_bundle(context, part, hooks, **members))


def start(context, part, hooks, **members):
    directory = hooked_bundle(context, part, hooks, **members)
    return context.popen([SMK, "run", directory], stdin=-3, stdout=-1, stderr=-1)


def end(process, code, *parts):
    """The exit code and the one line on stderr."""
    _, errors = process.communicate(timeout=20)
    check_equal(process.returncode, code, f"exit code ({errors})")
    check_equal(errors.count(b"\n"), 1 if parts else 0, f"lines of {errors}")
    for part in parts:
        check_in(part, errors.decode(), "stderr")


def log(context):
    with open(context.path("log"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def names(context):
    return [entry["name"] for entry in log(context)]


def entry_of(context, name):
    return next(entry for entry in log(context) if entry["name"] == name)


def wait_for(context, name):
    wait_until(lambda: name in names(context), 20, f"{name} in the log")


def failing_hooks(context):
    """(hook, what is said about it)"""
    python = sys.executable
    script = context.path("script")
    with open(script, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n")
    return [
        (hook(context, "bad", "ended", 3), f"{python}: ended with code 3\n"),
        (hook(context, "bad", "words", "no \x1bluck"), f"{python}: ended with code 3: no .luck\n"),
        (hook(context, "bad", "killed", 15), f"{python}: was ended by signal 15\n"),
        (hook(context, "bad", "sleeps", 600, timeout=1), f"{python}: took longer than 1 s\n"),
        ({"path": "/no/such"}, "/no/such: exec: No such file or directory (errno 2)\n"),
        ({"path": script}, f"{script}: exec: Permission denied (errno 13)\n"),
        ({"path": python, "args": ["x" * 200000]}, f"{python}: exec: Argument list too long (errno 7)\n"),
    ]
