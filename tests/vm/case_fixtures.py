# SPDX-License-Identifier: Apache-2.0
"""The fixtures made of distribution packages; the servers answer from inside the guest."""

import json
import os

from harness import FIXTURES, case, check, check_equal, check_in


@case(timeout=200)
def fixture_debian(context):
    """Each fact about owners, modes, capabilities, links and names has its line."""
    text = context.smk("run", "--memory", "512M", os.path.join(FIXTURES, "debian")).expect(0).text
    check_in("all as built", text, "stdout")
    check("not ok" not in text, text)
    check(text.count("ok ") > 15, f"{text.count('ok ')} facts")


@case(timeout=200)
def fixture_python(context):
    result = context.smk("run", "--memory", "512M", os.path.join(FIXTURES, "python")).expect(0)
    check_in("200 SimpleHTTP/", result.text, "stdout")
    check_in("uid 33", result.text, "stdout")
    check_in("Hello from Python in a microVM.", result.text, "stdout")


@case(timeout=200)
def fixture_redis(context):
    result = context.smk("run", os.path.join(FIXTURES, "redis")).expect(0)
    check_in("get: Hello from redis in a microVM.\nserver runs as uid 999\n", result.text, "stdout")
    check_in("DB saved on disk", result.text, "stdout")


@case(timeout=400)
def fixture_postgres(context):
    """With its data in the guest's memory."""
    result = context.smk("run", "--memory", "512M", os.path.join(FIXTURES, "postgres")).expect(0)
    check_in("select: 734. Hello from PostgreSQL in a microVM.\nof 1000 rows, by postgres\n", result.text, "stdout")
    check_in("database system is shut down", result.errors, "stderr")


@case(timeout=200)
def fixture_base(context):
    context.smk("run", os.path.join(FIXTURES, "base")).expect(0, out="root on debian\n")


@case(timeout=200)
def fixture_nginx(context):
    result = context.smk("run", "--memory", "512M", os.path.join(FIXTURES, "nginx")).expect(0)
    check_in("HTTP/1.1 200 OK", result.text, "stdout")
    check_in("Hello from nginx in a microVM.", result.text, "stdout")
    check_in("worker runs as uid 33", result.text, "stdout")


@case(timeout=200)
def fixture_busybox(context):
    result = context.smk("run", os.path.join(FIXTURES, "busybox")).expect(0)
    check_in("Hello from busybox: Linux 6.12", result.text, "stdout")


@case(timeout=200)
def fixture_on_a_disk(context):
    """nginx again, its logs and pid file on a disk, two processors."""
    context.smk("run", "--cpus", "2", "--upper", "disk:64M", os.path.join(FIXTURES, "nginx")).expect(0)


@case(timeout=200)
def fixture_as_another_user(context):
    """The same Debian root, a shell as alice with her groups; a setuid file gives root, and does not
    with no_new_privs."""
    with open(os.path.join(FIXTURES, "debian", "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["root"]["path"] = os.path.join(FIXTURES, "debian", "rootfs")
    config["process"]["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [3000, 3001]}
    config["process"]["args"] = ["/bin/bash", "-c", "id -un; id -G; id-setuid -u; cat /srv/makers-only"]
    for is_locked, effective in ((False, "0"), (True, "1000")):
        config["process"]["noNewPrivileges"] = is_locked
        directory = context.path(f"bundle-{is_locked}")
        os.makedirs(directory)
        with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        lines = context.smk("run", directory).expect(0).text.splitlines()
        check_equal(lines, ["alice", "1000 3000 3001", effective, "secret"], "stdout")
