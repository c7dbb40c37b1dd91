# SPDX-License-Identifier: Apache-2.0
"""The command line of smk itself."""

import hashlib
import json
import os
import re

from harness import SMK, TOP, Failure, case, check, check_equal, check_in
from host_case import fake_argv, fake_qemu, tiny_bundle, tiny_image

A_BUNDLE = os.path.join(TOP, "tests", "cases", "good-volumes")


def refused(name, words, *parts):
    """A case: smk with these words ends with 125 and one line that has the parts in it."""

    def run(context):
        context.smk(*words).expect_line(125, "smk: ", *parts)

    run.__name__ = name
    case()(run)


refused("no_command", [], "no command given", "smk --help")
refused("unknown_command", ["rnu", "x"], "unknown command rnu", "did you mean run?")
refused("strange_command", ["xyzzy"], "unknown command xyzzy", "see smk --help")
refused("no_bundle", ["run"], "no bundle or image given")
refused("two_bundles", ["run", A_BUNDLE, "b"], f"more than one bundle: {A_BUNDLE} and b")
refused("path_that_is_not_there", ["run", "./imgae", "/bin/sh"], "./imgae: open: No such file")
refused("option_hint", ["run", "--memroy", "1G", "x"], "--memroy: did you mean --memory?")
refused("option_without_hint", ["run", "--qqqqqqqq", "x"], "--qqqqqqqq: see smk --help")
refused("short_option", ["run", "-q", "x"], "unknown option -q: see smk --help")
refused("short_option_after_others", ["run", "-itq", "x"], "unknown option -q: see smk --help")
refused("short_option_needs_value", ["run", "-tm"], "-m needs a value: SIZE (--memory)")
refused("short_hostname_needs_value", ["run", "-h"], "-h needs a value: NAME (--hostname)")
refused("short_option_is_checked", ["run", "-m", "2T", "x"], "--memory 2T")
refused("short_option_with_equals", ["run", "-m=2T", "x"], "--memory 2T")
refused("short_option_with_its_value", ["run", "-m2T", "x"], "--memory 2T")
refused("short_flag_with_value", ["run", "-t=maybe", "x"], "--tty takes no value but true and false")
refused("short_command", ["-m"], "unknown command -m: see smk --help")
refused("option_needs_value", ["run", "--memory"], "--memory needs a value: SIZE")
refused("flag_with_value", ["run", "--timing=yes", "x"], "--timing takes no value but true and false")
refused("interactive_is_always", ["run", "--interactive=false", "x"], "standard input is always connected",
        "/dev/null")
refused("memory_of_bytes", ["run", "-m", "256", "x"], "--memory 256", "a number alone is of bytes")
refused("half_a_processor", ["run", "--cpus", "1.5", "x"], "--cpus 1.5: a VM has whole processors: 1 or 2")
refused("limits_of_the_host", ["run", "--ulimit", "host", "x"], "a VM has limits of its own")
refused("volume_without_a_host", ["run", "-v", "/x", "x"], "--volume /x: HOSTDIR:DIRECTORY[:ro]")
refused("volume_relabelled", ["run", "-v", "/tmp:/x:ro,Z", "x"], "not Z: labels of the host's files are not changed")
refused("volume_propagated", ["run", "-v", "/tmp:/x:rshared", "x"], "not rshared: mounts of the guest")
refused("volume_both_ways", ["run", "-v", "/tmp:/x:ro,rw", "x"], "ro or rw, not both")
refused("volume_over_the_root", ["run", "-v", "/tmp:/a/..", "x"], "not over the root")
refused("volumes_at_one_place", ["run", "-v", "/tmp:/x", "-v", "/etc:/y/../x/", "x"], "two mounts at /x")
refused("tmpfs_at_one_place", ["run", "-v", "/tmp:/x", "--tmpfs", "/x", "x"], "two mounts at /x")
refused("volumes_without_end", ["run", *(f"-v/tmp:/{n}" for n in range(11)), "x"], "--volume: at most 10")
refused("capability_both_ways", ["run", "--cap-add", "chown", "--cap-drop", "CAP_CHOWN,kill", "dir:tag"],
        "--cap-add and --cap-drop CAP_CHOWN: which of them?")
