#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""overlay_tree.py ROOT | --mount PLACE IMAGE...: what a tree has, as JSON: of each path its type, mode, owner,
time, extended attributes, contents, and the other names of the same file. With --mount, of the overlay
of the images (lowest first), in a mount namespace that the caller made."""

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys


def xattrs_of(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:  # an image in which nothing has any
            raise
        names = []
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(names)
            if not name.startswith("trusted.overlay.")}


def describe(path):
    st = os.lstat(path)
    found = {"mode": oct(st.st_mode), "owner": [st.st_uid, st.st_gid], "time": int(st.st_mtime),
             "xattrs": xattrs_of(path)}
    if stat.S_ISREG(st.st_mode):
        found["size"] = st.st_size
        with open(path, "rb") as file:
            found["data"] = hashlib.sha256(file.read()).hexdigest()
    elif stat.S_ISLNK(st.st_mode):
        found["target"] = os.readlink(path)
    elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        found["device"] = [os.major(st.st_rdev), os.minor(st.st_rdev)]
    return found, None if stat.S_ISDIR(st.st_mode) or st.st_nlink < 2 else (st.st_dev, st.st_ino)


def tree(root):
    found, groups = {}, {}
    for top, folders, files in os.walk(root):
        for name in ["."] * (top == root) + folders + files:
            path = os.path.relpath(os.path.join(top, name), root)
            found[path], number = describe(os.path.join(top, name))
            if number:
                groups.setdefault(number, []).append(path)
    for names in groups.values():
        for path in names:
            found[path]["names"] = sorted(names)
    return found


def mounted(place, images):
    lower = []
    for i, image in enumerate(images):
        lower.append(os.path.join(place, str(i)))
        os.makedirs(lower[-1])
        subprocess.run(["mount", "-t", image.rsplit(".", 1)[1], "-o", "loop,ro", image, lower[-1]], check=True)
    root = lower[0]
    if len(lower) > 1:
        root = os.path.join(place, "root")
        os.makedirs(root)
        subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=" + ":".join(reversed(lower)), "overlay", root],
                       check=True)
    return root


if __name__ == "__main__":
    json.dump(tree(mounted(sys.argv[2], sys.argv[3:]) if sys.argv[1] == "--mount" else sys.argv[1]), sys.stdout)
