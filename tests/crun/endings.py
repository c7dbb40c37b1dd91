# SPDX-License-Identifier: Apache-2.0
"""Variants that are about how a container ends: its code, what it wrote, which error there was."""

import variants

ENDINGS = {}


def ending(name, *args, change=None):
    def apply(config, top):
        config["process"]["args"] = list(args)
        return change(config, top) if change else None

    ENDINGS[name] = apply


def without_pid_namespace(config, _):
    """Process 1 of a PID namespace does not die of a signal that it sends to itself."""
    variants.drop_namespaces(config, "pid")


def with_seccomp(action):
    def change(config, _):
        config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["getppid"], "action": action}]}
    return change


def with_resources(**resources):
    def change(config, _):
        config["linux"]["resources"] = resources
    return change


def in_a_locked_directory(config, _):
    config["process"].update(user={"uid": 1000, "gid": 1000}, cwd="/cover", capabilities=variants.capabilities())


def with_broken_hook(config, _):
    config["hooks"] = {"startContainer": [{"path": "/bin/probe", "args": ["probe", "exit", "3"]}]}


def on_readonly_root(config, _):
    variants.mount(config, "/etc/passwd", "tmpfs")


ending("exit-0", "/bin/probe", "exit", "0")
ending("exit-7", "/bin/probe", "exit", "7")
ending("exit-127-of-the-program", "/bin/probe", "exit", "127")
ending("exit-255", "/bin/probe", "exit", "255")
ending("output", "/bin/probe", "both")
ending("program-missing", "/nosuch/program")
ending("program-missing-on-the-path", "nosuch-program")
ending("program-not-executable", "/bin/text")
ending("program-is-a-directory", "/data")
ending("interpreter-missing", "/bin/orphan")
ending("killed-by-9", "/bin/probe", "kill", "9", change=without_pid_namespace)
ending("killed-by-15", "/bin/probe", "kill", "15", change=without_pid_namespace)
ending("killed-by-6", "/bin/probe", "kill", "6", change=without_pid_namespace)
ending("killed-by-34", "/bin/probe", "kill", "34", change=without_pid_namespace)
ending("process-1-does-not-kill-itself", "/bin/probe", "kill", "9")
ending("killed-by-seccomp", "/bin/probe", change=with_seccomp("SCMP_ACT_KILL_PROCESS"))
ending("trapped-by-seccomp", "/bin/probe", change=with_seccomp("SCMP_ACT_TRAP"))
ending("pids-limit", "/bin/probe", "forks", "100", change=with_resources(pids={"limit": 20}))
ending("memory-limit", "/bin/probe", "hog", change=with_resources(memory={"limit": 32 << 20}))
ending("directory-that-may-not-be-entered", "/bin/probe", change=in_a_locked_directory)
ending("hook-that-fails", "/bin/probe", change=with_broken_hook)
ending("mount-on-a-file", "/bin/probe", change=on_readonly_root)
