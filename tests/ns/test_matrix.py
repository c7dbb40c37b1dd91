#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
test_matrix.py [-j N] [PATTERN]: every place that init-oci reaches inside an image x everything that the
image may have there x three roots. Each case is a run of its own, and holds init-oci to the policy three times: by
what it says, by what a process inside sees, and by listings of everything outside before and after.

The roots: "rw" an overlay; "ro" the same with root.readonly; "bare" an image without an upper, in which nothing can
be made.
"""

import errno
import hashlib
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))

import harness  # noqa: E402
from harness import CASES, check, check_equal, check_in  # noqa: E402
from matrix_policy import END, ERRORS, ESCAPED, POLICY, TRICKS, UNMADE, WORDS, parent_of, read_policy  # noqa: E402
from matrix_targets import DEV_ENTRIES, SOURCES, TARGETS  # noqa: E402
from pid1 import File, Link, Machine, Node, base_tree  # noqa: E402

ROOTS = {"rw": "", "ro": "", "bare": "smk.upper=none"}
# Where a link that escapes would lead, outside; and what init-oci has mounted when it ends
OUTSIDE = {END: "marker", ESCAPED: "marker", "/outside/target": "marker", "/made": None} | SOURCES
OWN_MOUNTS = ("/layer/000", "/upper", "/proc", "/sys", "/dev", "/proc/cmdline", "/sys/block", "", "/boot")
DEFAULTS = {"/", "/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"}
policy = read_policy(POLICY)


class Expected:
    """What the policy says of one case."""

    def __init__(self, target, trick, root):
        column, make_tree, where = TRICKS[trick]
        self.target, self.trick, self.root = target, trick, root
        self.column = column
        self.image = make_tree(target.path, target.real)
        self.word = policy[target.kind][column]
        self.place = self.land(where)
        if root == "bare":
            self.apply_bare()

    def land(self, where):
        if where and where.endswith("/"):
            return where + self.target.path.rsplit("/", 1)[1]
        if where == "beside":
            return parent_of(self.target.path).rstrip("/") + "/beside"
        return where or self.target.path

    def apply_bare(self):
        """Nothing can be made there."""
        is_made = self.column in ("absent", "dangling", "newparent")
        if self.target.kind == "written":
            self.word = "kept"
        elif is_made and self.word == "there" and not (self.target.is_in_dev and self.column == "absent"):
            self.word = UNMADE.get(self.target.kind, self.word)
            if self.column == "newparent" and self.target.kind in ("kernel", "node", "newlink", "cwd"):
                self.word = "EROFS@^make in the image"
            if self.column == "dangling" and self.target.kind == "cwd":
                self.word = "EROFS@make in the image"

    @property
    def is_refusal(self):
        return "@" in self.word and not self.target.is_optional

    def code(self):
        if self.target.field != "spawn: /process/args/0":
            return 125
        return 127 if self.word.startswith("ENOENT") else 126

    def line(self):
        error, operation = self.word.split("@")
        path = self.target.path
        field = self.target.field
        if operation.startswith("^"):
            operation, path = operation[1:], parent_of(path) + "/"
        if self.target.kind == "cwd" and operation not in ("chdir", "getcwd"):
            field = field.replace("spawn", "apply")
        words = WORDS.get((self.target.kind, self.word), "")
        mount = self.target.mount or ("", "")
        words = words.format(source=self.target.source, fstype=mount[0])
        number = getattr(errno, error)
        parts = [field, path, operation, *([words] if words else []), f"{ERRORS[error]} (errno {number})"]
        return "init-oci: fatal: " + ": ".join(parts)


def tree_of(expected):
    """The image: what every one has, and the trap. What the trap replaces is left out."""
    removed = {expected.target.path: ...} if expected.trick == "absent" else {}
    return base_tree(removed | expected.image)


def parents(path):
    while path != "/":
        path = parent_of(path)
        yield path


def expected_mounts(expected):
    """Mount points, exactly."""
    target = expected.target
    points = {"/" + m.lstrip("/") for m in DEFAULTS}
    if target.path in points and target.path != "/":
        if target.path == "/dev":
            points = {expected.place + p[len("/dev"):] if p.startswith("/dev") else p for p in points}
        else:
            points = points - {target.path} | ({expected.place} if expected.word == "there" else set())
    elif expected.word == "there" and (target.mount or target.kind == "covered"):
        points.add(expected.place)
    return points


def check_mount(expected, seen):
    mounts = {l.split()[4]: l for l in seen["mounts"]}
    check_equal(sorted(mounts), sorted(expected_mounts(expected)), "mount points")
    check_equal("ro" in mounts["/"].split()[5].split(","), expected.root != "rw", "the root is read-only")
    target = expected.target
    if expected.word == "top" and target.kind == "remount":
        check_in("nodev", mounts["/"].split()[5], "attributes of /")
    if expected.word != "there" or not (target.mount or target.kind == "covered"):
        return
    line = mounts[expected.place].split()
    got = (line[line.index("-") + 1], line[3])
    if target.mount:
        check_equal(got, target.mount, f"what is mounted on {expected.place}")
        return
    check_equal("ro" in line[5].split(",") or got[1] == "/null", True, f"{line} is read-only")
    is_dir = expected.trick == "directory" or (expected.column in ("leads", "parent") and target.real is None)
    if "maskedPaths" in target.config["linux"]:
        check_equal(got, ("tmpfs", "/" if is_dir else "/null"), "what hides it")
    else:
        check_equal(got[1], expected.place, "what is read-only")


def kind_of(entry):
    if entry is None:
        return stat.S_IFDIR
    if isinstance(entry, Link):
        return stat.S_IFLNK
    return stat.S_IFMT(entry.mode) if isinstance(entry, Node) else stat.S_IFREG


def check_unchanged(path, entry, got):
    check_equal(stat.S_IFMT(got["mode"]), kind_of(entry), f"type of {path}")
    if isinstance(entry, Link):
        check_equal(got["target"], entry, f"target of {path}")
    elif isinstance(entry, str) or (isinstance(entry, File) and entry.data == b"text"):
        check_equal(got["text"], entry if isinstance(entry, str) else "text", f"text of {path}")


def expected_new(expected, image):
    """What is in the root although the image did not have it."""
    target = expected.target
    new = set()
    if expected.word in ("there", "hidden") and target.kind not in ("program", "remount"):
        new |= {expected.place, *parents(expected.place)}
    if expected.root != "bare":
        is_no_place = target.path.startswith("/etc/") and expected.column in ("noparent", "parentloop")
        for name in ("/etc/hosts",) if target.path != "/etc/hosts" and not is_no_place else ():
            new |= {parent_of(expected.place) + "/hosts" if target.path.startswith("/etc/") and expected.column in (
                "parent", "newparent") else name}
    if expected.word == "hidden":
        new = {p for p in new if not p.startswith("/proc")}
    if target.path == "/dev":
        new |= {f"{expected.place}/{name}" for name in DEV_ENTRIES} if expected.place == "/dev" else set()
    known = set(image) | {p for path in image for p in parents(path)} | {"/"}
    return new - known


def check_tree(expected, image, seen):
    tree, target = seen["tree"], expected.target
    covered = {l.split()[4] for l in seen["mounts"]} - {"/"}
    written = expected.place if expected.word == "there" and target.entry else None
    for path, entry in image.items():
        below = [m for m in covered if path == m or path.startswith(m + "/")]
        if path == "" or path == written or (below and not (target.is_in_dev and below == ["/dev"])):
            continue
        check_in(path, tree, "entries of the root")
        check_unchanged(path, entry, tree[path])
    known = set(image) | {p for path in image for p in parents(path)} | {"/"}
    new = {p for p in tree if p not in known and not p.startswith(("/dev/", "/dev/shm/"))}
    wanted = {p for p in expected_new(expected, image) if not p.startswith("/dev/")}
    check_equal(sorted(new), sorted(wanted), "what was made in the root")
    if target.is_in_dev:
        made = {p[len("/dev/"):] for p in tree if p.startswith("/dev/") and p not in known}
        check_equal(sorted(made - DEV_ENTRIES - {target.path[len("/dev/"):]}), [], "what else was made in /dev")


def check_inside(expected, image, run):
    target = expected.target
    seen = run.expect().objects[0]
    check_mount(expected, seen)
    check_tree(expected, image, seen)
    if expected.word == "there" and target.entry:
        check_equal(seen["tree"][expected.place].get(target.entry[0]), target.entry[1], f"{expected.place}")
    if target.kind == "cwd":
        check_equal(seen["cwd"], "/" if expected.word == "top" else expected.place, "working directory")
    if target.kind == "program" and "/dev/shm" in target.see:
        check_equal(seen["tree"]["/dev/shm/hook"]["text"], "text", "what the hook left")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def run_case(c, target, trick, root):
    expected = Expected(target, trick, root)
    image = tree_of(expected)
    with Machine(c) as m:
        path = m.image(image)
        m.layer_image(path)
        before = digest(path)
        config = target.config | {"root": {"path": "rootfs", "readonly": root == "ro"}}
        run = m.run(config, ROOTS[root], initramfs=OUTSIDE, is_moved=target.is_moved)
        run.expect_outside_untouched()
        check_equal(digest(path), before, "digest of the layer")
        check_equal([p for p in run.mounts_left if p not in OWN_MOUNTS], [], "mounts left outside")
        is_let_pass = "@" in expected.word and target.is_optional
        check_equal([w.replace("warning", "fatal") for w in run.warnings
                     if "/etc/" not in w or (is_let_pass and target.path in w)],
                    [expected.line()] if is_let_pass else [], "warnings")
        if not expected.is_refusal:
            check_inside(expected, image, run)
            return
        run.expect_failure(code=expected.code())
        check_equal(run.failures, [expected.line()], "the failure")


def add_case(name, target, trick, root):
    def run(c):
        run_case(c, target, trick, root)
    CASES.append((f"{name}-{trick}-{root}", run, 60))


def add_cases():
    for name, target in TARGETS.items():
        for trick, (column, *_) in TRICKS.items():
            if column not in policy[target.kind] or (parent_of(target.path) in ("/", "/dev")
                                                     and trick.startswith("parent")):
                continue
            for root in ROOTS:
                add_case(name, target, trick, root)


if __name__ == "__main__":
    add_cases()
    check(len({name for name, *_ in CASES}) == len(CASES) >= 300, f"{len(CASES)} cases")
    sys.exit(harness.main("matrix", sys.argv[1:]))
