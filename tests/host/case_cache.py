# SPDX-License-Identifier: Apache-2.0
"""The cache of layer images: many at once, images that went bad, signals while packing."""

import fcntl
import os
import pty
import re
import shutil
import signal
import stat
import time

from case_pack import packed
from harness import SMK, case, check, check_equal, check_in, wait_until
from host_case import fake_qemu, images, own_cache, tiny_bundle


@case()
def many_at_once_pack_once(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    own_cache(context)
    real = shutil.which("mksquashfs")
    counter = context.path("count")
    wrapper = context.path("tools", "mksquashfs")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\necho run >>{counter}\nexec {real} "$@"\n')
    os.chmod(wrapper, 0o755)
    runs = [context.popen([SMK, "run", directory], stdin=-3, stdout=-3, stderr=-1) for _ in range(12)]
    for run in runs:
        _, errors = run.communicate()
        check_equal(run.returncode, 0, f"exit code ({errors})")
    with open(counter, encoding="utf-8") as file:
        check_equal(len(file.readlines()), 1, "number of packs")
    check_equal(len(images(context)), 1, "number of images")


def slow_packer(context):
    wrapper = context.path("tools", "mksquashfs")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho $$ >{context.path('pid')}\nexec sleep 600\n")
    os.chmod(wrapper, 0o755)


def start_packing(context):
    fake_qemu(context, "warning")
    slow_packer(context)
    own_cache(context)
    process = context.popen([SMK, "run", tiny_bundle(context)], stdin=-3, stdout=-3, stderr=-1)
    wait_until(lambda: os.path.exists(context.path("pid")) and os.path.getsize(context.path("pid")), 20,
               "packer")
    with open(context.path("pid"), encoding="utf-8") as file:
        return process, int(file.read())


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}")


@case()
def progress_on_a_terminal(context):
    """A line that replaces itself while mksquashfs runs, and is taken away; not in a pipe."""
    fake_qemu(context, "warning")
    own_cache(context)
    wrapper = context.path("tools", "mksquashfs")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nsleep 0.5\nexec {shutil.which("mksquashfs")} "$@"\n')
    os.chmod(wrapper, 0o755)
    master, slave = pty.openpty()
    process = context.popen([SMK, "run", tiny_bundle(context)], stdin=-3, stdout=-3, stderr=slave)
    os.close(slave)
    check_equal(process.wait(20), 0, "exit code")
    shown = os.read(master, 65536).decode()
    check(shown.count("\r\x1b[Ksmk: packing 4 files, ") >= 3, f"shown: {shown!r}")
    check(shown.rstrip().split("\r")[-1].startswith("\x1b[Ksmk: warning: "), f"left standing: {shown!r}")
    context.env["XDG_CACHE_HOME"] = context.path("another")
    check("packing" not in context.smk("run", context.path("bundle")).expect(0).errors, "a line in a pipe")