refused("capabilities_both_ways", ["run", "--cap-add", "all", "--cap-drop", "ALL", "dir:tag"], "all: which of them?")

refused("plan_without_bundle", ["plan"], "plan needs one bundle")
refused("cache_unknown", ["cache", "eat"], "cache eat: ls or prune [DAYS]")
refused("cache_with_too_much", ["cache", "ls", "x"], "cache ls: too many words")
refused("cache_prune_what", ["cache", "prune", "-1"], "cache prune -1: a number of days")
refused("assets_unknown", ["assets", "eat"], "assets eat: list, extract DIR or verify")
refused("assets_with_too_much", ["assets", "list", "x"], "assets list: too many words")
refused("assets_extract_without_directory", ["assets", "extract"], "assets extract needs a directory")
refused("assets_extract_nowhere", ["assets", "extract", "/nonexistent/x"], "/nonexistent/x")
refused("bundle_missing", ["run", "/nonexistent/b"], "/nonexistent/b", "No such file or directory")
refused("kernel_missing", ["run", "--kernel", "/nonexistent/k", "x"], "/nonexistent/k", "--kernel")
refused("control_characters", ["run", "--a\nb\x1b[31m", "x"], "unknown option --a\\x0ab\\x1b[31m")

BAD_VALUES = {
    "--memory": ["", "0", "31M", "2T", "-1", "256 M", "99999999999999999999G", "2000000M", "1.G", ".5G", "1e3M", "1GBB",
                 "1gi", "1Bb", "0x40M", "inf", "nan", "1000000", "1E"],
    "--cpus": ["", "0", "65", "-1", "2x", "1e1", "0.5", "1.", "2.0x", "1.05"],
    "--timeout": ["", "0", "x", "-5"],
    "--upper": ["", "tmpfs:", "tmpfs:1m init=/bin/sh", "tmpfs:1x", "disk", "disk:", "disk:1G,x", "file",
                "none:1", "tmpfsx", "disk:0", "disk:00M", "tmpfs:0", "tmpfs:50%"],
    "--net": ["", "TSI", "tsi:", "tsi:x", "tsi:loopback,", "tsi:controls", "tsi:loopbac", "none:loopback", "user:", "host"],
    "--publish": ["", "80", "80:", ":80", "0:1", "1:0", "65536:1", "1:65536", "1:2:3", "1.2.3:1:2", "[::1:1:2",
                  "::1:1:2", "[::1]1:2", "[127.0.0.1]:1:2", "1:2/udp", "-1:2", " 1:2", "+1:2", "1-2:3-4"],
    "--accel": ["", "xen", "KVM", "hvf"],
    "--env": ["=x", "  =x"],
    "--append": ["a\nb", "a\tb"],
    "--kernel": ["/", "/dev/null"],
    "--init-timeout": ["", "0", "x"],
    "--env-file": ["", "/nonexistent/env", "/dev/zero"],
    "--cap-add": ["", "CAP_", "CAP_NOTHING", "c" * 100],
    "--cap-drop": ["chowns", "chown,", "chown,,kill", "all,chowns"],
    "--user": ["", ":", "a:b:c", "a::"],
    "--workdir": ["", "rel", "./x"],
    "--hostname": ["", "x" * 65],
    "--volume-fs": ["", "nfs", "VIRTIOFS"],
    "--tmpfs": ["", "x", "/", ":size=1m", "/:size=1m", "/x:", "/x/..", "/.", "//"],
    "--volume": ["", "/tmp", "/tmp:", "/tmp:x", "/tmp:/", "/tmp:/x:rx", "/nonexistent/v:/x", "/dev/null:/x", ":/x", "/tmp:/x:", "/tmp:/x:ro,", "/tmp:/x:ro:z", "/tmp:/x:bind", "/tmp:/x:U",
                 "/tmp:/x:O", "name:/x"],
    "--ulimit": ["", "nofile", "nofile=", "nofile=x", "nofiles=1", "nofile=2:1", "nofile=1:x", "nofile=-2", "nofile=1,", "nofile=1,x=2", "nofile=-1:5"],
    "--sysctl": ["", "a", "=b", "a,b=c", "a=b,=c"],
    "--annotation": ["", "a", "=b"],
    "--layer-fs": ["", "ext4", "SQUASHFS"],
    "--max-layer-size": ["", "0", "-1", "1.5G", "G", "1GB", "99999999999999999999"],
}


