#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The configurations that crun, umoci and podman write, made here and now: a stream for `run -`, in
which each is to be accepted."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time


def run(*command, cwd, is_allowed_to_fail=False):
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, check=False)
    if done.returncode and not is_allowed_to_fail:
        sys.exit("not ok engine-%s: %s" % (command[0], done.stderr.strip() or "fails"))
    return done.stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


def crun(top, name, *options):
    where = os.path.join(top, name)
    os.mkdir(where)
    run("crun", "spec", *options, cwd=where)
    return read(os.path.join(where, "config.json"))


def umoci(top, name, *options):
    image = ("--image", name + ":a")
    run("umoci", "init", "--layout", name, cwd=top)
    run("umoci", "new", *image, cwd=top)
    run("umoci", "config", *image, *options, cwd=top)
    run("umoci", "unpack", *image, name + "-bundle", cwd=top)
    return read(os.path.join(top, name + "-bundle", "config.json"))


PODMAN_DIRECTORIES = ("store", "run")


def podman_base(top):
    store, state = (os.path.join(top, name) for name in PODMAN_DIRECTORIES)
    return ("podman", "--root", store, "--runroot", state, "--storage-driver", "vfs",
            "--cgroup-manager", "cgroupfs", "--events-backend", "none")


def podman_create(top, root, program, *options):
    """podman writes the configuration before its runtime is asked to start anything, and keeps the
    files that it binds until the container goes. Returns its number and the configuration."""
    base = podman_base(top)
    number = run(*base, "create", "--network", "none", *options, "--rootfs", root, program,
                 cwd=top).strip()
    run(*base, "init", number, cwd=top, is_allowed_to_fail=True)
    return number, read(os.path.join(top, "store", "vfs-containers", number, "userdata", "config.json"))


def podman_remove(top, number):
    run(*podman_base(top), "rm", "-f", number, cwd=top, is_allowed_to_fail=True)
    await_end(number)


def await_end(word):
    """Waits until no process has this in its command line: podman's conmon cleans up on its own."""
    end = time.monotonic() + 20
    while time.monotonic() < end and any(word.encode() in read_if_there(path)
                                         for path in glob.glob("/proc/[0-9]*/cmdline")):
        time.sleep(0.02)


def read_if_there(path):
    try:
        return read(path)
    except OSError:
        return b""


def podman(top, name, *options):
    root = os.path.join(top, "rootfs")
    os.makedirs(os.path.join(root, "bin"), exist_ok=True)
    number, raw = podman_create(top, root, "/bin/true", *options)
    podman_remove(top, number)
    return raw


ENGINES = [
    ("crun", crun, ()),
    ("crun-rootless", crun, ("--rootless",)),
    ("umoci", umoci, ("--config.cmd=/bin/sh",)),
    ("umoci-full", umoci, ("--config.user=1000:1000", "--config.env=A=b", "--config.volume=/data",
                           "--config.workingdir=/srv", "--config.entrypoint=/bin/sh")),
    ("podman", podman, ()),
    ("podman-limits", podman, ("--memory=100m", "--cpus=0.5", "--cpu-shares=512", "--pids-limit=50",
                               "--ulimit=core=0:0", "--memory-reservation=50m")),
    ("podman-privileged", podman, ("--privileged",)),
    ("podman-hardened", podman, (
        "--cap-drop=all", "--read-only", "--security-opt=no-new-privileges", "--user=1000:1000",
        "--tmpfs=/scratch", "--device=/dev/null:/dev/other", "--sysctl=net.core.somaxconn=100",
        "--umask=0077", "--hostname=box", "--oom-score-adj=100")),
    ("podman-userns", podman, ("--uidmap=0:100000:1000", "--gidmap=0:100000:1000")),
]


def main():
    with tempfile.TemporaryDirectory(prefix="engines") as top:
        for name, make, options in ENGINES:
            raw = make(top, name, *options)
            json.loads(raw)
            sys.stdout.buffer.write(b"engine-%s %d accept\n" % (name.encode(), len(raw)) + raw)


if __name__ == "__main__":
    main()
