# SPDX-License-Identifier: Apache-2.0
"""Where config.json comes from, that it goes away, and the command line."""

import json
import os

from harness import case, check, check_equal, check_in
from pid1 import FIFO, Hard, Link, Machine, Node, base_tree, config_for


def named(name):
    """A configuration that can be told from others by its hostname."""
    return config_for("/probe") | {"hostname": name}


def hostname(run):
    return run.expect().facts["hostname"]


@case()
def sources_in_their_order(c):
    """smk.config=, then /config.json, then the disk smk-config."""
    with Machine(c) as m:
        m.layer(base_tree())
        m.disk(m.raw(json.dumps(named("disk")).encode().ljust(1 << 20, b"\0")), "smk-config")
        m.disk(m.raw(json.dumps(named("other")).encode().ljust(4096, b"\0")), "")
        files = {"/other.json": json.dumps(named("file")), "/deep/dir/c.json": json.dumps(named("deep"))}
        check_equal(hostname(m.run(named("default"))), "default", "both")
        check_equal(hostname(m.run()), "disk", "the disk alone")
        check_equal(hostname(m.run(named("default"), "smk.config=disk:smk-config")), "disk", "by serial")
        check_equal(hostname(m.run(named("default"), "smk.config=disk:vdac")), "other", "by name")
        check_equal(hostname(m.run(named("default"), "smk.config=file:/other.json", files)), "file", "a file")
        check_equal(hostname(m.run(None, "smk.config=file:/deep/dir/c.json", files)), "deep", "a deep file")


@case()
def no_source(c):
    with Machine(c) as m:
        m.layer(base_tree({"/config.json": json.dumps(named("image"))}))
        run = m.run().expect_failure("discover: ", "smk.config=", "/config.json", "smk-config")
        check_equal(run.warnings, [], "warnings")
        m.run(None, "smk.config=file:/absent").expect_failure("discover: /absent: open: ", "errno 2")
        m.run(None, "smk.config=disk:absent").expect_failure("discover: smk.config: ", '"absent"')


@case()
def only_regular_files(c):
    """CVE-2025-24965: no link is followed, no FIFO or device is waited for or read."""
    with Machine(c) as m:
        m.layer(base_tree())
        good = json.dumps(named("x"))
        entries = {
            "link": {"/config.json": Link("/real.json"), "/real.json": good},
            "fifo": {"/config.json": Node(FIFO)},
            "directory": {"/config.json": None},
            "parent": {"/dir": Link("/real"), "/real/c.json": good},
        }
        m.run(None, "", entries["link"]).expect_failure("discover: /config.json: open: ", "errno 40")
        m.run(None, "", entries["fifo"]).expect_failure("discover: /config.json: open: ", "not a regular file")
        m.run(None, "", entries["directory"]).expect_failure("discover: /config.json: open: ", "not a regular file")
        run = m.run(None, "smk.config=file:/dir/c.json", entries["parent"])
        run.expect_failure("discover: /dir/c.json: open: ", "errno 40")


@case()
def sizes(c):
    limit = 4 << 20
    with Machine(c) as m:
        m.layer(base_tree())
        text = json.dumps(named("big"))
        check_equal(hostname(m.run(text + " " * (limit - len(text)))), "big", "just as large as allowed")
        m.run(text + " " * (limit + 1 - len(text))).expect_failure("discover: /config.json: read: ", "larger than")
        m.run("").expect_failure("parse: ")
        m.disk(m.raw(text.encode() + b" " * (limit + (1 << 20))), "smk-config")
        m.run().expect_failure("discover: ", "larger than")


@case()
def padding_of_a_disk(c):
    text = json.dumps(named("disk")).encode()
    with Machine(c) as m:
        m.layer(base_tree())
        bad = {
            "not text padded with zeros": text + bytes(100) + b"x" + bytes(4096),
            "is empty": bytes(4096),
        }
        for index, (why, data) in enumerate(bad.items()):
            m.disk(m.raw(data, f"bad{index}"), f"bad{index}")
            m.run(None, f"smk.config=disk:bad{index}").expect_failure("discover: ", why)
        m.disk(m.raw(text.ljust(65536, b" ")), "full")
        check_equal(hostname(m.run(None, "smk.config=disk:full")), "disk", "a disk without padding")


@case()
def config_is_gone(c):
    """Before the entrypoint runs: no file, no bytes of it, no disk."""
    secret = "a-secret-in-the-environment"
    config = config_for("/probe", "tree", "/", env=[f"SECRET={secret}"])
    with Machine(c) as m:
        m.layer(base_tree())
        run = m.run(config).expect()
        check("root/config.json" not in run.after, "config.json is still there")
        check(secret not in json.dumps(run.after), "its text is still somewhere")
        run = m.run(config, "", {"/other-name": Hard("/config.json")}).expect()
        text = run.after["root/other-name"]["text"]
        check_equal(set(text), {"\0"}, "the file's bytes after its name went away")
        run = m.run(None, "smk.config=file:/deep/c.json", {"/deep/c.json": json.dumps(config)}).expect()
        check("root/deep/c.json" not in run.after and "root/deep" in run.after, "the named file is still there")
    with Machine(c, "disk") as m:
        m.layer(base_tree())
        name = m.disk(m.raw(json.dumps(config).encode().ljust(4096, b"\0")), "smk-config")
        driver = {f"/{name}/device": Link("../virtio7"), "/virtio7/driver/unbind": ""}
        run = m.run(None, "", block=driver).expect()
        with open(os.path.join(run.directory, "block", "virtio7", "driver", "unbind"), encoding="ascii") as file:
            check_equal(file.read(), "virtio7", "what the driver was told to let go of")


@case()
def command_line(c):
    """Every mistake is one line that names the key."""
    bad = {
        "smk.confg=x": ("smk.confg: ", "smk.config", "smk.layers", "smk.upper", "smk.control"),
        "smk.config": ("smk.config: ", "needs a value"),
        "smk.config=/config.json": ("smk.config: ", "file:/PATH or disk:ID"),
        "smk.config=file:/a smk.config=file:/b": ("smk.config: ", "twice"),
        "smk.layers=disk:../vda": ("smk.layers: ", "disk:ID"),
        "smk.upper=tmpfs:1q": ("smk.upper: ", "tmpfs:SIZE"),
    }
    with Machine(c) as m:
        m.layer(base_tree())
        for text, parts in bad.items():
            m.run(named("x"), text).expect_failure("bootargs: " + parts[0], *parts[1:])
        check_equal(hostname(m.run(named("x"), 'foo.bar="smk.x=1 y" root=x -- smk.y=1')), "x", "others' keys")