@case()
def bad_values(context):
    for option, values in BAD_VALUES.items():
        for value in values:
            try:
                context.smk("run", option, value, "x").expect_line(125, "smk: ", option)
            except Failure as failure:
                raise Failure(f"{option} {value!r}: {failure}") from None


@case()
def help_lists_every_option(context):
    text = context.smk("--help").expect(0).text
    with open("host/options.c", encoding="utf-8") as file:
        rows = re.findall(r'\{"(--[a-z-]+)", (?:0|\'(.)\'),', file.read())
    check(len(rows) > 35, f"the option table was not found, or {len(rows)} rows of it")
    check_equal(sorted(letter for _, letter in rows if letter), list("ehimptuvw"), "letters")
    for name, letter in rows:
        check(re.search(f"^  -{letter}, {name}( |$)" if letter else f"^      {name}( |$)", text, re.M), f"no {name}")


@case()
def help_of_a_command(context):
    for words in (["run", "--help"], ["bake", "--help"], ["plan", "-h"], ["-h"]):
        check_equal(context.smk(*words).expect(0).text, context.smk("--help").text, f"help by {words}")


@case()
def manual_documents_every_option(context):
    help_text = context.smk("--help").expect(0).text
    with open("docs/man/smk.1", encoding="utf-8") as file:
        manual = file.read()
    options = help_text.split("\nOptions of run")[1]
    rows = re.findall(r"^  (?:-(.), |    )--([a-z-]+)", options, re.M)
    check(len(rows) > 35, f"{len(rows)} options in the help")
    for letter, name in rows:
        item = f".It Fl {letter} , Fl Fl {name}\n" if letter else f".It Fl Fl {name}\n"
        check_in(item, re.sub(r"( Ns)? (Ar|=)", "\nAr", manual), "smk.1")


@case()
def version(context):
    text = context.smk("--version").expect(0).text
    with open("VERSION", encoding="utf-8") as file:
        check_in("smk " + file.read().strip(), text)


@case()
def output_that_cannot_be_written(context):
    with open("/dev/full", "wb") as full:
        process = context.popen([SMK, "--help"], stdout=full, stderr=-1)
        _, errors = process.communicate()
    check_equal(process.returncode, 125, "exit code")
    check_in(b"No space left", errors, "stderr")


@case()
def assets_list_and_verify(context):
    text = context.smk("assets").expect(0).text
    check_equal(text, context.smk("assets", "list").expect(0).text, "list")
    with open("assets/manifest.json", encoding="utf-8") as file:
        manifest = json.load(file)
    check_in("kernel", text)
    for digest in re.findall(r"sha256    ([0-9a-f]{64})", text):
        check_in(digest, json.dumps(manifest), "manifest.json")
    check_in("kernel: ok", context.smk("assets", "verify").expect(0).text)


@case()
def assets_verify_fails(context):
    with open(context.path("text"), "w", encoding="utf-8") as file:
        file.write("no kernel at all" * 100)
    context.env["SUPERMACHINE_KERNEL_PATH"] = context.path("text")
    result = context.smk("assets", "verify")
    result.expect_line(125, "smk: kernel: verify: ")
    check("ok" not in result.text, result.text)


@case()
def assets_extract(context):
    context.smk("assets", "extract", context.dir).expect(0, out="")
    text = context.smk("assets").text
    for name in ("kernel", "init-oci"):
        with open(context.path(name), "rb") as file:
            check_in(hashlib.sha256(file.read()).hexdigest(), text, "smk assets")


