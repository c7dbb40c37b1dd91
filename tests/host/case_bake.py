# SPDX-License-Identifier: Apache-2.0
"""smk bake: what the directory holds, and that it is there whole or not at all."""

import fcntl
import glob
import hashlib
import json
import os
import signal
import subprocess
import time

from harness import SMK, case, check, check_equal, check_in, wait_until
from host_case import fake_qemu, leftovers, own_cache, tiny_bundle
from image_builder import Image, entry, layer, tar

FILES = ["cloud-hypervisor.sh", "config.json", "firecracker.json", "initramfs", "kernel", "layer-000.squashfs",
         "libkrun.json", "manifest.json", "qemu.sh", "vz.json"]


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def tree(directory):
    return {name: read(directory, name) for name in sorted(os.listdir(directory))}


@case()
def baked_files(context):
    """Every digest and size of the manifest is the file's; each VMM's words name every file."""
    directory = context.path("baked")
    context.smk("bake", "--upper", "disk:8M", tiny_bundle(context), directory).expect(0, out="")
    check_equal(sorted(os.listdir(directory)), sorted(FILES + ["upper.ext4"]), "files")
    manifest = json.loads(read(directory, "manifest.json"))
    check_equal((manifest["version"], manifest["platform"]), (1, "linux/arm64"), "manifest")
    for product in (manifest["kernel"], manifest["initramfs"], manifest["config"], *manifest["layers"],
                    manifest["upper"], *manifest["monitors"]):
        data = read(directory, product["path"])
        check_equal((product["size"], product["digest"]), (len(data), "sha256:" + hashlib.sha256(data).hexdigest()),
                    product["path"])
    check_equal(manifest["upper"]["serial"], "smk-upper", "serial")
    check_equal({m["monitor"]: m["path"] for m in manifest["monitors"]},
                {"qemu": "qemu.sh", "firecracker": "firecracker.json", "cloud-hypervisor": "cloud-hypervisor.sh",
                 "libkrun": "libkrun.json", "vz": "vz.json"}, "monitors")
    for name in ("qemu.sh", "cloud-hypervisor.sh", "firecracker.json", "libkrun.json", "vz.json"):
        text = read(directory, name).decode()
        for word in ("kernel", "initramfs", "layer-000.squashfs", "quiet panic=-1"):
            check_in(word, text, name)
        if name.endswith("json"):
            json.loads(text)
        else:
            context.tool("sh", "-n", os.path.join(directory, name))
    check_equal(leftovers(context), [], "temporary files")


@case()
def baked_twice_is_the_same(context):
    bundle = tiny_bundle(context)
    for name in ("a", "b"):
        context.smk("bake", "--verity", "--upper", "disk:8M", bundle, context.path(name)).expect(0)
        time.sleep(1.1)  # the clock of file systems' superblocks
    ours, theirs = tree(context.path("a")), tree(context.path("b"))
    check_equal([name for name in ours if ours[name] != theirs[name]], [], "files in which two bakes of one bundle differ")


@case(timeout=120)
def baked_layers_are_those_that_were_made(context):
    """A bit that changed in the cache is found, the image made anew; holes stay holes."""
    own_cache(context)
    image = Image([layer(tar(entry("bin/hello", data=os.urandom(100000)), entry("big", data=bytes(32 << 20))), "+gzip")])
    image = image.layout(context.path("image"))
    for system in ("squashfs", "erofs"):
        words = ["bake", "--verity", "--layer-fs", system, image]
        context.smk(*words, context.path("a" + system)).expect(0)
        used = os.stat(context.path("a" + system, "layer-000." + system))
        check(used.st_blocks * 512 < 8 << 20, f"{used.st_blocks} blocks of {used.st_size} bytes")
        [cached] = glob.glob(os.path.join(context.env["XDG_CACHE_HOME"], "smk", "layers", "*." + system))
        with open(cached, "r+b") as file:
            file.seek(50000)
            file.write(b"damaged")
        context.smk(*words, context.path("b")).expect_line(125, "smk: ", "was damaged in the cache")
        check(not os.path.exists(context.path("b")), "something was baked")
        context.smk(*words, context.path("c" + system)).expect(0)
        check_equal(tree(context.path("c" + system)), tree(context.path("a" + system)), "the directory")


@case(timeout=60)
def bake_ends_by_a_signal(context):
    """In the middle of copying and hashing: at once, with nothing left."""
    own_cache(context)
    image = Image([layer(tar(entry("bin/hello"), entry("big", data=bytes(1 << 30))), "+gzip")]).layout(context.path("image"))
    context.smk("bake", "--layer-fs", "erofs", image, context.path("first")).expect(0)
    process = context.popen([SMK, "bake", "--verity", "--layer-fs", "erofs", image, context.path("second")],
                            stderr=subprocess.PIPE)
    wait_until(lambda: glob.glob(context.path("second.tmp-*", "layer-000.*")), 20, "layer")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=context.left())
    check_equal(process.returncode, 125, "exit code")
    check_in(b"ended by a signal", errors, "stderr")
    check_equal([n for n in os.listdir(context.path()) if n.startswith("second")], [], "left")


