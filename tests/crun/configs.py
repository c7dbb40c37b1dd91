# SPDX-License-Identifier: Apache-2.0
"""The configurations that are compared: those of the engines, as they write them, and variants of crun's,
each with one group of fields changed."""

import contextlib
import json
import os
import shutil
import tempfile

import engines
import roots
from harness import Failure, wait_until, write_config

PODMAN_LIMITS = ("--memory=100m", "--cpus=0.5", "--cpu-shares=512", "--pids-limit=50", "--ulimit=core=0:0",
                 "--memory-reservation=50m")
ENGINES = {
    "crun-spec": ("crun", ()),
    "crun-spec-rootless": ("crun", ("--rootless",)),
    "umoci": ("umoci", ("--config.cmd=/bin/sh",)),
    "umoci-full": ("umoci", ("--config.user=1000:1000", "--config.env=A=b", "--config.volume=/data",
                             "--config.workingdir=/srv", "--config.entrypoint=/bin/sh")),
    "podman": ("podman", ()),
    "podman-by-smk": ("podman", ()),
    "podman-terminal": ("podman", ("--tty",)),
    "podman-limits": ("podman", PODMAN_LIMITS),
    "podman-privileged": ("podman", ("--privileged",)),
    "podman-hardened": ("podman", (
        "--cap-drop=all", "--read-only", "--security-opt=no-new-privileges", "--user=1000:1000",
        "--tmpfs=/scratch", "--device=/dev/null:/dev/other", "--sysctl=net.core.somaxconn=100",
        "--umask=0077", "--hostname=box", "--oom-score-adj=100")),
    "podman-userns": ("podman", ("--uidmap=0:100000:70000", "--gidmap=0:100000:70000")),
}


class Bundle:
    def __init__(self, path, sources=()):
        self.path, self.sources = path, tuple(sources)
        with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
            self.config = json.load(file)


def keep(path, raw):
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "config.json"), "wb") as file:
        file.write(raw)


def settle(source):
    """A podman whose crun cannot start anything unmounts what it has mounted for it, sooner or later."""
    try:
        wait_until(lambda: not os.path.ismount(source), 3, "unmount")
        os.chmod(source, 0o1777)
    except Failure:
        pass  # it could, and the mount stays


@contextlib.contextmanager
def engine_bundle(name, top):
    """As the engine wrote it, byte by byte; podman's lasts as long as its container."""
    engine, options = ENGINES[name]
    try:
        if engine == "podman":
            with podman_bundle(name, options) as bundle:
                yield bundle
        else:
            path = os.path.join(top, "bundle")
            keep(path, getattr(engines, engine)(top, name, *options))
            yield Bundle(path)
    except SystemExit as end:  # an engine that fails
        raise Failure(str(end)) from None


@contextlib.contextmanager
def podman_bundle(name, options):
    """In a directory with a short name, which podman insists on."""
    with tempfile.TemporaryDirectory(prefix="smk-") as top:
        os.chmod(top, 0o755)
        path = os.path.join(top, "bundle")
        root = os.path.join(path, "rootfs")
        roots.make(root, "x86_64")
        number, raw = engines.podman_create(top, root, "/bin/probe", *options)
        try:
            keep(path, raw)
            binds = [mount["source"] for mount in json.loads(raw)["mounts"] if mount["type"] == "bind"]
            for source in filter(os.path.isdir, binds):
                settle(source)
            yield Bundle(path, () if name.endswith("by-smk") else binds)
        finally:
            engines.podman_remove(top, number)


@contextlib.contextmanager
def variant_bundle(change, top):
    """What `crun spec` writes, for the probe and without a terminal, and changed."""
    path = os.path.join(top, "bundle")
    os.makedirs(top, exist_ok=True)
    keep(path, engines.crun(top, "spec"))
    with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["process"].update(args=["/bin/probe"], terminal=False)
    sources = change(config, top) or ()
    write_config(path, config)
    yield Bundle(path, sources)
    shutil.rmtree(path, ignore_errors=True)
