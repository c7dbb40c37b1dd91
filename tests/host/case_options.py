# SPDX-License-Identifier: Apache-2.0
"""The command line of smk itself."""

import hashlib
import json
import re

from harness import SMK, Failure, case, check, check_equal, check_in
from host_case import fake_argv, fake_qemu, tiny_bundle


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
refused("two_bundles", ["run", "a", "b"], "more than one bundle: a and b")
refused("option_hint", ["run", "--memroy", "1G", "x"], "--memroy: did you mean --memory?")
refused("option_without_hint", ["run", "--qqqqqqqq", "x"], "--qqqqqqqq: see smk --help")
refused("short_option", ["run", "-m", "1G", "x"], "unknown option -m: see smk --help")
refused("short_command", ["-m"], "unknown command -m: see smk --help")
refused("option_needs_value", ["run", "--memory"], "--memory needs a value: SIZE")
refused("flag_with_value", ["run", "--timing=yes", "x"], "--timing takes no value")
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
    "--memory": ["", "0", "31M", "1T", "-1", "256 M", "99999999999999999999G", "2000000M", "1.5G"],
    "--cpus": ["", "0", "65", "-1", "2x", "1e1"],
    "--timeout": ["", "0", "x", "-5"],
    "--upper": ["", "tmpfs:", "tmpfs:1m init=/bin/sh", "tmpfs:1x", "disk", "disk:", "disk:1G,x", "file",
                "none:1", "tmpfsx", "disk:0", "disk:00M", "tmpfs:0", "tmpfs:50%"],
    "--accel": ["", "xen", "KVM", "hvf"],
    "--env": ["", "=x", "SURELY_NOT_SET_ANYWHERE"],
    "--append": ["a\nb", "a\tb"],
    "--kernel": ["/", "/dev/null"],
    "--init-timeout": ["", "0", "x"],
    "--env-file": ["", "/nonexistent/env", "/dev/zero"],
    "--cap-add": ["", "CAP_", "CAP_NOTHING", "c" * 100],
    "--cap-drop": ["chowns"],
    "--tmpfs": ["", "x", "/", ":size=1m", "/:size=1m"],
    "--volume": ["", "/tmp", "/tmp:", "/tmp:x", "/tmp:/", "/tmp:/x:rx", "/nonexistent/v:/x", "/dev/null:/x", ":/x"],
    "--ulimit": ["", "nofile", "nofile=", "nofile=x", "nofiles=1", "nofile=2:1", "nofile=1:x", "nofile=-2"],
    "--sysctl": ["", "a", "=b"],
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
        names = re.findall(r'\{"(--[a-z-]+)",', file.read())
    check(len(names) > 10, "the option table was not found")
    for name in names:
        check_in(f"  {name}", text, "help")


@case()
def help_of_a_command(context):
    for words in (["run", "--help"], ["run", "-h"], ["plan", "-h"], ["-h"]):
        check_equal(context.smk(*words).expect(0).text, context.smk("--help").text, f"help by {words}")


@case()
def manual_documents_every_option(context):
    help_text = context.smk("--help").expect(0).text
    with open("docs/man/smk.1", encoding="utf-8") as file:
        manual = file.read()
    options = help_text.split("\nOptions of run")[1]
    for name in re.findall(r"^  --([a-z-]+)", options, re.M):
        check_in(".It Fl Fl " + name + "\n", manual.replace(" Ar", "\nAr"), "smk.1")


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
    context.smk("run", "--memory=1G", "--cpus", "3", "--append", "one", "--append", "two three",
                "--upper", "tmpfs:64M", "--", tiny_bundle(context)).expect(0)
    argv = fake_argv(context)
    check_equal(argv[argv.index("-m") + 1], "1024M", "-m")
    check_equal(argv[argv.index("-smp") + 1], "3", "-smp")
    line = argv[argv.index("-append") + 1]
    check(line.endswith(" smk.upper=tmpfs:64M one two three"), line)
    check_in("panic=-1", line, "kernel command line")


@case()
def append_has_a_limit(context):
    fake_qemu(context, "warning")
    context.smk("run", "--append", "x" * 2100, tiny_bundle(context)).expect_line(
        125, "smk: ", "--append", "at most 2047")
