# SPDX-License-Identifier: Apache-2.0
"""
What init-oci promises for every place that it reaches inside an image, whatever the image has there.

A target is such a place, a trick is what the image has there. The policy is a word for each class of
targets and each kind of trick; it was written from the rules of docs/architecture.md ("Inside the
container's root"), and test_matrix.py holds init-oci to it:

  there     it lands where the path leads inside the root, and what is missing on the way is made
  kept      the image's own entry stays as it is, and nothing is put there
  hidden    it lands, and a mount made later covers it
  top       the path leads to the root itself, which is as good as any directory
  X@OP      refused: errno X of operation OP on the path; X@^OP: on the directory that it is in
"""

from pid1 import CHAR, FIFO, SOCKET, File, Link, Node

# ---- tricks: what the image has at `path`, and which column of the policy that is ----------------------
# end: where a link leads that leads somewhere, inside the root. Outside the same names exist, too.

END = "/real/end"
ESCAPED = "/outside/end"
MADE = "/made/by/link"
MADE_OUTSIDE = "/outside/new"
CLIMB = "../../../../../../../.."


def parent_of(path):
    return path.rsplit("/", 1)[0] or "/"


def chain(length):
    def links(path, real):
        names = [path] + [f"/links/{n}" for n in range(1, length)]
        return dict(zip(names, [Link(n) for n in names[1:]] + [Link(END)])) | {END: real}
    return links


def below_parent(target, entry=None):
    def tree(path, real):
        extra = {target + path[len(parent_of(path)):]: real} if entry == "real" else {}
        return {parent_of(path): Link(target or parent_of(path))} | extra
    return tree


# name: column, entries of the image, where it lands (None: at the path itself)
TRICKS = {
    "absent": ("absent", lambda path, real: {parent_of(path): None} if parent_of(path) != "/" else {}, None),
    "directory": ("directory", lambda path, real: {path: None}, None),
    "file": ("file", lambda path, real: {path: File(b"text", 0o755)}, None),
    "fifo": ("special", lambda path, real: {path: Node(FIFO, mode=0o755)}, None),
    "socket": ("special", lambda path, real: {path: Node(SOCKET, mode=0o755)}, None),
    "device": ("special", lambda path, real: {path: Node(CHAR, 1, 5, 0o755)}, None),
    "link-absolute": ("leads", lambda path, real: {path: Link(END), END: real}, END),
    "link-relative": ("leads", lambda path, real: {path: Link("beside"), parent_of(path).rstrip("/") + "/beside": real},
                      "beside"),
    "link-escaping": ("leads", lambda path, real: {path: Link(CLIMB + ESCAPED), ESCAPED: real}, ESCAPED),
    "chain-of-40": ("leads", chain(40), END),
    "link-dangling": ("dangling", lambda path, real: {path: Link(MADE)}, MADE),
    "link-dangling-escaping": ("dangling", lambda path, real: {path: Link(CLIMB + MADE_OUTSIDE)}, MADE_OUTSIDE),
    "link-loop": ("loop", lambda path, real: {path: Link(path)}, None),
    "chain-of-45": ("loop", chain(45), None),
    "link-to-root": ("root", lambda path, real: {path: Link("/../..")}, "/"),
    "magic-self-root": ("magic", lambda path, real: {path: Link("/proc/self/root")}, "/proc/self/root"),
    "magic-1-root": ("magic1", lambda path, real: {path: Link("/proc/1/root")}, "/proc/1/root"),
    "magic-descriptor": ("magicfd", lambda path, real: {path: Link("/proc/self/fd/3")}, "/proc/self/fd/3"),
    "parent-link": ("parent", below_parent("/real", "real"), "/real/"),
    "parent-escaping": ("parent", lambda path, real: {
        parent_of(path): Link(CLIMB + "/outside"), "/outside" + path[len(parent_of(path)):]: real}, "/outside/"),
    "parent-dangling": ("newparent", below_parent("/made/parent"), "/made/parent/"),
    "parent-file": ("noparent", lambda path, real: {parent_of(path): File(b"text")}, None),
    "parent-loop": ("parentloop", below_parent(""), None),
}

# ---- the policy ----------------------------------------------------------------------------------------

