# SPDX-License-Identifier: Apache-2.0
"""The probe's facts in a form in which two kernels can be compared: numbers that any two boots differ in
(identifiers of mounts and namespaces, device numbers of file systems) become what they mean."""

import re

# Clocks run; what a container can set of them is in timeOffsets.
VOLATILE = ("monotonic", "boottime")
LISTED_BY_NAME = re.compile(r"^(pipe|socket|anon_inode):.*")


def mounts(lines):
    """mountinfo by place; the second mount at a place has "#2" behind it."""
    out = {}
    for line in lines:
        before, after = line.split(" - ", 1)
        _, _, _, root, place, options, *tags = before.split()
        fstype, source, superblock = (after.split(" ") + [""])[:3]
        key, number = place, 1
        while key in out:
            number += 1
            key = f"{place}#{number}"
        out[key] = {"root": root, "type": fstype, "source": source, "options": sorted(options.split(",")),
                    "propagation": sorted(tag.split(":")[0] for tag in tags),
                    "superblock": sorted(superblock.split(","))}
    return out


def namespaces(links, machines):
    return {name: "machine" if link == machines.get(name) else "own" for name, link in links.items()}


def comparable(facts, machines):
    """machines: the namespaces of the machine itself, as links."""
    out = {key: value for key, value in facts.items() if key not in VOLATILE}
    out["mounts"] = mounts(facts["mounts"])
    for key in ("namespaces", "namespacesOf1"):
        out[key] = namespaces(facts[key], machines)
    out["terminals"] = {str(number): terminal for number, terminal in enumerate(facts["terminals"])}
    out["fds"] = {number: LISTED_BY_NAME.sub(r"\1", target) for number, target in facts["fds"].items()}
    return out


def flatten(value, prefix=""):
    """{path: leaf}; a list is a leaf, and so is an empty object. A "/" in a name stays: "." parts names."""
    if isinstance(value, dict) and value:
        out = {}
        for key, child in value.items():
            out.update(flatten(child, f"{prefix}.{key}" if prefix else key))
        return out
    return {prefix: value}