@case()
def leftovers_of_a_killed_smk(context):
    """Who makes an image takes away what was left of it."""
    own_cache(context)
    image = Image([layer(tar(entry("bin/hello")))]).layout(context.path("image"))
    context.smk("bake", image, context.path("a")).expect(0)
    [cached] = glob.glob(os.path.join(context.env["XDG_CACHE_HOME"], "smk", "layers", "*.squashfs"))
    own = os.path.join(os.path.dirname(cached), hashlib.sha256(tar(entry("bin/hello"))).hexdigest() +
                       os.path.basename(cached)[64:].replace("-chain", "") + ".tmp-99999999")
    with open(own, "w", encoding="utf-8"):
        pass
    os.unlink(cached)
    context.smk("bake", image, context.path("b")).expect(0)
    check(not os.path.exists(own), "the leftover is still there")


DEAD = "99999999"  # no pid is so high


@case()
def leftovers_of_a_killed_bake(context):
    """The next bake to the same place takes them away, and nothing that is another's or no directory."""
    bundle = tiny_bundle(context)
    for name in ("x.tmp-" + DEAD, f"x.tmp-{os.getpid()}", "y.tmp-" + DEAD, "x.tmp-" + DEAD + "x", "outside"):
        os.makedirs(context.path(name))
        with open(context.path(name, "kernel"), "w", encoding="utf-8"):
            pass
    os.symlink("outside", context.path("x.tmp-99999998"))
    context.smk("bake", bundle, context.path("x")).expect(0)
    check_equal({n for n in os.listdir(context.path()) if n[:2] in ("x.", "y.")},
                {"x.tmp-99999998", "x.tmp-" + DEAD + "x", f"x.tmp-{os.getpid()}", "y.tmp-" + DEAD}, "left beside")
    check_equal(os.listdir(context.path("outside")), ["kernel"], "behind the link")
    os.mkdir(context.path("in"))
    os.mkdir(context.path("in", "z.tmp-" + DEAD))
    context.smk("bake", bundle, "z", cwd=context.path("in")).expect(0)
    check_equal(os.listdir(context.path("in")), ["z"], "left beside a path without a directory")


