# SPDX-License-Identifier: Apache-2.0
"""Options that change an image's configuration, as a process in the guest sees what they do. What the
configuration says is compared with podman's in tests/host/case_podman.py."""

import image_builder
from harness import case, check, check_equal, check_in
from images import image_of

USERS = image_builder.tar(
    image_builder.folder("etc"),
    image_builder.entry("etc/passwd", data=b"root:x:0:0::/root:/bin/sh\nbob:x:1000:100::/home/bob:/bin/sh\n"),
    image_builder.entry("etc/group", data=b"root:x:0:\nusers:x:100:\nstaff:x:50:bob\nvideo:x:44:bob\n"))
CONFIG = {"Entrypoint": ["/bin/echo", "image"], "Cmd": ["command"], "Env": ["A=image", "B=image"], "WorkingDir": "/etc",
          "User": "bob"}


def shell(context, script, *options, config=None):
    """The script in the guest: (exit code, stdout)."""
    image = image_of(context, config if config is not None else {}, [USERS], name=f"image-{context.runs}")
    result = context.smk("run", *options, image, "--", "/bin/sh", "-c", script)
    return result.code, result.text


@case(timeout=120)
def image_entrypoint(context):
    image = image_of(context, CONFIG, [USERS])
    for words, want in (([image], "image command\n"), ([image, "--", "-n", "mine"], "image -n mine\n"),
                        (["--entrypoint", "/bin/echo", image], "\n"),
                        (["--entrypoint", '["/bin/echo","a b"]', image, "c"], "a b c\n"),
                        (["--entrypoint=", image, "/bin/echo", "alone"], "alone\n")):
        context.smk("run", *words).expect(0, out=want)
    context.smk("run", "--entrypoint", "", image).expect_line(125, "smk: the image has neither Entrypoint nor Cmd")
    context.smk("run", "--entrypoint", "[", image).expect_line(127, "init-oci: fatal: ", "[")


@case(timeout=120)
def image_environment(context):
    with open(context.path("env"), "w", encoding="utf-8") as file:
        file.write("# none\nA=file\nC=file\nFROM_*\nUNSET\n")
    context.env |= {"FROM_HOST": "out side", "FROM_TOO": "2"}
    config = CONFIG | {"Entrypoint": None}
    script = 'echo "$A|$B|$C|$D|$FROM_HOST|$FROM_TOO|${UNSET-not set}"; pwd; id -u'
    image = image_of(context, config, [USERS])
    context.smk("run", "-eC=option", "--env-file", context.path("env"), "-e", "D=x=y", "-e", "UNSET", image, "--",
                "/bin/sh", "-c", script).expect(0, out="file|image|option|x=y|out side|2|not set\n/etc\n1000\n")


@case(timeout=180)
def image_users(context):
    for user, want in {"bob": "1000 100 100 44 50 /home/bob", "1000": "1000 100 100 44 50 /home/bob", "bob:staff": "1000 50 50 /home/bob",
                       "1000:7": "1000 7 7 /home/bob", ":users": "0 100 100 /root", "bob:": "1000 100 100 44 50 /home/bob",
                       "4242": "4242 0 0 /"}.items():
        code, text = shell(context, 'echo $(id -u) $(id -g) $(id -G) $HOME', "-u", user)
        check_equal((code, text), (0, want + "\n"), f"--user {user}")
    image = image_of(context, {}, [USERS])
    context.smk("run", "--user", "nobody7", image, "x").expect_line(125, "init-oci: fatal: ", "has no user nobody7")


@case(timeout=120)
def image_names_and_places(context):
    code, text = shell(context, "busybox hostname; pwd; cat /proc/sys/kernel/msgmax /proc/sys/kernel/msgmni; echo $TERM; tty >&2",
                       "-h", "box.example", "-w", "/made/for/it", "--sysctl", "kernel.msgmax=4321,kernel.msgmni=99")
    check_equal((code, text), (1, "box.example\n/made/for/it\n4321\n99\n\n"), "output")
    image = image_of(context, {}, [USERS])
    check_equal(context.smk("run", "-it", image, "tty").expect(0).text, "/dev/pts/0\r\n", "terminal")


@case(timeout=120)
def image_names_by_default(context):
    code, text = shell(context, "busybox hostname; echo $HOSTNAME $container $TERM; cat /etc/hostname")
    check_equal((code, text), (0, "smk\nsmk smk\nsmk\n"), "names")


@case(timeout=120)
def image_working_directory_is_the_users(context):
    """That which is made, and its last directory only; below a read-only root it cannot be written to anyway."""
    script = "stat -c '%u:%g %n' . .. /; touch new && echo written; true"
    for words, want in (([], "1000:100 .\n0:0 ..\n0:0 /\nwritten\n"), (["-w", "/etc"], "0:0 .\n0:0 ..\n0:0 /\n")):
        code, text = shell(context, script, "-u", "bob", "-w", "/made/for/it", *words)
        check_equal((code, text), (0, want), f"owners with {words}")
    code, text = shell(context, "pwd", "-u", "bob", "-w", "/made/for/it", "--read-only")
    check_equal((code, text), (0, "/made/for/it\n"), "read-only")


@case(timeout=180)
def image_capabilities(context):
    """The bounding set, by the bits: chown is 0, net_raw 13."""
    for words, want in {("--cap-drop", "all"): 0, ("--cap-drop", "all", "--cap-add", "CHOWN,net_raw"): 1 | 1 << 13,
                        ("--cap-add", "all", "--cap-drop", "chown"): (1 << 41) - 2}.items():
        code, text = shell(context, "busybox grep CapBnd /proc/self/status", *words)
        check_equal((code, int(text.split()[1], 16)), (0, want), f"bounding set of {words}")


@case(timeout=120)
def image_tmpfs_and_limits(context):
    script = ("mount | grep -E ' /(bin|x|y) '; ls /bin/busybox; ls /y; ulimit -n; ulimit -Hn; ulimit -c; "
              "dd if=/dev/zero of=/x/big bs=64k count=32 2>/dev/null || echo full; ls -ld /x | busybox cut -c 1-10")
    code, text = shell(context, script, "--tmpfs", "/x:size=1m,mode=750", "--tmpfs", "/bin", "--tmpfs", "/y/:ro,noexec",
                       "--ulimit", "nofile=100:200,core=-1")
    lines = text.splitlines()
    check_equal(code, 0, "exit code")
    check_in("tmpfs on /bin type tmpfs (rw,nosuid,nodev,", text)
    check_in("size=1024k,mode=750", text)
    check(any(line.startswith("tmpfs on /y type tmpfs (ro,nosuid,nodev,noexec") for line in lines), text)
    check_equal(lines[3:], ["/bin/busybox", "100", "200", "unlimited", "full", "drwxr-x---"], "the rest")
