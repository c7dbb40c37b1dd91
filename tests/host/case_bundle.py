# SPDX-License-Identifier: Apache-2.0
"""Bundles: what is refused, with which words; --env; mounts that only make sense on the host."""

import json
import os

from harness import base_config, case, check, check_equal, check_in, write_config
from host_case import fake_argv, fake_qemu, leftovers, tiny_bundle


def write_raw(context, text):
    directory = tiny_bundle(context)
    with open(os.path.join(directory, "config.json"), "wb") as file:
        file.write(text)
    return directory


def guest_config(context, *words):
    """The config.json that the guest would get."""
    context.smk("run", "--print-vmm", "--keep", *words).expect(0)
    scratch = os.path.join(context.env["TMPDIR"], leftovers(context)[0])
    tree = context.path("initramfs")
    os.makedirs(tree)
    with open(os.path.join(scratch, "initramfs"), "rb") as archive:
        context.tool("cpio", "-i", "--quiet", "config.json", stdin=archive.read(), cwd=tree)
    with open(os.path.join(tree, "config.json"), "rb") as file:
        return file.read()


@case()
def config_missing(context):
    directory = tiny_bundle(context)
    os.unlink(os.path.join(directory, "config.json"))
    context.smk("run", directory).expect_line(
        125, "smk: ", "config.json", "a bundle is a directory with config.json in it", "errno 2")


@case()
def bundle_is_a_file(context):
    with open(context.path("f"), "w", encoding="utf-8"):
        pass
    context.smk("run", context.path("f")).expect_line(125, "smk: ", "a bundle is a directory")


@case()
def config_is_a_fifo(context):
    directory = tiny_bundle(context)
    os.unlink(os.path.join(directory, "config.json"))
    os.mkfifo(os.path.join(directory, "config.json"))
    context.smk("run", directory).expect_line(125, "smk: ", "not a regular file")


@case()
def config_cannot_be_read(context):
    """A file that opens and whose first byte is an I/O error."""
    directory = tiny_bundle(context)
    os.unlink(os.path.join(directory, "config.json"))
    os.symlink("/proc/self/mem", os.path.join(directory, "config.json"))
    context.smk("run", directory).expect_line(125, "smk: ", "config.json", "read", "errno 5")


@case()
def config_is_no_json(context):
    context.smk("run", write_raw(context, b"{nonsense")).expect_line(125, "smk: parse: ")


@case()
def config_is_empty(context):
    context.smk("run", write_raw(context, b"")).expect_line(125, "smk: parse: ")


@case()
def config_is_too_large(context):
    context.smk("run", write_raw(context, b" " * (5 << 20))).expect_line(
        125, "smk: ", "larger than 4194304 bytes")


@case()
def config_names_the_field(context):
    directory = tiny_bundle(context)
    config = base_config()
    config["process"]["cwd"] = "relative"
    write_config(directory, config)
    context.smk("run", directory).expect_line(125, "smk: parse: /process/cwd: ")


@case()
def root_missing(context):
    directory = tiny_bundle(context, root={"path": "nowhere"})
    context.smk("run", directory).expect_line(125, "smk: /root/path: ", "/nowhere", "errno 2")


@case()
def root_is_a_file(context):
    directory = tiny_bundle(context, root={"path": "config.json"})
    context.smk("run", directory).expect_line(125, "smk: /root/path: ", "errno 20")


@case()
def root_may_be_absolute(context):
    fake_qemu(context, "warning")
    other = os.path.join(tiny_bundle(context, name="other"), "rootfs")
    context.smk("run", tiny_bundle(context, root={"path": other})).expect(0)


@case()
def host_bind_is_refused(context):
    mounts = base_config()["mounts"] + [
        {"destination": "/data", "type": "bind", "source": "/srv", "options": ["rbind", "rw"]}]
    directory = tiny_bundle(context, mounts=mounts)
    context.smk("run", directory).expect_line(
        125, "smk: ", f"/mounts/{len(mounts) - 1}/source: ", "/srv", "copy it into the root file system")