POLICY = """
            absent        directory         file           special       leads
directory   there         there             ENOTDIR@mount  =             there
bound       there         there             ENOTDIR@mount  =             there
file        there         EISDIR@mount      there          there         there
kernel      there         there             ENOTDIR@mount  =             =
written     there         kept              kept           kept          there
covered     kept          there             there          there         there
node        there         EEXIST@mknod      =              =             =
newlink     there         EEXIST@symlink    =              =             =
defaultlink there         kept              kept           kept          kept
console     there         EINVAL@move_mount there          there         ELOOP@open
cwd         there         there             ENOTDIR@chdir  =             there
remount     ENOENT@open   EINVAL@remount    =              =             =
program     ENOENT@execve EACCES@execve     ENOEXEC@execve EACCES@execve there

            dangling       loop         root          magic      magic1       magicfd
directory   there          ELOOP@open   EINVAL@mount  ELOOP@open =            =
bound       there          ELOOP@open   EINVAL@mount  ELOOP@open =            =
file        there          ELOOP@open   EISDIR@mount  ELOOP@open =            =
kernel      ENOTDIR@mount  =            =             =          =            =
written     there          ELOOP@open   kept          hidden     hidden       hidden
covered     kept           ELOOP@open   EINVAL@mount  ELOOP@open =            =
node        EEXIST@mknod   =            =             =          =            =
newlink     EEXIST@symlink =            =             =          =            =
defaultlink kept           kept         kept          kept       kept         kept
console     ELOOP@open     =            =             =          =            =
cwd         there          ELOOP@chdir  top           top        EXDEV@getcwd =
remount     ENOENT@open    ELOOP@open   top           ELOOP@open =            =
program     ENOENT@execve  ELOOP@execve EACCES@execve =          =            =

            parent         newparent     noparent       parentloop
directory   there          there         ENOTDIR@open   ELOOP@open
bound       there          there         ENOTDIR@open   ELOOP@open
file        there          there         ENOTDIR@open   ELOOP@open
kernel      there          there         ENOTDIR@^open  ELOOP@^open
written     there          there         ENOTDIR@open   ELOOP@open
covered     there          kept          kept           ELOOP@open
node        EEXIST@mknod   there         ENOTDIR@^open  ELOOP@^open
newlink     EEXIST@symlink there         ENOTDIR@^open  ELOOP@^open
defaultlink -              -             -              -
console     -              -             -              -
cwd         there          there         ENOTDIR@^open  ELOOP@^open
remount     EINVAL@remount ENOENT@open   ENOTDIR@open   ELOOP@open
program     there          ENOENT@execve ENOTDIR@execve ELOOP@execve
"""


def read_policy(text):
    """{class: {column: word}} of some tables; "=": as to the left, "-": no such case."""
    policy = {}
    for table in text.strip("\n").split("\n\n"):
        header, *rows = [line.split() for line in table.splitlines()]
        for name, *words in rows:
            assert len(words) == len(header), f"row {name} has {len(words)} words"
            for i, word in enumerate(words):
                words[i] = words[i - 1] if word == "=" else word
            policy.setdefault(name, {}).update({c: word for c, word in zip(header, words) if word != "-"})
    return policy


# What a class says besides the errno: (class, word) -> words of the failure line
WORDS = {
    ("kernel", "ENOTDIR@mount"): "{fstype} must be mounted on an ordinary directory",
    ("bound", "ENOTDIR@mount"): "{source} is a directory",
    ("bound", "EINVAL@mount"): "a mount cannot replace the root",
    ("directory", "EINVAL@mount"): "a mount cannot replace the root",
    ("covered", "EINVAL@mount"): "a mount cannot replace the root",
    ("file", "EISDIR@mount"): "{source} is not a directory",
    ("node", "EEXIST@mknod"): "the image has something else there than device 1:3",
    ("newlink", "EEXIST@symlink"): "the image has something else there than a link to ../some/where",
    ("remount", "EINVAL@remount"): "nothing is mounted there",
    ("cwd", "EXDEV@getcwd"): "is outside the container's root",
}

# musl's words for errnos
ERRORS = {
    "ENOTDIR": "Not a directory", "EISDIR": "Is a directory", "ELOOP": "Symbolic link loop",
    "EINVAL": "Invalid argument", "EEXIST": "File exists", "ENOENT": "No such file or directory",
    "EACCES": "Permission denied", "ENOEXEC": "Exec format error", "EXDEV": "Cross-device link",
    "EROFS": "Read-only file system", "ENAMETOOLONG": "Filename too long", "E2BIG": "Argument list too long",
}

# ---- an image that nothing can be made in (smk.upper=none) ------------------------------------------------
# What is "there" only after something was made is refused instead, by these.
UNMADE = {
    "directory": "EROFS@make in the image",
    "bound": "EROFS@make in the image",
    "file": "EROFS@make in the image",
    "kernel": "EROFS@make in the image",
    "written": "kept",  # a warning
    "node": "EROFS@mknod",
    "newlink": "EROFS@symlink",
    "cwd": "EROFS@mkdir",
}
