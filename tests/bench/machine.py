# SPDX-License-Identifier: Apache-2.0
"""The bench machine: builds what it boots, boots it, and reads what it says.

One squashfs layer, a tmpfs upper and the default container, in QEMU under -icount: instructions and
virtual time repeat on any host. The counts come from the TCG plugin (plugins/icount.c), the times of
the stages from init-oci's flight recorder in the exit record, the entrypoint's own clock from its
output (entry.c)."""
import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
# In memory: slow disks would show as virtual time. Of this run alone: others may measure, too.
WORK = f"/dev/shm/smk-bench-{os.getpid()}"
atexit.register(shutil.rmtree, WORK, ignore_errors=True)
MAIN_MARKER = 87
sys.path.insert(0, os.path.join(TOP, "tests", "cases"))
import engines  # noqa: E402 (its folder is no package)


class Boot:
    """What one boot said."""

    def __init__(self, markers, control, stdout):
        mains = [count for number, count in markers if number == MAIN_MARKER]
        if len(mains) != 2:
            raise SystemExit(f"bench: {len(mains)} markers instead of 2 (PID 1 and the entrypoint)")
        self.kernel = mains[0]
        self.init = mains[1] - mains[0]
        record = exit_record(control)
        if record["code"] != 0:
            raise SystemExit(f"bench: the container ended with {record['code']}")
        self.marks = record["timings"]
        entry_ns = json.loads(stdout.decode())["entry_ns"]
        self.init_ns = entry_ns - self.marks["main"]


def frames(data):
    """The frames of a control channel's bytes (include/smk/channel.h)."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4:at + 8], "little")
        yield data[at], int.from_bytes(data[at + 2:at + 4], "little"), data[at + 8:at + 8 + length]
        at += 8 + length


def exit_record(control):
    for kind, _, payload in frames(control):
        if kind == 1:
            message = json.loads(payload)
            if message["type"] == "exit":
                return message
    raise SystemExit("bench: the boot left no exit record")


def default_config():
    """The usual mounts and nothing else."""
    with open(os.path.join(TOP, "rootfs-fixtures", "config.base.json")) as source:
        config = json.load(source)
    config["process"]["args"] = ["/entry"]
    return config


def podman_config():
    """What podman on this machine writes for a container without options, but for its binds of files of this
    host: a VM has no such files, and smk drops them in the same way."""
    with tempfile.TemporaryDirectory(prefix="engines") as top:
        config = json.loads(engines.podman(top, "podman"))
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "bind"]
    return config


def build(entry, pack):
    """Makes the layer, and kernel and initramfs with the default configuration; returns their paths."""
    root = os.path.join(WORK, "rootfs")
    for name in ("proc", "sys", "dev", "etc", "tmp"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(entry, os.path.join(root, "entry"))
    os.makedirs(os.path.join(root, "bin"))
    os.link(os.path.join(root, "entry"), os.path.join(root, "bin", "true"))
    layer = os.path.join(WORK, "layer.squashfs")
    # Compressed as smk does it (host/pack.c).
    subprocess.run(["mksquashfs", root, layer, "-all-root", "-noappend", "-quiet", "-no-progress",
                    "-comp", "lz4", "-no-fragments"],
                   check=True, stdout=subprocess.DEVNULL)
    kernel = os.path.join(WORK, "kernel")
    return kernel, write_initramfs(pack, "default", default_config()), layer


def write_json(path, value):
    with open(path, "w") as target:
        json.dump(value, target)


def write_initramfs(pack, name, config):
    """An initramfs with this configuration; returns its path."""
    kernel, initramfs = os.path.join(WORK, "kernel"), os.path.join(WORK, name + ".cpio")
    config_path = os.path.join(WORK, name + ".json")
    write_json(config_path, config)
    subprocess.run([pack, config_path, kernel, initramfs], check=True)
    return initramfs


def boot(files, cpus, append):
    """One counted boot."""
    kernel, initramfs, layer = files
    with tempfile.TemporaryDirectory(dir=WORK) as out:
        environment = dict(os.environ, ICOUNT_CPUS=str(cpus), ICOUNT_DISK=layer, ICOUNT_KEEP=out)
        done = subprocess.run(
            [os.path.join(TOP, "tests", "bench", "icount.sh"), kernel, initramfs, append],
            env=environment, stdout=subprocess.PIPE, text=True, check=True)
        markers = [tuple(map(int, line.split())) for line in done.stdout.splitlines()
                   if re.fullmatch(r"\d+ \d+", line)]
        with open(os.path.join(out, "control"), "rb") as control, \
                open(os.path.join(out, "stdout"), "rb") as stdout:
            return Boot(markers, control.read(), stdout.read())


def touched_memory(files, append):
    """Bytes of guest memory that a boot touches: the blocks of its backing file."""
    kernel, initramfs, layer = files
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        memory = os.path.join(directory, "memory")
        subprocess.run(
            [os.path.join(TOP, "tests", "bench", "icount.sh"), kernel, initramfs, append,
             "-object", f"memory-backend-file,id=ram,size=256M,mem-path={memory},share=on",
             "-machine", "memory-backend=ram"],
            env=dict(os.environ, ICOUNT_DISK=layer), stdout=subprocess.DEVNULL, check=True)
        return os.stat(memory).st_blocks * 512
