# SPDX-License-Identifier: Apache-2.0
"""Images made and copied by the distribution's tools, without a network: what a process inside sees, entry by entry,
is what umoci unpacks of the same image."""

import os
import shutil
import stat
import tempfile

from guest_tree import COMMAND, ENTRYPOINT, ROOT_TIME, RUNTIME, guest_tree
from harness import PROBE, case, check
from image_compare import Reasons, unpacked_tree
from nasty_image import CAPABILITY, LONG

TIME = 1400000000
FORMATS = ("oci", "oci-archive", "docker-archive")
PLACES = ("dev", "etc", "proc", "sys")


def same(context, theirs, sources, table=None):
    """Boots each source: a reference, or one with smk's options before it."""
    check(len(theirs) > 20, f"umoci unpacked {len(theirs)} entries")
    reasons = Reasons({**ROOT_TIME, **(table or {})}, RUNTIME)
    for source in sources:
        reasons.compare(guest_tree(context, source), theirs, source)
    reasons.all_needed()


# ---- trees on the disk, for the tools to pack -----------------------------------------------------------

def write(root, name, data=b"", mode=0o644, owner=(0, 0)):
    path = os.path.join(os.fsencode(root), os.fsencode(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chown(path, *owner)
    os.chmod(path, mode)
    return path


def settle(root):
    """Times that are nobody's now, each its own."""
    entries = sorted(os.path.join(top, name) for top, folders, files in os.walk(os.fsencode(root))
                     for name in folders + files)
    for number, path in enumerate(reversed(entries)):
        os.utime(path, (TIME, TIME + number), follow_symlinks=False)


def fill(root):
    """What a tool meets in a root file system."""
    for name in PLACES:
        os.makedirs(os.path.join(root, name))
    shutil.copy(PROBE, os.path.join(root, ENTRYPOINT[1:]))
    write(root, "etc/hosts", b"127.0.0.1 here\n")
    write(root, "etc/hostname", b"here\n")
    os.setxattr(write(root, "bin/able", b"able", 0o755), "security.capability", CAPABILITY)
    os.setxattr(write(root, "marked", b"m"), "user.mark", b"a\0b")
    write(root, "bin/su", b"su", 0o4755)
    write(root, "bin/mount", b"mount", 0o4711)
    write(root, "mail/write", b"w", 0o2755, (0, 8))
    os.link(os.path.join(root, "mail/write"), os.path.join(root, "mail/again"))
    os.symlink("nowhere/" * 20, os.path.join(root, "far"))
    os.lchown(os.path.join(root, "far"), 12, 13)
    os.mkfifo(os.path.join(root, "pipe"), 0o620)
    for name, kind, device in (("null", stat.S_IFCHR, (1, 3)), ("disk", stat.S_IFBLK, (259, 70000))):
        os.mknod(os.path.join(root, name), kind | 0o660, os.makedev(*device))
    write(root, LONG[:200] + "/" + LONG, b"long")
    write(root, b"odd-\xff\x80-\xc3\xa9", b"odd")
    write(root, "new\nline", b"line", 0o600, (70000, 3000000))
    with open(write(root, "holes"), "r+b") as file:
        file.seek(3 << 20)
        file.write(b"end")
    for number in range(5):
        write(root, f"stay/{number}", b"s", 0o600 + number, (number, number))
        write(root, f"leave/{number}", b"l")
    os.chmod(os.path.join(root, "stay"), 0o1777)
    settle(root)


def change(root):
    """Another layer's worth: things that go, come, turn into others."""
    shutil.rmtree(os.path.join(root, "leave"))
    os.remove(os.path.join(root, "stay/3"))
    os.remove(os.path.join(root, "far"))
    write(root, "far/away", b"a directory now", 0o640, (5, 6))
    os.chmod(os.path.join(root, "bin/su"), 0o755)
    write(root, "marked", b"changed")
    write(root, "added/deep/down", b"d")
    for name in ("added/deep/down", "added/deep", "added", "far/away", "far", "marked", "bin/su"):
        os.utime(os.path.join(root, name), (TIME, TIME + len(name)))


# ---- umoci --------------------------------------------------------------------------------------------

def umoci_image(context):
    """A layout: tag repacked has a layer of a tree and one of its changes, and latest two more that were inserted."""
    image, bundle, inserted = (context.path(name) for name in ("by-umoci", "bundle", "inserted"))

    def umoci(command, *words, tag="repacked"):
        context.tool("umoci", command, "--image", f"{image}:{tag}", *words)

    context.tool("umoci", "init", "--layout", image)
    umoci("new")
    umoci("config", "--os", "linux", "--architecture", "arm64", "--config.entrypoint", ENTRYPOINT,
          "--config.cmd", COMMAND)
    for how in (fill, change):
        umoci("unpack", bundle)
        how(os.path.join(bundle, "rootfs"))
        umoci("repack", bundle)
        shutil.rmtree(bundle)
    write(inserted, "mine", b"i", 0o604, (3, 4))
    settle(inserted)
    umoci("insert", "--tag", "latest", "--opaque", inserted, "/stay")
    umoci("insert", "--whiteout", "/pipe", tag="latest")
    return image


@case(timeout=120)
def guest_tree_by_umoci(context):
    image = umoci_image(context)
    theirs = unpacked_tree(context, image, "unpacked")
    check("stay/mine" in theirs and "stay/1" not in theirs and "pipe" not in theirs, f"umoci made no whiteouts: {theirs}")
    same(context, theirs, [image + ":latest"])
    same(context, unpacked_tree(context, image, "of-repacked", "repacked"), [image + ":repacked"])


@case(timeout=180)
def guest_tree_copied_by_skopeo(context):
    """To each format, and compressed anew; skopeo 1.9 stands still where it is to make zstd:chunked of an inserted layer."""
    image = umoci_image(context)
    copies = {"oci": [], "oci-archive": [], "docker-archive": [], "zstd": ["--dest-compress-format", "zstd"],
              "chunked": ["--dest-compress-format", "zstd:chunked"]}
    sources = {"latest": [], "repacked": []}
    for name, options in copies.items():
        tag = "repacked" if name == "chunked" else "latest"
        target = f"{name if name in FORMATS else 'oci'}:{context.path('copy-' + name)}"
        context.tool("skopeo", "copy", "-q", *options, f"oci:{image}:{tag}",
                     target + (":a/b:latest" if name == "docker-archive" else ":latest"))
        sources[tag].append(target)
    for tag, copied in sources.items():
        same(context, unpacked_tree(context, image, "of-" + tag, tag), copied)


# ---- buildah and podman -------------------------------------------------------------------------------

NAME = "localhost/made:latest"


class Storage:
    """buildah's and podman's, of this case only."""

    def __init__(self, context, state=None):
        self.context = context
        self.options = ["--root", context.path("storage"), "--runroot", state or context.path("run"),
                        "--storage-driver", "vfs"]

    def tool(self, name, *words):
        return self.context.tool(name, *self.options, *words).text.strip()

    def buildah(self, *words):
        return self.tool("buildah", *words)

    def commit(self, base, how, *options):
        """An image's root changed, and committed as NAME."""
        container = self.buildah("from", "--pull-never", base)
        how(self.buildah("mount", container))
        self.buildah("config", "--arch", "arm64", "--entrypoint", f'["{ENTRYPOINT}"]', "--cmd", COMMAND, container)
        self.buildah("commit", "-q", "--rm", *options, container, NAME)

    def pushed(self, form):
        """Where buildah leaves the image in a format."""
        target = f"{form}:{self.context.path('pushed-' + form)}"
        self.buildah("push", "-q", NAME, target + (":a/b:latest" if form == "docker-archive" else ":latest"))
        return target

    def unpacked(self):
        return unpacked_tree(self.context, self.pushed("oci").removeprefix("oci:"), "unpacked")


def by_buildah(form):
    """A case: two layers committed in a manifest format, and pushed to each place."""

    def run(context):
        storage = Storage(context)
        storage.commit("scratch", fill, "--format", form)
        storage.commit(NAME, change, "--format", form)
        theirs = storage.unpacked()
        check("far/away" in theirs and "stay/3" not in theirs, f"buildah lost the second layer: {theirs}")
        same(context, theirs, ["oci:" + context.path("pushed-oci"), *map(storage.pushed, FORMATS[1:])])

    run.__name__ = f"guest_tree_by_buildah_as_{form}"
    case(timeout=180)(run)


by_buildah("oci")
by_buildah("docker")

CONTAINERFILE = f"""
FROM scratch
COPY root /
COPY --chown=7:8 --chmod=0640 more /stay
COPY more /stay/more
ENTRYPOINT ["{ENTRYPOINT}"]
CMD ["{COMMAND}"]
"""


@case(timeout=120)
def guest_tree_of_a_containerfile(context):
    storage = Storage(context)
    for name in ("root", "more"):
        os.mkdir(context.path(name))
    fill(context.path("root"))
    write(context.path("more"), "first", b"1", 0o600, (9, 9))
    write(context.path("more"), "2", b"over")
    settle(context.path("more"))
    with open(context.path("Containerfile"), "w", encoding="utf-8") as file:
        file.write(CONTAINERFILE)
    storage.buildah("build", "-q", "--layers", "--platform", "linux/arm64", "-t", NAME, context.dir)
    theirs = storage.unpacked()
    check(theirs["stay/2"]["owner"] == [7, 8] and "stay/more/first" in theirs, f"buildah did not copy: {theirs}")
    same(context, theirs, ["oci:" + context.path("pushed-oci")])


@case(timeout=180)
def guest_tree_saved_by_podman(context):
    sources = []
    with tempfile.TemporaryDirectory(prefix="smk-") as state:  # podman insists on a short name
        storage = Storage(context, state)
        storage.commit("scratch", fill)
        storage.commit(NAME, change)
        theirs = storage.unpacked()
        for form in ("oci-dir", *FORMATS[1:]):
            sources.append(context.path("saved-" + form))
            storage.tool("podman", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "save", "-q", "--format", form,
                         "-o", sources[-1], NAME)
    same(context, theirs, sources)