@case()
def engine_binds_are_dropped(context):
    bind = {"type": "bind", "source": "/run/engine/x", "options": ["bind", "rprivate"]}
    own = base_config()["mounts"]
    mounts = [dict(bind, destination="/etc/hosts"), *own, dict(bind, destination="/etc/resolv.conf")]
    directory = tiny_bundle(context, mounts=mounts)
    result = context.smk("run", "--print-vmm", directory).expect(0)
    check_in("smk: warning: /mounts/0/source: /etc/hosts is not bound", result.errors)
    check_in(f"smk: warning: /mounts/{len(mounts) - 1}/source: /etc/resolv.conf", result.errors)
    check_equal(json.loads(guest_config(context, directory))["mounts"], own, "mounts")


@case()
def config_is_not_rewritten(context):
    """Without an edit the guest gets the user's bytes, odd spacing and all."""
    text = json.dumps(base_config(), indent=3, separators=("\t,", " :\t")).encode()
    check_equal(guest_config(context, write_raw(context, text)), text, "config.json")


@case()
def env_replaces_and_adds(context):
    directory = tiny_bundle(context)
    config = base_config()
    config["process"]["env"] = ["A=1", "PATH=/bin", "AB=2"]
    config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615}]
    write_config(directory, config)
    context.env["FROM_HOST"] = 'quote" back\\slash\ttab'
    text = guest_config(context, "--env", "A=new=value", "--env", "C=3", "--env", "FROM_HOST",
                        "--env", "C=4", directory)
    got = json.loads(text)
    check_equal(got["process"]["env"],
                ["A=new=value", "PATH=/bin", "AB=2", "C=4", 'FROM_HOST=quote" back\\slash\ttab'], "env")
    check_in(b"18446744073709551615", text, "config.json")
    got["process"]["env"] = config["process"]["env"]
    check_equal(got, config, "all but the environment")


@case()
def env_without_any_before(context):
    directory = tiny_bundle(context)
    config = base_config()
    del config["process"]["env"]
    write_config(directory, config)
    check_equal(json.loads(guest_config(context, "--env", "A=1", directory))["process"]["env"], ["A=1"])


@case()
def env_must_be_text(context):
    context.smk("run", "--env", b"A=\xff\xfe", tiny_bundle(context)).expect_line(125, "smk: parse: ")


@case()
def names_are_data(context):
    """Quotes, newlines, spaces, commas and options in names reach nothing but the file."""
    fake_qemu(context, "warning")
    marker = context.path("marker")
    for i, name in enumerate(["a b", "a'b", 'a"b', "a\nb", "a,file=/etc/passwd,b", "$(touch marker)",
                              f";touch {marker};", "--help", "-append", "a,,b", "`id`", "é☃"]):
        directory = tiny_bundle(context, name=os.path.join(f"bundles-{i}", name))
        cache = context.path("cache-" + name.replace("/", "_"))
        context.env["XDG_CACHE_HOME"] = cache
        context.smk("run", "--", os.path.basename(directory), cwd=os.path.dirname(directory)).expect(0)
        drive = next(w for w in fake_argv(context) if w.startswith("if=none,id=layer0,"))
        file = drive.split(",file=", 1)[1].replace(",,", ",")
        check(file.startswith(cache + "/smk/layers/") and os.path.exists(file), f"layer of {name!r}: {file}")
        check_equal(drive.split(",file=")[0], "if=none,id=layer0,format=raw,readonly=on")
    check(not os.path.exists(marker), "a name was executed")


@case()
def plan_prints_the_steps(context):
    lines = context.smk("plan", tiny_bundle(context)).expect(0).text.splitlines()
    check(len(lines) > 10, f"{len(lines)} steps")
    check_in("squashfs", lines[0], "the first step")


@case()
def plan_warns(context):
    """As the guest would, with the same words."""
    directory = tiny_bundle(context)
    config = base_config()
    config["process"]["capabilities"] = {"bounding": ["CAP_OF_TOMORROW"]}
    write_config(directory, config)
    context.smk("plan", directory).expect_line(
        0, "smk: warning: parse: /process/capabilities/bounding/0: unknown capability", "CAP_OF_TOMORROW")


@case()
def plan_of_a_bad_config(context):
    context.smk("plan", write_raw(context, b"[]")).expect_line(125, "smk: parse: ")
