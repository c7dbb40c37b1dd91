# SPDX-License-Identifier: Apache-2.0
"""Options that podman has too: smk's configuration says what podman's says, member by member, and what
podman refuses smk refuses. What differs on purpose stands in smk(1)."""

import json
import os
import tempfile

import image_builder
from harness import Failure, case, check, check_equal

CONFIG = {"Cmd": ["/c", "arg"], "Entrypoint": ["/e"], "Env": ["IMG=1", "PATH=/p"], "Volumes": {"/vol/a": {}}}
NOT_OURS = ("TERM=", "container=", "HOME=", "HOSTNAME=")
HOST = {"HOSTV": "hv", "HOSTW": "h w"}


def env(config):
    return sorted(word for word in config["process"]["env"] if not word.startswith(NOT_OURS))


def args(config):
    return config["process"]["args"]


def bounding(config):
    return set(config["process"].get("capabilities", {}).get("bounding") or [])


HERE = set()  # podman's "all" is what this machine lets it have


def capabilities(config):
    return sorted(bounding(config) & HERE)


def limits(config):
    """Without nproc, for which podman has another default as soon as one is given."""
    return sorted((one["type"], one["soft"], one["hard"]) for one in config["process"]["rlimits"]
                  if one["type"] != "RLIMIT_NPROC")


def sysctls(config):
    """Without podman's own default."""
    return {key: value for key, value in config["linux"].get("sysctl", {}).items() if "ping_group" not in key}


def tmpfs(config):
    """rw is what is so without a word."""
    return sorted((mount["destination"], sorted(set(mount["options"]) - {"rw"})) for mount in config["mounts"]
                  if mount["type"] == "tmpfs" and mount["destination"].startswith("/x"))


def terminal(config):
    return config["process"].get("terminal", False)


def hostname(config):
    return config["hostname"]


def hostname_env(config):
    """What podman makes of a container's number is not compared."""
    return [word for word in config["process"]["env"] if word.startswith("HOSTNAME=")]


FILE = (b"# c\n  #d\nA=1\n B= two \nNOPE\nHOSTV\nHO*\nQ='q'\nE=\nF=a=b#c\n\tG=tab\r\nH=x\\\n\n   \nA B=1\nexport A=2\n"
        b"S =1\nLAST=\"no newline\"")
ENV = [["--env-file", "FILE"], ["--env", "A=of the option", "--env-file", "FILE"], ["-e", "NOPE"], ["-e", "HO*"], ["-e", "=x"],
       ["-e", ""], ["-e", "A*=x"], ["-e", " A=x"], ["-e=A=1"], ["-eA=1"], ["-ite", "A=1"], ["--env=A=b=c"], ["-e", "IMG=2"],
       ["-e", "HOSTW", "-e", "PATH=/q"]]
CAPABILITIES = [["--cap-add", "all", "--cap-drop", "NET_RAW"], ["--cap-drop", "all", "--cap-add", "net_raw,CHOWN"],
                ["--cap-add", "CHOWN", "--cap-drop", "CHOWN"], ["--cap-drop", "NET_RAW,CAP_CHOWN"],
                ["--cap-add", "all", "--cap-drop", "all"], ["--cap-drop", "ALL"], ["--cap-add", "foo"],
                ["--cap-drop", "all", "--cap-drop", "CHOWN", "--cap-add", "CHOWN"]]
LIMITS = [["--ulimit", "nofile=" + word] for word in ("1024:2048", "-1", "1024", "5:4", "100:-1", "-1:100", "0x10")]
LIMITS += [["--ulimit", "nofile=1,core=2:3"], ["--ulimit", "foo=1"], ["--ulimit", "core=-1:-1"]]
SYSCTLS = [["--sysctl", "kernel.shm_rmid_forced=1,kernel.msgmax=9"], ["--sysctl", "kernel.msgmax"],
           ["--sysctl", "kernel.msgmax=1", "--sysctl", "kernel.msgmax=2"]]
TMPFS = [["--tmpfs", "/x" + word] for word in ("", ":size=1m,mode=755", ":rw,exec", ":ro", ":notmpcopyup", "/", ":")]
ARGS = [["--entrypoint", word] for word in ("/z", '["/z","y"]', "[", "a b")]


def rows():
    for pick, options in ((env, ENV), (capabilities, CAPABILITIES), (limits, LIMITS), (sysctls, SYSCTLS), (tmpfs, TMPFS),
                          (args, ARGS)):
        for words in options:
            yield pick, words, []
    for words in ([], ["--entrypoint", ""], ["--entrypoint", '["/z","y"]']):
        yield args, words, ["word", "-x"]
    for words in (["-it"], ["--tty=false"], ["-t=true"]):
        yield terminal, words, []
    for words in (["-h", "box"], ["--hostname=a.b"]):
        yield hostname, words, []
        for more in ([], ["-e", "HOSTNAME=other"]):
            yield hostname_env, words + more, []


class Podman:
    def __init__(self, context, state):
        self.context = context
        self.base = ["podman", "--root", context.path("store"), "--runroot", state, "--storage-driver", "vfs",
                     "--cgroup-manager", "cgroupfs", "--events-backend", "none"]
        files = image_builder.layer(image_builder.tar(image_builder.folder("bin")))
        for name, machine in (("podman-image", os.uname().machine.replace("x86_64", "amd64")), ("image", "arm64")):
            image_builder.Image([files], lambda document, machine=machine: document.update(
                config=CONFIG, architecture=machine)).layout(context.path(name))
        context.tool(*self.base, "pull", "oci:" + context.path("podman-image"))
        self.image = context.tool(*self.base, "images", "-q").text.split()[0]

    def config(self, words, command):
        """podman writes it before its runtime is asked for anything. None: refused."""
        made = self.context.run([*self.base, "create", "--network", "none", *words, self.image, *command])
        if made.code:
            return None
        number = made.text.strip()
        self.context.run([*self.base, "init", number])
        with open(self.context.path("store", "vfs-containers", number, "userdata", "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        self.context.run([*self.base, "rm", "-f", number])
        return config


def ours(context, words, command):
    baked = context.path("baked")
    result = context.smk("bake", *words, context.path("image"), baked, "--", *command)
    if result.code:
        result.expect_line(125, "smk: ")
        return None
    with open(os.path.join(baked, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    for name in os.listdir(baked):
        os.unlink(os.path.join(baked, name))
    return config


def compare(context, podman, pick, words, command):
    """Whether podman refuses it."""
    found, want = ours(context, words, command), podman.config(words, command)
    try:
        check_equal(found and pick(found), want and pick(want), pick.__name__)
    except Failure as failure:
        raise Failure(f"{words} {command}: {failure}") from None
    return want is None


@case(timeout=400)
def options_mean_what_podmans_mean(context):
    with open(context.path("FILE"), "wb") as file:
        file.write(FILE)
    context.env.update(HOST)
    refused = 0
    # podman wants a short name for what it keeps there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state:
        podman = Podman(context, state)
        HERE.update(bounding(podman.config(["--cap-add", "all"], [])))
        for pick, words, command in rows():
            refused += compare(context, podman, pick,
                               [context.path(word) if word == "FILE" else word for word in words], command)
    check(refused > 8, f"podman refused {refused} only")
