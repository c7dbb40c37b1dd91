# SPDX-License-Identifier: Apache-2.0
"""Layer images: what is in them, and when they are made again."""

import hashlib
import os
import shutil
import stat

from harness import case, check, check_equal
from host_case import fake_qemu, images, leftovers, own_cache, tiny_bundle


def packed(context, directory):
    """Runs the bundle and says whether an image was made."""
    layers = os.path.join(own_cache(context), "layers")
    before = set(images(context)) if os.path.isdir(layers) else set()
    context.smk("run", directory).expect(0)
    return bool(set(images(context)) - before)


@case()
def second_run_does_not_pack(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    check(packed(context, directory), "nothing was packed")
    check(not packed(context, directory), "packed twice")
    # Not even with the packer gone.
    context.env["PATH"] = os.path.dirname(shutil.which("qemu-system-aarch64", path=context.env["PATH"])) + \
        ":/nowhere"
    context.smk("run", directory).expect(0)


CHANGES = {
    "content": lambda root: open(f"{root}/bin/hello", "w", encoding="utf-8").write("other\n" * 3),
    "new file": lambda root: open(f"{root}/new", "w", encoding="utf-8").close(),
    "mode": lambda root: os.chmod(f"{root}/bin/hello", 0o700),
    "mode of the root": lambda root: os.chmod(root, 0o711),
    "link target": lambda root: (os.unlink(f"{root}/bin/link"), os.symlink("x", f"{root}/bin/link")),
    "gone file": lambda root: os.unlink(f"{root}/bin/link"),
    "xattr": lambda root: os.setxattr(f"{root}/bin/hello", "user.key", b"value"),
    "name": lambda root: os.rename(f"{root}/bin/hello", f"{root}/bin/hello2"),
    "empty directory": lambda root: os.mkdir(f"{root}/empty"),
}


@case()
def each_change_packs_again(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    check(packed(context, directory), "nothing was packed")
    for what, change in CHANGES.items():
        change(os.path.join(directory, "rootfs"))
        check(packed(context, directory), f"{what}: the old image was used")


@case()
def same_size_and_time_packs_again(context):
    """Who sets the modification time back has still changed ctime."""
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    path = os.path.join(directory, "rootfs", "bin", "hello")
    check(packed(context, directory), "nothing was packed")
    before = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"#!/bin/SH")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    check(packed(context, directory), "the old image was used")


@case()
def a_copy_packs_again(context):
    """The key is of what lstat says, not of the bytes: smk.1 says so."""
    fake_qemu(context, "warning")
    check(packed(context, tiny_bundle(context)), "nothing was packed")
    context.tool("cp", "-a", context.path("bundle"), context.path("copy"))
    check(packed(context, context.path("copy")), "the image of the other tree was used")


def extract(context, image):
    tree = context.path("extracted")
    context.tool("unsquashfs", "-quiet", "-no-progress", "-dest", tree, image)
    return tree


@case()
def image_is_faithful(context):
    """Owners, modes, times, hard links, xattrs, devices, long and odd names."""
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    root = os.path.join(directory, "rootfs")
    os.link(f"{root}/bin/hello", f"{root}/bin/hard")
    os.chmod(f"{root}/bin/hello", 0o6755)
    os.setxattr(f"{root}/bin/hello", "user.key", b"va\0lue")
    os.makedirs(root + "/deep" * 200)
    os.mkfifo(f"{root}/pipe")
    if os.getuid() == 0:
        os.chown(f"{root}/pipe", 12345, 54321)
        os.mknod(f"{root}/node", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    for name in ("-option", "new\nline", "sp ace", "n" * 255, "é", "*"):
        with open(os.path.join(root, name), "w", encoding="utf-8") as file:
            file.write(name)
    os.utime(f"{root}/-option", (1, 1))
    packed(context, directory)
    tree = extract(context, os.path.join(own_cache(context), "layers", images(context)[0]))
    check_equal(sorted(os.listdir(tree)), sorted(os.listdir(root)), "names")
    for base, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(base, name)
            a, b = os.lstat(path), os.lstat(os.path.join(tree, os.path.relpath(path, root)))
            for field in ("st_mode", "st_uid", "st_gid", "st_rdev", "st_nlink"):
                check_equal(getattr(b, field), getattr(a, field), f"{field} of {path}")
            check_equal(int(b.st_mtime), int(a.st_mtime), f"mtime of {path}")
    check_equal(os.getxattr(f"{tree}/bin/hello", "user.key"), b"va\0lue", "xattr")


@case()
def links_are_not_followed(context):
    """A link out of the root is packed as a link, whatever it points to."""
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    root = os.path.join(directory, "rootfs")
    secret = context.path("secret")
    os.mkdir(secret)
    with open(os.path.join(secret, "file"), "w", encoding="utf-8") as file:
        file.write("TOP-SECRET-WORDS")
    os.symlink(secret, os.path.join(root, "dir"))
    os.symlink(os.path.join(secret, "file"), os.path.join(root, "file"))
    os.symlink("../../secret", os.path.join(root, "up"))
    os.symlink("loop", os.path.join(root, "loop"))
    os.symlink("/", os.path.join(root, "slash"))
    packed(context, directory)
    tree = extract(context, os.path.join(own_cache(context), "layers", images(context)[0]))
    for name in ("dir", "file", "up", "loop", "slash"):
        check_equal(os.readlink(os.path.join(tree, name)), os.readlink(os.path.join(root, name)), name)
    found = context.run(["grep", "-r", "TOP-SECRET-WORDS", tree])
    check(found.code == 1, f"the secret is in the image: {found.text}")


@case()
def what_links_lead_to_is_no_change(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    os.symlink(context.path("outside"), os.path.join(directory, "rootfs", "out"))
    os.mkdir(context.path("outside"))
    check(packed(context, directory), "nothing was packed")
    with open(context.path("outside", "x"), "w", encoding="utf-8") as file:
        file.write("x")
    check(not packed(context, directory), "the walk left the root")


@case()
def equal_trees_give_equal_images(context):
    fake_qemu(context, "warning")
    digests = []
    for name in ("one", "two"):
        directory = tiny_bundle(context, name=name)
        for base, directories, files in os.walk(os.path.join(directory, "rootfs")):
            for entry in directories + files + ["."]:
                os.utime(os.path.join(base, entry), (1000, 1000), follow_symlinks=False)
        context.env["XDG_CACHE_HOME"] = context.path("cache-" + name)
        context.env["SOURCE_DATE_EPOCH"] = {"one": "5", "two": "6000000"}[name]
        context.smk("run", directory).expect(0)
        layers = context.path("cache-" + name, "smk", "layers")
        image = next(n for n in os.listdir(layers) if n.endswith(".squashfs"))
        with open(os.path.join(layers, image), "rb") as file:
            digests.append(hashlib.sha256(file.read()).hexdigest())
    check_equal(digests[0], digests[1], "image")


@case()
def packer_missing(context):
    fake_qemu(context, "warning")
    own_cache(context)
    context.env["PATH"] = context.path("tools")
    context.smk("run", tiny_bundle(context)).expect_line(
        125, "smk: ", "mksquashfs", "not found in PATH", "squashfs-tools")


@case()
def packer_fails(context):
    fake_qemu(context, "warning")
    own_cache(context)
    wrapper = context.path("tools", "mksquashfs")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho talk\necho FATAL: no luck today >&2\nexit 1\n")
    os.chmod(wrapper, 0o755)
    context.smk("run", tiny_bundle(context)).expect_line(125, "smk: mksquashfs: FATAL: no luck today")


@case()
def no_space_for_the_image(context):
    """A full disk leaves no image behind."""
    check_equal(os.getuid(), 0, "user (the case mounts a tmpfs)")
    fake_qemu(context, "warning")
    cache = context.path("full")
    os.mkdir(cache)
    context.tool("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", cache)
    try:
        context.env["XDG_CACHE_HOME"] = cache
        directory = tiny_bundle(context)
        with open(os.path.join(directory, "rootfs", "big"), "wb") as file:
            file.write(os.urandom(1 << 20))
        context.smk("run", directory).expect_line(125, "smk: mksquashfs: ")
        check_equal([n for n in os.listdir(cache + "/smk/layers") if n[0] != "."], [], "files")
    finally:
        context.tool("umount", cache)


@case()
def no_space_for_the_kernel(context):
    check_equal(os.getuid(), 0, "user (the case mounts a tmpfs)")
    fake_qemu(context, "warning")
    assets = os.path.join(own_cache(context), "assets")
    os.makedirs(assets)
    context.tool("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", assets)
    try:
        context.smk("run", tiny_bundle(context)).expect_line(125, "smk: ", "/assets/kernel-", "kernel")
        check_equal(os.listdir(assets), [], "files")
    finally:
        context.tool("umount", assets)


@case()
def cache_cannot_be_written(context):
    fake_qemu(context, "warning")
    with open(context.path("cache"), "w", encoding="utf-8"):
        pass
    own_cache(context)
    context.smk("run", tiny_bundle(context)).expect_line(125, "smk: ", "/cache")


@case()
def cache_below_home(context):
    """Without XDG_CACHE_HOME, or with a relative one, which its specification says to ignore."""
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    for number, relative in enumerate((None, "", "relative/cache")):
        del context.env["XDG_CACHE_HOME"]
        context.env["HOME"] = context.path(f"home-{number}")
        os.mkdir(context.env["HOME"])
        if relative is not None:
            context.env["XDG_CACHE_HOME"] = relative
        context.smk("run", directory, cwd=context.dir).expect(0)
        check_equal(os.stat(context.env["HOME"] + "/.cache/smk/layers").st_mode & 0o777, 0o700, "mode")
        context.env["XDG_CACHE_HOME"] = ""
    check(not os.path.exists(context.path("relative")), "a relative cache was made")


@case()
def lock_that_is_a_link(context):
    """It is not followed: whatever it points to is neither made nor locked."""
    fake_qemu(context, "warning")
    layers = os.path.join(own_cache(context), "layers")
    directory = tiny_bundle(context)
    check(packed(context, directory), "nothing was packed")
    image = images(context)[0]
    os.unlink(os.path.join(layers, image))
    os.symlink(context.path("victim"), os.path.join(layers, ".lock-" + image.removesuffix(".squashfs")))
    context.smk("run", directory).expect_line(125, "smk: ", "/layers/.lock-", "errno 40")
    check(not os.path.exists(context.path("victim")), "the link was followed")


@case()
def directory_that_cannot_be_read(context):
    """Said with its name; no image without what is in it."""
    check_equal(os.getuid(), 0, "user (the case becomes another)")
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    os.mkdir(os.path.join(directory, "rootfs", "closed"), 0)
    os.mkdir(own_cache(context).removesuffix("/smk"))
    os.chown(context.path("cache"), 54321, 54321)
    context.smk("run", directory, preexec_fn=lambda: os.setuid(54321)).expect_line(
        125, "smk: ", "rootfs: closed", "errno 13")


@case()
def cache_of_nobody(context):
    """A user whom the system does not know, without HOME."""
    check_equal(os.getuid(), 0, "user (the case becomes another)")
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    del context.env["XDG_CACHE_HOME"], context.env["HOME"]
    context.smk("run", directory, preexec_fn=lambda: os.setuid(54321)).expect_line(
        125, "smk: no cache directory: set XDG_CACHE_HOME or HOME")


@case()
def temporary_directory_missing(context):
    context.env["TMPDIR"] = context.path("absent")
    context.smk("run", "--print-vmm", tiny_bundle(context)).expect_line(
        125, "smk: ", "absent/smk-", "mkdtemp", "errno 2")


@case()
def tree_without_a_bottom(context):
    """1100 directories deep: refused, before the packer sees it."""
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    here = os.open(os.path.join(directory, "rootfs"), os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    context.smk("run", directory).expect_line(125, "smk: ", "more than 1024 directories deep")
    context.tool("rm", "-rf", directory)


@case()
def old_images_are_removed(context):
    fake_qemu(context, "warning")
    directory = tiny_bundle(context)
    packed(context, directory)
    layers = os.path.join(own_cache(context), "layers")
    old, recent = os.path.join(layers, "0" * 64 + ".squashfs"), os.path.join(layers, "1" * 64 + ".squashfs")
    for path, days in ((old, 31), (recent, 29)):
        with open(path, "w", encoding="utf-8"):
            pass
        when = os.stat(path).st_mtime - days * 24 * 3600
        os.utime(path, (when, when))
    os.unlink(os.path.join(directory, "rootfs", "bin", "link"))
    check(packed(context, directory), "nothing was packed")
    check(not os.path.exists(old), "an image unused for 31 days is still there")
    check(os.path.exists(recent), "an image used 29 days ago is gone")


@case()
def nothing_is_left(context):
    fake_qemu(context, "warning")
    context.smk("run", "--upper", "disk:16M", tiny_bundle(context)).expect(0)
    check_equal(leftovers(context), [], "temporary files")
