# SPDX-License-Identifier: Apache-2.0
"""The root file system of the compared containers: the probe of an architecture, under the names that
engines' configurations ask for, and files for mounts to meet."""

import os
import shutil

from harness import BUILD

PROBES = {machine: os.path.join(BUILD, machine, "probe") for machine in ("x86_64", "aarch64")}
PROGRAMS = ("bin/probe", "bin/sh", "usr/bin/sh")
DIRECTORIES = ("dev", "proc", "sys", "tmp", "etc", "run", "data", "srv", "var/tmp", "cover/inner")
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n",
    "etc/group": "root:x:0:\nuser:x:1000:\n",
    "cover/file": "covered\n",
    "cover/inner/deep": "deeper\n",
    "data/file": "data\n",
    "bin/text": "no program\n",
    "bin/orphan": "#!/nosuch/interpreter\n",
}
LINKS = {"link": "data", "away": "../../../data"}
MODES = {"tmp": 0o1777, "var/tmp": 0o1777, "cover": 0o750, "bin/orphan": 0o755, "bin/text": 0o644}


def make(path, machine, owner=0):
    """Replaces what is there. owner: whose all of it is."""
    shutil.rmtree(path, ignore_errors=True)
    for name in DIRECTORIES:
        os.makedirs(os.path.join(path, name))
    for name, text in FILES.items():
        os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
        with open(os.path.join(path, name), "w", encoding="utf-8") as file:
            file.write(text)
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(path, name))
    for name in PROGRAMS:
        os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
        shutil.copy2(PROBES[machine], os.path.join(path, name))
    for name, mode in MODES.items():
        os.chmod(os.path.join(path, name), mode)
    for directory, names, files in os.walk(path):
        for name in [".", *names, *files] if owner else ():
            os.chown(os.path.join(directory, name), owner, owner, follow_symlinks=False)
