# SPDX-License-Identifier: Apache-2.0
"""Directories of the host in the guest, by both transports; and the volumes that an image asks for."""

import hashlib
import os
import random
import re
import signal

import image_builder
from harness import (SMK, Failure, case, check, check_equal, check_in, children_of, is_alive, wait_until)
from images import image_of

TRANSPORTS = ("virtiofs", "9p")


def both(timeout=120):
    """Two cases of one function, whose second argument is the transport."""

    def register(function):
        for transport in TRANSPORTS:
            def run(context, transport=transport):
                function(context, transport)
            run.__name__ = f"volume_{function.__name__}_{transport}"
            case(timeout)(run)
        return function

    return register


def run_volumes(context, transport, volumes, script, *options, image=None, **how):
    """A shell's script in the guest, with these --volume."""
    words = [word for volume in volumes for word in ("-v", volume)]
    return context.smk("run", "--volume-fs", transport, *words, *options,
                       image or image_of(context), "/bin/sh", "-c", script, **how)


def directory(context, files, name="shared"):
    top = context.path(name)
    for path, text in files.items():
        path = os.path.join(top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    os.makedirs(top, exist_ok=True)
    return top


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


@both()
def is_what_was_asked_for(context, transport):
    result = run_volumes(context, transport, [directory(context, {}) + ":/x:rbind,rprivate"], "mount | grep ' /x '").expect(0)
    check_in(f" /x type {transport} (rw,nosuid,nodev", result.text, "mount")


@both()
def files_are_read_written_made_renamed_removed(context, transport):
    top = directory(context, {"old": "from the host\n", "gone": "x", "d/deep": "1\n"})
    script = ("cat /x/old; echo more >>/x/old; echo new >/x/made; mkdir -p /x/a/b; echo 2 >/x/a/b/c; "
              "mv /x/d/deep /x/a/moved; rm /x/gone; rm -r /x/d; cat /x/a/moved /x/made; ls /x")
    run_volumes(context, transport, [top + ":/x"], script).expect(0, out="from the host\n1\nnew\na\nmade\nold\n")
    check_equal(read(top, "old"), "from the host\nmore\n", "old")
    check_equal((read(top, "made"), read(top, "a/b/c"), read(top, "a/moved")), ("new\n", "2\n", "1\n"), "new files")
    check_equal(sorted(os.listdir(top)), ["a", "made", "old"], "names")


@both()
def owners_and_modes_are_the_same_on_both_sides(context, transport):
    top = directory(context, {"theirs": "1"})
    os.chown(os.path.join(top, "theirs"), 1234, 567)
    os.chmod(os.path.join(top, "theirs"), 0o6751)
    script = ("ls -ln /x/theirs; echo >/x/made; busybox chown 33:44 /x/made; busybox chmod 4640 /x/made; "
              "mkdir /x/dir; busybox chmod 1777 /x/dir; busybox ln -s gone /x/link; busybox chown -h 5:6 /x/link; "
              "busybox touch -d '2001-02-03 04:05:06' /x/made")
    result = run_volumes(context, transport, [top + ":/x"], script).expect(0)
    check(re.match(r"-rwsr-s--x +1 1234 +567 +1 ", result.text), f"the guest sees {result.text!r}")
    made, link = os.stat(os.path.join(top, "made")), os.lstat(os.path.join(top, "link"))
    check_equal((made.st_uid, made.st_gid, made.st_mode, made.st_mtime), (33, 44, 0o104640, 981173106.0), "made")
    check_equal(os.stat(os.path.join(top, "dir")).st_mode, 0o041777, "dir")
    check_equal((link.st_uid, link.st_gid, os.readlink(os.path.join(top, "link"))), (5, 6, "gone"), "link")


@both()
def a_user_of_the_guest_is_held_to_his_rights(context, transport):
    top = directory(context, {"secret": "root's\n"})
    os.chmod(os.path.join(top, "secret"), 0o600)
    os.chmod(top, 0o777)
    result = run_volumes(context, transport, [top + ":/x"], "cat /x/secret; echo >/x/mine; busybox chown 0 /x/mine",
                         "--user", "1000:1001").expect(1)
    check_equal(result.text, "", "what he reads")
    mine = os.stat(os.path.join(top, "mine"))
    check_equal((mine.st_uid, mine.st_gid), (1000, 1001), "owner of his file")


@both()
def links_lead_nowhere_on_the_host(context, transport):
    """Up, absolute, through a directory, made by the guest: each is resolved in the guest's own tree."""
    top = directory(context, {"inside": "inside\n"})
    secret = os.path.join(context.dir, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("of the host\n")
    for name, target in {"up": "../secret", "absolute": secret, "hosts": "/etc/of-the-guest", "dir": "..",
                         "top": "/", "proc": "/proc/self/root" + secret, "fine": "inside"}.items():
        os.symlink(target, os.path.join(top, name))
    script = ("echo guest >/etc/of-the-guest; "
              f"for f in up absolute proc dir/secret top{secret} ../secret made made2/secret; do "
              f"[ $f = made ] && busybox ln -s {secret} /x/made && busybox ln -s ../../../../../.. /x/made2; "
              "cat /x/$f 2>/dev/null && echo ESCAPE $f; done; echo evil >/x/up; cat /secret /x/hosts /x/fine")
    run_volumes(context, transport, [top + ":/x"], script).expect(0, out="evil\nguest\ninside\n")
    check_equal(read(secret), "of the host\n", "the host's file")


@both(timeout=180)
def big_files_arrive_whole(context, transport):
    data = random.Random(4).randbytes(6 << 20)
    top = directory(context, {})
    with open(os.path.join(top, "down"), "wb") as file:
        file.write(data)
    script = "sha256sum </x/down; head -c 5000000 /dev/urandom >/x/up; sha256sum </x/up"
    result = run_volumes(context, transport, [top + ":/x"], script).expect(0)
    with open(os.path.join(top, "up"), "rb") as file:
        up = file.read()
    check_equal(len(up), 5000000, "bytes")
    check_equal([line.split()[0] for line in result.text.splitlines()],
                [hashlib.sha256(part).hexdigest() for part in (data, up)], "SHA-256")


WRITES = ("echo >/x/old", "echo >>/x/old", "echo >/x/new", "rm /x/old", "mkdir /x/new", "mv /x/old /x/new",
          "busybox chmod 777 /x/old", "busybox chown 1 /x/old", "busybox ln -s a /x/new", "busybox ln /x/old /x/new",
          "touch /x/old", "busybox truncate -s 0 /x/old", "busybox mkfifo /x/new", "echo >/x/below/new", "rm -r /x/below")


@both()
def read_only_is_the_hosts_word(context, transport):
    """Refused with EROFS; also to root with every capability who mounts it again, whatever he sees then."""
    top = directory(context, {"old": "kept\n", "below/file": "kept too\n"})
    os.makedirs(os.path.join(top, "mounted"))
    tries = "; ".join(f"({write}) 2>&1 | grep -q 'Read-only file system' || echo NOT REFUSED: '{write}'"
                      for write in (*WRITES, "echo >/x/mounted/new"))
    script = (f"{tries}; mount | grep -q ' /x .*[(]ro,' || echo not ro; mount -o remount,rw /x && echo remounted; "
              f"mount -o remount,rw /x/mounted 2>/dev/null; {tries}; "
              f"mkdir /y; mount -t {transport} -o rw{',trans=virtio,version=9p2000.L' if transport == '9p' else ''} "
              "smk-volume-000 /y && (echo >/y/new) 2>/dev/null; cat /x/old /x/below/file /x/mounted/host")
    mounts = f"mount -t tmpfs t {top}/mounted && echo host >{top}/mounted/host && exec \"$@\""
    result = context.run(["unshare", "-m", "sh", "-c", mounts, "sh", SMK, "run", "--cap-add", "all", "--unconfined",
                          "--volume-fs", transport, "-v", top + ":/x:ro", image_of(context), "/bin/sh", "-c", script])
    check_equal(result.text.splitlines(), ["remounted", "kept", "kept too", "host"], "what the guest says")
    result.expect(0)
    check_equal((read(top, "old"), sorted(os.listdir(top))), ("kept\n", ["below", "mounted", "old"]), "the directory")
    context.runs += 1


@both()
def a_place_that_the_image_has_not(context, transport):
    top = directory(context, {"f": "here\n"})
    run_volumes(context, transport, [top + ":/not/there/yet"], "cat /not/there/yet/f").expect(0, out="here\n")
    result = run_volumes(context, transport, [top + ":/bin/sh/x"], "true")
    result.expect_line(125, "init-oci: fatal: apply: /mounts/", "/bin/sh/x")


@both()
def volumes_in_volumes(context, transport):
    """The outer one first, in whatever order they are asked for."""
    outer, inner = directory(context, {"f": "outer\n"}, "outer"), directory(context, {"f": "inner\n"}, "inner")
    script = "cat /x/f /x/in/f; echo 1 >/x/a; echo 2 >/x/in/a; echo 3 >/x/in/none/a; ls /x/in/none"
    run_volumes(context, transport, [inner + ":/x/in", outer + ":/x"], script, "--tmpfs", "/x/in/none").expect(
        0, out="outer\ninner\na\n")
    check_equal((read(outer, "a"), read(inner, "a")), ("1\n", "2\n"), "files")
    check_equal((os.listdir(os.path.join(outer, "in")), os.listdir(os.path.join(inner, "none"))), ([], []),
                "what the places hide")


ODD_NAMES = ("a,b", "a=b,readonly=on", " x y ", "quo'te\"s", "back\\slash\\,", "per%cent%n", "-o", "tab\tnew\nline",
             "\u00fcml\u00e4ut", "id=volume1,path=/")


@both()
def names_are_only_names(context, transport):
    tops = [directory(context, {"f": f"{number}\n"}, name) for number, name in enumerate(ODD_NAMES)]
    volumes = [f"{top}:/x/{number}" for number, top in enumerate(tops)]
    script = "for i in $(seq 0 9); do cat /x/$i/f; echo $i >/x/$i/g; done"
    run_volumes(context, transport, volumes, script).expect(0, out="".join(f"{n}\n" for n in range(10)))
    check_equal([read(top, "g") for top in tops], [f"{n}\n" for n in range(10)], "what the guest wrote")


@both(timeout=180)
def as_many_as_there_can_be(context, transport):
    """Ten of them, sixteen layers and an upper disk: the machine has a place for each."""
    layers = [image_builder.tar(image_builder.entry(f"l{n}", data=b"x")) for n in range(15)]
    volumes = [directory(context, {"f": ""}, f"v{n}") + f":/v/{n}" for n in range(10)]
    result = run_volumes(context, transport, volumes, "ls -d /l* /v/*/f", "--upper", "disk:16M",
                         image=image_of(context, layers=layers)).expect(0)
    check_equal(len(result.text.split()), 25, "files")


@both()
def the_host_sees_and_is_seen_at_once(context, transport):
    top = directory(context, {})
    process = context.popen([SMK, "run", "--volume-fs", transport, "-v", top + ":/x", image_of(context), "/bin/sh", "-c",
                             "echo >/x/ready; until [ -e /x/go ]; do sleep 0.1; done; cat /x/go"], stdin=-3, stdout=-1)
    wait_until(lambda: os.path.exists(os.path.join(top, "ready")), context.left(), "word of the guest")
    with open(os.path.join(top, "new"), "w", encoding="utf-8") as file:
        file.write("going\n")
    os.rename(os.path.join(top, "new"), os.path.join(top, "go"))
    check_equal(process.communicate(timeout=context.left())[0], b"going\n", "stdout")
    check_equal(process.returncode, 0, "exit code")


@both()
def device_nodes(context, transport):
    """None is made, whoever asks; FIFOs are files like others by virtiofs, and unknown to QEMU's 9p."""
    top = directory(context, {})
    script = "busybox mkfifo /x/fifo; busybox mknod /x/node c 1 3 || echo refused; busybox mknod /dev/mine c 1 3"
    result = run_volumes(context, transport, [top + ":/x:dev"], script, "--cap-add", "all", "--unconfined")
    result.expect(0, out="refused\n")
    check_equal(os.listdir(top), ["fifo"] if transport == "virtiofs" else [], "files")


# ---- virtiofsd -------------------------------------------------------------------------------------


def descendants(pid):
    found = children_of(pid)
    return found + [below for child in found for below in descendants(child)]


def name_of(pid):
    try:
        return read(f"/proc/{pid}/comm").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def sleeping_run(context, count=2):
    """smk with a guest that sleeps: the process and its virtiofsds' ids."""
    tops = [directory(context, {}, f"v{n}") for n in range(count)]
    words = [word for n, top in enumerate(tops) for word in ("-v", f"{top}:/v/{n}")]
    process = context.popen([SMK, "run", "--volume-fs", "virtiofs", *words, image_of(context), "/bin/sh", "-c",
                             "echo >/v/0/ready; sleep 60"], stdin=-3, stdout=-1, stderr=-1)
    wait_until(lambda: os.path.exists(os.path.join(tops[0], "ready")), context.left(), "word of the guest")
    servers = [pid for pid in descendants(process.pid) if name_of(pid) == "virtiofsd"]
    check(len(servers) >= count, f"{servers} are too few virtiofsd")
    return process, servers, tops


@case(timeout=120)
def virtiofsd_ends_with_smk(context):
    """Also when smk is killed; nothing of it is left, in the scratch directory either."""
    process, servers, _ = sleeping_run(context)
    check_equal(os.listdir(context.env["TMPDIR"] + "/" + os.listdir(context.env["TMPDIR"])[0]), [], "scratch files")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(map(is_there, servers)), 10, "end of virtiofsd")


def is_there(pid):
    try:
        return is_alive(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False


@case(timeout=120)
def virtiofsd_that_is_killed_ends_the_run(context):
    process, servers, tops = sleeping_run(context)
    for pid in servers:
        if f"source={tops[1]}" in read(f"/proc/{pid}/cmdline"):
            os.kill(pid, signal.SIGKILL)
            break
    errors = process.communicate(timeout=context.left())[1].decode()
    lines = [line for line in errors.splitlines() if not line.startswith("  console: ")]
    check_equal((process.returncode, lines), (125, [f"smk: {tops[1]}: --volume: virtiofsd: killed by signal 9"]), "end")
    context.runs -= 1


def fake_virtiofsd(context, script):
    tools = context.path("tools")
    os.makedirs(tools)
    with open(os.path.join(tools, "virtiofsd"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(os.path.join(tools, "virtiofsd"), 0o755)
    context.env["PATH"] = tools + ":" + context.env["PATH"]


@case(timeout=120)
def virtiofsd_that_fails_is_named_with_its_volume(context):
    top = directory(context, {})
    fake_virtiofsd(context, "echo virtiofsd: no room for that >&2\nexit 1\n")
    for transport in ("virtiofs", "auto"):
        run_volumes(context, transport, [top + ":/x"], "true").expect_line(
            125, f"smk: {top}: --volume: virtiofsd: no room for that")


def as_user(context, uid=54321):
    """What an ordinary user needs to run smk in the case's directory."""
    context.env["XDG_CACHE_HOME"] = context.path("cache")
    os.makedirs(context.path("cache"))
    for path in (context.path("cache"), context.env["TMPDIR"]):
        os.chown(path, uid, uid)

    def become():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)

    return become


@case(timeout=120)
def volumes_of_an_ordinary_user(context):
    """By 9p, with his rights: what the guest's root makes there is his, and stays so."""
    become, top, image = as_user(context), directory(context, {"f": "1\n"}), image_of(context)
    os.chown(top, 54321, 54321)
    with open(os.path.join(top, "roots"), "w", encoding="utf-8") as file:
        file.write("secret\n")
    os.chmod(os.path.join(top, "roots"), 0o600)
    script = "mount | grep ' /x '; cat /x/f; echo 2 >/x/g; busybox chown 7:8 /x/g; cat /x/roots || echo refused"
    result = run_volumes(context, "auto", [top + ":/x"], script, image=image, preexec_fn=become).expect(0)
    check_in(" /x type 9p ", result.text, "mount")
    check_equal(result.text.splitlines()[1:], ["1", "refused"], "stdout")
    check_equal(os.stat(os.path.join(top, "g")).st_uid, 54321, "owner")
    run_volumes(context, "virtiofs", [top + ":/x"], script, image=image, preexec_fn=become).expect_line(
        125, "smk: --volume-fs virtiofs: virtiofsd has to be started as root: use 9p")


@case(timeout=120)
def volumes_by_themselves_are_virtiofs(context):
    top, image = directory(context, {}), image_of(context)
    result = run_volumes(context, "auto", [top + ":/x"], "mount | grep ' /x '", image=image).expect(0)
    check_in(" /x type virtiofs ", result.text, "mount")
    line = context.smk("run", "--print-vmm", "-v", top + ":/x", image, "true").expect(0).text.splitlines()[0]
    check_in("virtio-9p-device", line, "the printed command")
    context.smk("run", "--print-vmm", "--volume-fs", "virtiofs", "-v", top + ":/x", image, "x").expect_line(
        125, "smk: --volume-fs virtiofs: the printed command starts no virtiofsd: use 9p")
    context.runs -= 2


@case(timeout=120)
def a_long_name_of_the_scratch_directory(context):
    """A socket's name has 107 bytes at most."""
    context.env["TMPDIR"] = context.path("t" * 120)
    os.mkdir(context.env["TMPDIR"])
    run_volumes(context, "virtiofs", [directory(context, {"f": "1\n"}) + ":/x"], "cat /x/f").expect(0, out="1\n")


# ---- the image's own -------------------------------------------------------------------------------

VOLUMES = {"Volumes": {"/data": {}, "/absent/deep": {}, "/bin/": {}}}
DATA = image_builder.tar(image_builder.folder("data", mode=0o1750, uid=70, gid=71),
                         image_builder.entry("data/file", data=b"of the image\n", uid=70, gid=71))


@case(timeout=180)
def volumes_of_an_image(context):
    """Writable, with the image's files, owner and mode, or empty; under a read-only root too."""
    image = image_of(context, VOLUMES, [DATA])
    script = ("cat /data/file; ls -ldn /data | cut -c 1-23; ls -d /absent/deep /bin/sh; echo 1 >/data/new && "
              "echo 2 >/absent/deep/new && cat /data/new /absent/deep/new && rm /data/file; ls /data; "
              "(echo >/root-file) 2>/dev/null && echo writable")
    script = script.replace("| cut -c 1-23", "| { read a b c d e; echo $a $c $d; }")
    want = "of the image\ndrwxr-x--T 70 71\n/absent/deep\n/bin/sh\n1\n2\nnew\n"
    for options, end in (([], "writable\n"), (["--read-only"], ""), (["--upper", "disk:16M"], "writable\n")):
        result = context.smk("run", *options, image, "/bin/sh", "-c", script)
        check_equal((result.text, result.errors), (want + end, ""), f"output with {options}")


@case(timeout=120)
def volumes_of_an_image_on_no_upper(context):
    image = image_of(context, {"Volumes": {"/data": {}}}, [DATA])
    script = "cat /data/file && echo 1 >/data/new && echo 2 >/data/other && cat /data/new; echo 3 >/new"
    result = context.smk("run", "--upper", "none", image, "/bin/sh", "-c", script).expect(1, out="of the image\n1\n")
    check_in("Read-only file system", result.errors, "stderr")
    image = image_of(context, {"Volumes": {"/absent": {}}}, [DATA], name="lacking")
    result = context.smk("run", "--upper", "none", image, "/bin/sh", "-c", "true").expect(125, out="")
    check_in("apply: /annotations/dev.supermachine.volume.000: /absent: mkdir: Read-only", result.errors, "stderr")


@case(timeout=120)
def volume_of_the_host_in_place_of_the_images(context):
    image = image_of(context, VOLUMES, [DATA])
    top = directory(context, {"mine": "1"})
    for options in ([], ["--read-only"]):
        run_volumes(context, "9p", [top + ":/data/"], "ls /data", *options, image=image).expect(0, out="mine\n")


@case()
def volume_of_the_host_that_is_none(context):
    image = image_of(context)
    with open(context.path("file"), "w", encoding="utf-8") as file:
        file.write("x")
    for value, parts in {"/nonexistent/v:/x": ["/nonexistent/v", "No such file"],
                         context.path("file") + ":/x": ["only directories can be shared", "errno 20"]}.items():
        try:
            context.smk("run", "-v", value, image).expect_line(125, "smk: ", "--volume", *parts)
        except Failure as failure:
            raise Failure(f"{value}: {failure}") from None