@case()
def leftovers_of_the_same_pid(context):
    """In a container smk may have the same pid each time; who works there now has a lock."""
    bundle = tiny_bundle(context)
    one = ["unshare", "--pid", "--fork", SMK, "bake", bundle, context.path("x")]
    context.env["ASAN_OPTIONS"] = "detect_leaks=0"  # needs /proc of its own pid
    own = context.path("x.tmp-1")
    os.mkdir(own)
    with open(os.path.join(own, "kernel"), "w", encoding="utf-8"):
        pass
    fd = os.open(own, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    context.run(one).expect_line(125, "smk: ", "x.tmp-1: mkdir: File exists")
    check_equal(os.listdir(own), ["kernel"], "of another's directory")
    os.close(fd)
    context.run(one).expect(0)
    check(not os.path.exists(own), "the leftover is still there")


@case()
def file_modes(context):
    """What the umask leaves of 0644, or of 0600 for what may have secrets; scripts can be run."""
    bundle = tiny_bundle(context)
    for umask in (0, 0o077):
        context.env["XDG_CACHE_HOME"] = context.path(f"cache{umask}")
        directory = context.path(f"baked{umask}")
        context.smk("bake", "--upper", "disk:8M", "--verity", bundle, directory, umask=umask).expect(0)
        image = Image([layer(tar(entry("bin/hello")))]).layout(context.path(f"image{umask}"))
        for system in ("squashfs", "erofs"):
            context.smk("bake", "--layer-fs", system, image, directory + system, umask=umask).expect(0)
        wanted = {n: (0o600 if n in ("config.json", "initramfs") else 0o755 if n.endswith(".sh") else 0o644) & ~umask
                  for n in FILES + ["upper.ext4"]}
        modes = {n: os.stat(os.path.join(directory, n)).st_mode & 0o7777 for n in os.listdir(directory)}
        check_equal(modes, wanted, f"modes with umask {umask:o}")
        for where, folders, files in os.walk(context.env["XDG_CACHE_HOME"]):
            for name in folders + files:
                mode = os.stat(os.path.join(where, name)).st_mode & 0o7777
                check(not mode & 0o022, f"{name} in the cache has mode {mode:o} with umask {umask:o}")
                check(umask != 0o077 or not mode & 0o077, f"{name} in the cache has mode {mode:o} with umask 77")


@case()
def baked_directory_is_no_bundle(context):
    fake_qemu(context, "warning")
    baked = context.path("baked")
    context.smk("bake", tiny_bundle(context), baked).expect(0)
    for words in (["run", baked], ["bake", baked, context.path("again")]):
        context.smk(*words).expect_line(125, "smk: ", "/baked: a baked directory, no bundle: boot it with qemu.sh")
    bundle = tiny_bundle(context, "own")
    with open(os.path.join(bundle, "manifest.json"), "w", encoding="utf-8"):
        pass
    context.smk("run", bundle).expect(0)


@case()
def volumes_are_for_one_monitor(context):
    own_cache(context)
    image = Image([layer(tar(entry("bin/hello")))]).layout(context.path("image"))
    volume = ["--volume", context.path() + ":/v"]
    context.smk("bake", *volume, "--for", "firecracker", image, context.path("a")).expect_line(
        125, "smk: ", "--volume is for QEMU, not for --for firecracker")
    context.smk("bake", *volume, image, context.path("b/")).expect(0)
    check_equal([n for n in sorted(os.listdir(context.path("b"))) if n in FILES[:3] + FILES[6:]],
                ["config.json", "manifest.json", "qemu.sh"], "files")


@case()
def words_for_one_monitor(context):
    """--for prints that monitor's file, and the manifest has its kernel command line."""
    bundle = tiny_bundle(context)
    for name, file, word in (("qemu", "qemu.sh", "console=hvc0"), ("firecracker", "firecracker.json", "smk.layers=vda"),
                             ("cloud-hypervisor", "cloud-hypervisor.sh", "serial=smk-layer-000"),
                             ("libkrun", "libkrun.json", "smk.layers=vda"), ("vz", "vz.json", "smk-layer-000")):
        run = context.smk("bake", "--for", name, "--upper", "disk:8M", bundle, context.path(name)).expect(0)
        check_equal(run.out, read(context.path(name), file), f"words for {name}")
        check_in(word, run.text, name)
        line = json.loads(read(context.path(name), "manifest.json"))["commandLine"]
        check_in(line, run.text, f"command line for {name}")
        check_equal(os.path.getsize(context.path(name, "upper.ext4")), 8 << 20, "the upper's size")


@case()
def only_a_new_directory(context):
    """An empty one is new; any other stays as it is, and nothing is left beside it."""
    bundle = tiny_bundle(context)
    for name in ("empty", "slashed"):
        os.mkdir(context.path(name))
    context.smk("bake", bundle, context.path("empty")).expect(0)
    context.smk("bake", bundle, context.path("slashed") + "//").expect(0)
    os.mkdir(context.path("other"))
    context.env["ASAN_OPTIONS"] = "detect_leaks=0"  # its search for leaks and strace exclude each other
    context.run(["strace", "-o", context.path("log"), "-e", "trace=mkdir,mkdirat", SMK, "bake", bundle, "."],
                cwd=context.path("other")).expect_line(125, "smk: .: ", "new one, or an empty one")
    check(b".tmp-" not in read(context.path("log")), "something was written before")
    check_equal(os.listdir(context.path("other")), [], "files of the directory that smk is in")
    os.symlink("other", context.path("link"))
    context.smk("bake", bundle, context.path("link")).expect_line(125, "smk: ", "/link", "new one, or an empty one")
    os.mkdir(context.path("full"))
    with open(context.path("full", "x"), "w", encoding="utf-8"):
        pass
    context.smk("bake", bundle, context.path("full")).expect_line(125, "smk: ", "/full", "new one, or an empty one")
    check_equal(os.listdir(context.path("full")), ["x"], "files of the full directory")
    context.smk("bake", bundle, context.path("absent", "x")).expect_line(125, "smk: ", "/absent/x")
    check_equal([n for n in os.listdir(context.path()) if "tmp-" in n], [], "left beside")


@case()
def bake_options(context):
    bundle = tiny_bundle(context)
    for words, part in ((["bake"], "bake needs"), (["bake", bundle], "bake needs"),
                        (["bake", bundle, context.path("d"), "more"], "more than one bundle"),
                        (["bake", "--timeout", "3", bundle, context.path("d")], "--timeout"),
                        (["bake", "--for", "xen", bundle, context.path("d")], "--for xen"),
                        (["run", "--verity", bundle], "--verity"),
                        (["bake", "--upper", "file:/x", bundle, context.path("d")], "--upper file"),
                        (["bake", "--user", "x", bundle, context.path("d")], "--user is for images")):
        context.smk(*words).expect_line(125, "smk: ", part)
        check(not os.path.exists(context.path("d")), f"{words}: a directory is left")