@case()
def options_reach_qemu(context):
    fake_qemu(context, "warning")
    context.smk("run", "-m=1.5GiB", "--cpus", "3.0", "-i", "--console=false", "--keep=true", "--keep=0", "--append", "one", "--append", "two three",
                "--upper", "tmpfs:64M", "--", tiny_bundle(context)).expect(0)
    argv = fake_argv(context)
    check_equal(argv[argv.index("-m") + 1], "1536M", "-m")
    check_equal(argv[argv.index("-smp") + 1], "3", "-smp")
    line = argv[argv.index("-append") + 1]
    check_in(" smk.upper=tmpfs:64M ", line, "kernel command line")
    check(line.endswith(" one two three"), line)
    check_in("panic=-1", line, "kernel command line")


@case()
def append_has_a_limit(context):
    fake_qemu(context, "warning")
    context.smk("run", "--append", "x" * 2100, tiny_bundle(context)).expect_line(
        125, "smk: ", "--append", "at most 2047")


@case()
def sizes_of_memory(context):
    """As podman reads them; what is no whole MiB is made more."""
    bundle = tiny_bundle(context)
    for value, want in {"64m": "64M", "64MB": "64M", "64Mib": "64M", "1g": "1024M", "0.5G": "512M", "67108864": "64M",
                        "67108865b": "65M", "65536k": "64M", "0.25T": "262144M", "1T": "1048576M"}.items():
        words = context.smk("run", "--print-vmm", "--memory", value, bundle).expect(0).text.split()
        check_equal(words[words.index("-m") + 1], want, f"--memory {value}")


@case()
def options_of_volumes_reach_qemu(context):
    """virtiofs needs memory that another process maps; 9p does not."""
    image = tiny_image(context)
    for transport, parts in {"9p": ["virtio-9p-device,fsdev=volume0,mount_tag=smk-volume-000", "path=/usr/share", "readonly=on"],
                             "virtiofs": ["memory-backend-memfd,id=memory,size=256M,share=on", "memory-backend=memory",
                                          "vhost-user-fs-device,chardev=volume0,tag=smk-volume-000"]}.items():
        fake_qemu(context, "warning")
        context.smk("run", "--net", "none", "--volume-fs", transport, "-v", "/usr/share:/x:ro,noexec", image).expect(0)
        line = " ".join(fake_argv(context))
        for part in parts:
            check_in(part, line, "command line")
        check(("memory-backend" in line) == (transport == "virtiofs"), line)
    context.smk("run", "--net", "none", "--volume-fs", "virtiofs", image).expect(0)
    check("memory-backend" not in " ".join(fake_argv(context)), "shared memory without a volume")


@case()
def virtiofsd_missing(context):
    """auto goes on without it, virtiofs says what to install; mounts of one's own hide the real one."""
    fake_qemu(context, "warning")
    image = tiny_image(context)
    hide = "for d in /usr/lib/qemu /usr/libexec; do [ ! -d $d ] || mount -t tmpfs t $d; done; exec \"$@\""
    for transport in ("auto", "virtiofs"):
        result = context.run(["unshare", "-m", "sh", "-c", hide, "sh", SMK, "run", "--volume-fs", transport,
                              "-v", "/tmp:/x", image])
        if transport == "auto":
            result.expect(0)
            check_in("virtio-9p-device", " ".join(fake_argv(context)), "command line")
        else:
            result.expect_line(125, "smk: virtiofsd: not found in PATH", "qemu-system-common")


@case()
def virtiofsd_that_fails_is_told_before_qemu(context):
    """QEMU's end comes of it, and says less; the server's output is closed before it ends."""
    fake_qemu(context, "broken")
    with open(context.path("tools", "virtiofsd"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho virtiofsd: no room for that\nexec >&- 2>&-\nsleep 0.3\nexit 1\n")
    os.chmod(context.path("tools", "virtiofsd"), 0o755)
    context.smk("run", "-v", "/usr/share:/x", tiny_image(context)).expect_line(
        125, "smk: /usr/share: --volume: virtiofsd: no room for that")
