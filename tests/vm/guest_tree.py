# SPDX-License-Identifier: Apache-2.0
"""The tree that a process inside the guest sees of an image, in the form of overlay_tree.py: as the probe's
`entries` prints it, which is what the images of these cases run."""

import json
import os
import stat

from harness import PROBE, check
from image_builder import entry, layer, tar

ENTRYPOINT, COMMAND = "/probe", "entries"
# Paths below which the runtime's own is seen in place of the image's, and why.
RUNTIME = {
    "dev": "a tmpfs with the container's devices",
    "proc": "the kernel's",
    "sys": "the kernel's",
}
# Of an image that has no /etc.
MADE = {**RUNTIME, "etc": "made, with the files hosts and hostname, where there is none"}
ROOT_TIME = {(".", "time"): "here the root is the writable layer's, new at each boot; at umoci it has the unpacking's"}


def probe_layer(*entries):
    """The program, and what else an image's lowest layer should have."""
    with open(PROBE, "rb") as file:
        return layer(tar(entry(ENTRYPOINT[1:], data=file.read(), mode=0o755), *entries))


def runs_probe(config):
    """Changes an image's configuration."""
    config["config"] = {"Entrypoint": [ENTRYPOINT], "Cmd": [COMMAND]}


def text(latin):
    """The probe writes each byte as one character."""
    return os.fsdecode(latin.encode("latin-1"))


def described(seen):
    mode = seen["mode"]
    found = {"mode": oct(mode), "owner": [seen["uid"], seen["gid"]], "time": seen["time"],
             "xattrs": {text(name): value.encode("latin-1").hex() for name, value in sorted(seen["xattrs"].items())
                        if not name.startswith("trusted.overlay.")}}
    if stat.S_ISREG(mode):
        found |= {"size": seen["size"], "data": seen["data"]}
    elif stat.S_ISLNK(mode):
        found["target"] = text(seen["target"])
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        found["device"] = [seen["major"], seen["minor"]]
    return found


def tree_of(entries):
    found, groups = {}, {}
    for path, seen in entries.items():
        path = text(path).lstrip("/") or "."
        found[path] = described(seen)
        if not stat.S_ISDIR(seen["mode"]) and seen["links"] > 1:
            groups.setdefault((seen["device"], seen["inode"]), []).append(path)
    for names in groups.values():
        for path in names:
            found[path]["names"] = sorted(names)
    return found


def guest_tree(context, image, *options):
    """Boots an image, whose layers are converted anew."""
    boot = len(os.listdir(context.dir))
    context.env["XDG_CACHE_HOME"] = context.path(f"cache-{boot}")
    result = context.smk("run", "--net", "none", *options, image).expect(0)
    check(not result.err, f"the run of {image} said {result.errors}")
    return tree_of(json.loads(result.out))
