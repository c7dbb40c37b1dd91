# SPDX-License-Identifier: Apache-2.0
"""QEMU's command line, and what smk does when QEMU cannot be had."""

import os
import shlex

from harness import case, check, check_equal, check_in
from host_case import fake_argv, fake_qemu, leftovers, own_cache, tiny_bundle
from image_builder import Image, entry, layer, tar

BARE = ["-nodefaults", "-no-user-config", "-no-reboot", "-display none", "-monitor none", "-nic none",
        "-global virtio-mmio.force-legacy=false", "-sandbox on"]


@case()
def qemu_missing(context):
    context.env["PATH"] = context.path("tmp")
    context.smk("run", tiny_bundle(context)).expect_line(
        125, "smk: qemu-system-aarch64: not found in PATH", "qemu-system-arm")


@case()
def qemu_is_found_only_by_absolute_names(context):
    """A program of that name in the working directory is not run."""
    with open(context.path("qemu-system-aarch64"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n")
    os.chmod(context.path("qemu-system-aarch64"), 0o755)
    context.env["PATH"] = "::.:"
    context.smk("run", tiny_bundle(context), cwd=context.dir).expect_line(125, "smk: ", "not found in PATH")


@case()
def qemu_fails_at_start(context):
    fake_qemu(context, "broken")
    context.smk("run", tiny_bundle(context)).expect_line(
        125, "smk: qemu-system-aarch64: cannot do that")


@case()
def memory_that_the_host_has_not(context):
    fake_qemu(context, "no_memory")
    context.smk("run", "--memory", "1024G", tiny_bundle(context)).expect_line(
        125, "smk: qemu-system-aarch64: cannot set up guest memory", "try less --memory")


@case()
def qemu_cannot_be_executed(context):
    tools = context.path("tools")
    os.makedirs(tools)
    with open(os.path.join(tools, "qemu-system-aarch64"), "w", encoding="utf-8") as file:
        file.write("#!/nonexistent/interpreter\n")
    os.chmod(os.path.join(tools, "qemu-system-aarch64"), 0o755)
    context.env["PATH"] = tools + ":" + context.env["PATH"]
    context.smk("run", tiny_bundle(context)).expect_line(125, "smk: ", "qemu-system-aarch64", "exec", "errno 2")


@case()
def command_line(context):
    fake_qemu(context, "warning")
    context.smk("run", "--accel", "tcg", "--net", "none", tiny_bundle(context)).expect(0)
    argv = fake_argv(context)
    line = " ".join(argv)
    for part in BARE + ["-machine virt,gic-version=3", "-accel tcg", "-smp 1", "-m 256M",
                        "virtio-blk-device,drive=layer0,serial=smk-layer-000", "readonly=on",
                        "virtserialport,chardev=control,name=smk.control", "virtconsole,chardev=console",
                        "virtio-rng-device"]:
        check_in(part, line, "command line")
    check_equal(argv[argv.index("-append") + 1], "console=hvc0 quiet panic=-1", "kernel command line")
    check("smk-upper" not in line, "an upper disk that nobody asked for")


@case()
def kvm_needs_its_architecture(context):
    fake_qemu(context, "warning")
    result = context.smk("run", "--accel", "kvm", tiny_bundle(context))
    if os.uname().machine != "aarch64":
        result.expect_line(125, "smk: ", "--accel kvm", "no arm64 machine", "--accel tcg")
    elif not os.access("/dev/kvm", os.R_OK | os.W_OK):
        result.expect_line(125, "smk: ", "/dev/kvm")
    else:
        check_in("-accel kvm -cpu host", " ".join(fake_argv(context)), "command line")


@case()
def uppers(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    context.smk("run", "--upper", "none", directory).expect(0)
    check_in("smk.upper=none", " ".join(fake_argv(context)))
    context.smk("run", "--upper", "disk:16M", directory).expect(0)
    check_in("serial=smk-upper", " ".join(fake_argv(context)))
    check_equal(leftovers(context), [], "temporary files")
    disk = context.path("my,disk")
    with open(disk, "wb") as file:
        file.truncate(1 << 20)
    context.smk("run", "--upper", "file:" + disk, directory).expect(0)
    check_in("cache=writeback,file=" + disk.replace(",", ",,"), " ".join(fake_argv(context)))
    check(os.path.exists(disk), "the user's disk is gone")
    context.smk("run", "--upper", "file:/nonexistent/d", directory).expect_line(125, "smk: ", "/nonexistent/d")
    context.smk("run", "--upper", "file:/", directory).expect_line(125, "smk: ", "no disk image")


@case()
def upper_file_of_somebody_else(context):
    check_equal(os.getuid(), 0, "user (the case becomes another)")
    fake_qemu(context, "warning")
    disk = context.path("disk")
    with open(disk, "wb") as file:
        file.truncate(1 << 20)
    os.chmod(disk, 0o644)
    context.env["XDG_CACHE_HOME"] = context.path("cache")
    os.mkdir(context.path("cache"))
    os.chown(context.path("cache"), 54321, 54321)
    context.smk("run", "--upper", "file:" + disk, tiny_bundle(context),
                preexec_fn=lambda: os.setuid(54321)).expect_line(125, "smk: ", disk, "--upper", "errno 13")


@case()
def upper_file_is_no_protocol(context):
    """Names that QEMU would take for something else than a file."""
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    for name in ("a:b.img", "nbd:localhost:1", "json:{}", "file:x", "-x"):
        with open(context.path(name), "wb") as file:
            file.truncate(1 << 20)
        context.smk("run", "--upper", "file:" + name, directory, cwd=context.dir).expect(0)
        drive = next(w for w in fake_argv(context) if w.startswith("if=none,id=upper,"))
        check_equal(drive.split(",file=", 1)[1], context.path(name), "the file's name")


@case()
def upper_disk_is_made_when_kept(context):
    fake_qemu(context, "warning")
    context.smk("run", "--keep", "--upper", "disk:16M", tiny_bundle(context)).expect(0)
    disk = os.path.join(context.env["TMPDIR"], leftovers(context)[0], "upper.ext4")
    check_equal(os.stat(os.path.dirname(disk)).st_mode & 0o777, 0o700, "mode of the directory")
    check_equal(os.path.getsize(disk), 16 << 20, "size")
    check(os.stat(disk).st_blocks * 512 < 8 << 20, "the disk is not sparse")
    context.tool("/sbin/e2fsck", "-fn", disk)


@case()
def print_vmm(context):
    """Prints a command line that a shell takes, and the files; starts nothing, leaves nothing."""
    fake_qemu(context, "hold")
    lines = context.smk("run", "--print-vmm", "--append", "a'b c", tiny_bundle(context)).expect(0) \
        .text.splitlines()
    words = shlex.split(lines[0])
    check_equal(os.path.basename(words[0]), "qemu-system-aarch64", "program")
    check(words[words.index("-append") + 1].endswith(" a'b c"), "the words are not quoted right")
    check_equal([l.split()[1] for l in lines[1:]], ["kernel:", "initramfs:", "layer:"], "files")
    check_in("--keep keeps it", lines[2])
    check_equal(leftovers(context), [], "temporary files")
    check(not os.path.exists(context.path("argv.json")), "QEMU was started")


@case()
def print_vmm_keep(context):
    fake_qemu(context, "hold")
    lines = context.smk("run", "--print-vmm", "--keep", tiny_bundle(context)).expect(0).text.splitlines()
    words = shlex.split(lines[0])
    for option in ("-kernel", "-initrd"):
        check(os.path.isfile(words[words.index(option) + 1]), f"no file for {option}")


@case()
def kernel_of_the_users(context):
    """--kernel is used where it lies, and checked before QEMU sees it."""
    fake_qemu(context, "warning")
    context.smk("assets", "extract", context.dir).expect(0)
    directory = tiny_bundle(context)
    context.smk("run", "--kernel", context.path("kernel"), "--init", context.path("init-oci"),
                directory).expect(0)
    argv = fake_argv(context)
    check_equal(argv[argv.index("-kernel") + 1], context.path("kernel"), "-kernel")
    with open(context.path("text"), "w", encoding="utf-8") as file:
        file.write("no kernel at all" * 100)
    context.smk("run", "--kernel", context.path("text"), directory).expect_line(125, "smk: ", "kernel")
    for words in ([], ["--print-vmm"]):
        context.smk("run", *words, "--init", context.path("text"), directory).expect_line(
            125, "smk: ", "initramfs")


@case()
def kernel_is_unpacked_once(context):
    fake_qemu(context, "warning")
    context.env["XDG_CACHE_HOME"] = context.path("cache")
    directory = tiny_bundle(context)
    context.smk("run", directory).expect(0)
    assets = context.path("cache", "smk", "assets")
    names = [n for n in os.listdir(assets) if n.startswith("kernel-")]
    check_equal(len(names), 1, "number of kernels")
    path = os.path.join(assets, names[0])
    before = os.stat(path).st_ino
    context.smk("run", directory).expect(0)
    check_equal(os.stat(path).st_ino, before, "inode")
    os.truncate(path, 1000)
    context.smk("run", directory).expect(0)
    check(os.path.getsize(path) > 1 << 20, "a truncated kernel was not replaced")


@case()
def damaged_kernel_is_unpacked_again(context):
    """Of the right length and in the right place, but with other bytes: it is not booted."""
    fake_qemu(context, "warning")
    context.env["XDG_CACHE_HOME"] = context.path("cache")
    directory = tiny_bundle(context)
    context.smk("run", directory).expect(0)
    path = fake_argv(context)[fake_argv(context).index("-kernel") + 1]
    with open(path, "rb") as file:
        good = file.read()
    with open(path, "r+b") as file:
        file.seek(1 << 20)
        file.write(bytes(4096))
    context.smk("run", directory).expect(0)
    with open(path, "rb") as file:
        check(file.read() == good, "the damaged kernel was booted")


@case()
def memory_grows_with_layers(context):
    """Each mounted squashfs costs the guest memory: 256M are for 32 of them."""
    own_cache(context)
    fake_qemu(context, "warning")
    for count, options, want in ((32, [], "256M"), (33, [], "257M"), (33, ["--flatten"], "256M"),
                                 (33, ["--memory", "64M"], "64M")):
        layers = [layer(tar(entry("bin/hello", uid=number))) for number in range(count)]
        image = Image(layers).layout(context.path(f"image-{count}"))
        context.smk("run", *options, image).expect(0)
        argv = fake_argv(context)
        check_equal(argv[argv.index("-m") + 1], want, f"memory of {count} layers, {options}")