def put(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


DAMAGES = {
    "empty": lambda path: os.truncate(path, 0),
    "short": lambda path: os.truncate(path, 200),
    "zeroed": lambda path: put(path, 0, bytes(96)),
    "longer than the file": lambda path: put(path, 40, b"\xff\xff\xff\xff\0\0\0\0"),
    "shorter than a superblock": lambda path: put(path, 40, bytes(8)),
    "link": lambda path: (os.rename(path, path + ".moved"), os.symlink(path + ".moved", path)),
    "FIFO": lambda path: (os.unlink(path), os.mkfifo(path)),
}


@case()
def damaged_image_is_packed_again(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    check(packed(context, directory), "nothing was packed")
    path = context.path("cache", "smk", "layers", images(context)[0])
    with open(path, "rb") as file:
        good = file.read()
    for what, damage in DAMAGES.items():
        damage(path)
        context.smk("run", directory).expect(0)
        check(stat.S_ISREG(os.lstat(path).st_mode), f"{what}: not a regular file")
        with open(path, "rb") as file:
            check(file.read() == good, f"{what}: the damaged image was used")


@case()
def image_is_on_the_disk_before_it_has_its_name(context):
    fake_qemu(context, "warning")
    own_cache(context)
    log = context.path("log")
    context.env["ASAN_OPTIONS"] = "detect_leaks=0"  # its search for leaks and strace exclude each other
    context.run(["strace", "-y", "-o", log, "-e", "trace=fsync,rename,renameat,renameat2", SMK, "run",
                 tiny_bundle(context)]).expect(0)
    with open(log, encoding="utf-8") as file:
        calls = [line for line in file if "/layers" in line]
    check_equal([line.split("(")[0] for line in calls], ["fsync", "rename", "fsync"], f"calls {calls}")
    check_in(".squashfs.tmp-", calls[0], "the first fsync")
    check_in("/layers>", calls[2], "the second fsync")


@case()
def interrupted_while_another_packs(context):
    """Who waits for another's result ends at a signal; the other packs on."""
    packing, packer = start_packing(context)
    layers = context.path("cache", "smk", "layers")
    locks = [n for n in os.listdir(layers) if n.startswith(".lock")]
    check(len(locks) == 1 and re.fullmatch(r"\.lock-[0-9a-f]{64}", locks[0]), f"no lock of one tree: {locks}")
    master, slave = pty.openpty()
    waiting = context.popen([SMK, "run", context.path("bundle")], stdin=-3, stdout=-3, stderr=slave)
    os.close(slave)
    shown = b""
    while b"another smk packs this tree" not in shown:
        shown += os.read(master, 4096)
    waiting.send_signal(signal.SIGINT)
    check_equal(waiting.wait(10), 125, "exit code")
    shown = b""
    while b"ended by a signal" not in shown:
        shown += os.read(master, 4096)  # which fails once nobody has the other end
    check(packing.poll() is None and not is_gone(packer), "the other one ended too")
    packing.send_signal(signal.SIGINT)
    check_equal(packing.wait(10), 125, "exit code")
    check_equal(os.listdir(layers), [], "files")


@case()
def interrupted_in_the_walk(context):
    """A signal that comes while the tree is read ends it there."""
    fake_qemu(context, "warning")
    own_cache(context)
    directory = tiny_bundle(context)
    for i in range(100):
        os.mkdir(os.path.join(directory, "rootfs", str(i)))
    context.env["ASAN_OPTIONS"] = "detect_leaks=0"  # its search for leaks and strace exclude each other
    context.run(["strace", "-o", context.path("log"), "-e", "inject=newfstatat:signal=SIGTERM:when=50", SMK, "run",
                 directory]).expect_line(125, "smk: ", "walk", "ended by a signal")


@case()
def interrupted_while_packing(context):
    process, packer = start_packing(context)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)
    check_equal(process.returncode, 125, "exit code")
    check_in(b"ended by a signal", errors, "stderr")
    check(is_gone(packer), "the packer runs on")
    check_equal([n for n in os.listdir(context.path("cache", "smk", "layers")) if n[0] != "."], [], "files")


@case()
def killed_while_packing(context):
    process, packer = start_packing(context)
    process.kill()
    process.wait()
    wait_until(lambda: is_gone(packer), 10, "end of the packer")


@case()
def change_while_packing_is_noticed(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    own_cache(context)
    wrapper = context.path("tools", "mksquashfs")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\necho x >>"{directory}/rootfs/log"\nexec {shutil.which("mksquashfs")} "$@"\n')
    os.chmod(wrapper, 0o755)
    context.smk("run", directory).expect_line(125, "smk: ", "something changed in it meanwhile")
    check_equal(images(context), [], "images")


@case()
def cache_is_listed_and_pruned(context):
    fake_qemu(context, "warning")
    own_cache(context)
    context.smk("run", tiny_bundle(context)).expect(0)
    context.smk("run", tiny_bundle(context, "other")).expect(0)
    names = images(context)
    old = context.path("cache", "smk", "layers", names[0])
    os.utime(old, (time.time() - 5 * 86400,) * 2)
    lock = context.path("cache", "smk", "layers", ".lock-x")
    with open(lock, "w", encoding="utf-8"):
        pass
    listed = context.smk("cache").expect(0).text.splitlines()
    check_equal(sorted(line.split()[-1] for line in listed[:-1]), names, "names")
    check_in("2 images in ", listed[-1], "sum")
    check_in(" 0 images removed", context.smk("cache", "prune", "6").expect(0).text, "nothing so old")
    check_in(" 1 images removed", context.smk("cache", "prune", "4").expect(0).text, "one so old")
    check_equal(images(context), names[1:], "images left")
    context.smk("cache", "prune").expect(0)
    check_equal((images(context), os.path.exists(lock)), ([], True), "images, and another's lock")


@case()
def cache_counts_and_prunes_leftovers(context):
    """Of an image that is being made now, whoever does it, nothing is taken."""
    own_cache(context)
    context.smk("cache").expect(0)
    layers = context.path("cache", "smk", "layers")
    for name in ("a.squashfs.tmp-99999999", f"b.squashfs.tmp-{os.getpid()}", "c.erofs.tmp-7", ".lock-b", ".lock-c", "d"):
        with open(os.path.join(layers, name), "wb") as file:
            file.write(bytes(8192))
    with open(os.path.join(layers, ".lock-b"), encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        listed = context.smk("cache").expect(0).text.splitlines()
        check_equal(len(listed), 3, f"lines of {listed}")
        check_in(" 1 images in ", listed[1], "the images")
        check_in("16 KiB  2 unfinished images of killed runs: smk cache prune", listed[2], "the leftovers")
        check_in("2 unfinished images of killed runs removed", context.smk("cache", "prune", "9").expect(0).text, "prune")
        check_equal(sorted(os.listdir(layers)), [".lock-b", ".lock-c", f"b.squashfs.tmp-{os.getpid()}", "d"], "left")
    check_in("1 unfinished", context.smk("cache", "prune").expect(0).text, "without the lock")
    check("unfinished" not in context.smk("cache").expect(0).text, "nothing is left, but said")


@case()
def digest_that_cannot_be_read(context):
    """Only where no attributes are is an image believed without one."""
    own_cache(context)
    context.env["ASAN_OPTIONS"] = "detect_leaks=0"  # its search for leaks and strace exclude each other
    for error, code in (("EIO", 125), ("EACCES", 125), ("ENODATA", 0), ("EOPNOTSUPP", 0)):
        result = context.run(["strace", "-o", "/dev/null", "-e", f"inject=getxattr:error={error}", SMK, "bake",
                              context.path("bundle") if error != "EIO" else tiny_bundle(context), context.path(error)])
        if code:
            result.expect_line(code, "smk: ", "getxattr")
        else:
            result.expect(0)
