# SPDX-License-Identifier: Apache-2.0
"""The tree that an image has here beside the one that umoci unpacks, entry by entry. Needs root, for umoci's
owners and devices, and for mounts."""

import json
import os
import sys

from harness import check

LISTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "overlay_tree.py")


def mounted_tree(context, name, images):
    """Of the overlay of file system images, lowest first, on this machine."""
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, LISTER, "--mount",
               context.path(name + "-mounts"), *images]
    return json.loads(context.tool(*command).out)


def unpacked_tree(context, image, name, tag="latest"):
    """Of what umoci makes of a layout."""
    context.tool("umoci", "unpack", "--image", f"{image}:{tag}", context.path(name))
    os.utime(context.path(name, "rootfs"), (1, 1))  # it was now, which may be the very second of a boot
    return json.loads(context.tool(sys.executable, LISTER, context.path(name, "rootfs")).out)


class Reasons:
    """Why ours differs from umoci's: of (path, member of its description, or None: there or not); and of whole
    subtrees, by path. A reason of which there was no need is a fault, too."""

    def __init__(self, table, subtrees=None):
        self.table, self.subtrees, self.used = table, subtrees or {}, set()

    def is_told(self, path, member):
        parts = path.split("/")
        tops = {"/".join(parts[:count + 1]) for count in range(len(parts))} & set(self.subtrees)
        self.used |= {(path, member), *tops}
        return (path, member) in self.table or bool(tops)

    def differences(self, ours, theirs):
        for path in sorted(set(ours) | set(theirs)):
            if path not in ours or path not in theirs:
                if not self.is_told(path, None):
                    yield path, "is missing in " + ("umoci's" if path in ours else "ours")
                continue
            for member in sorted(set(ours[path]) | set(theirs[path])):
                got, want = ours[path].get(member), theirs[path].get(member)
                if got != want and not self.is_told(path, member):
                    yield path, f"{member} {got}, not {want}"

    def compare(self, ours, theirs, what):
        wrong = [f"{path!r}: {how}" for path, how in self.differences(ours, theirs)]
        check(not wrong, f"{what}: {len(wrong)} differences: {'; '.join(wrong[:20])}")

    def all_needed(self):
        idle = sorted(map(str, {*self.table, *self.subtrees} - self.used))
        check(not idle, f"reasons for what does not differ: {', '.join(idle)}")
