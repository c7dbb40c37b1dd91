# SPDX-License-Identifier: Apache-2.0
"""smk run with the real kernel: exit codes, streams, the writable layer, options."""

import hashlib
import os
import random

from harness import (SMK, base_config, bundle, case, check, check_equal, check_in, shell, small_root,
                     write_config)


def exits(name, code, args, *parts):
    """A case: the entrypoint leads to the code; with parts, by a failure line that has them."""

    def run(context):
        result = context.smk("run", bundle(context, args, without="pid"))
        if parts:
            result.expect_line(code, "init-oci: fatal: ", *parts)
        else:
            result.expect(code, err="")
            check_equal(result.errors, "", "stderr")

    run.__name__ = name
    case()(run)


exits("exit_0", 0, ["/bin/true"])
exits("exit_7", 7, ["/bin/probe", "exit", "7"])
exits("exit_255", 255, ["/bin/probe", "exit", "255"])
exits("exit_125_of_the_workload", 125, ["/bin/probe", "exit", "125"])
exits("exit_127_of_the_workload", 127, ["/bin/probe", "exit", "127"])
exits("exit_137_killed", 137, ["/bin/sh", "-c", "kill -9 $$"])
exits("exit_143_terminated", 143, ["/bin/sh", "-c", "kill -15 $$"])
exits("exit_127_not_found", 127, ["/bin/absent"], "/bin/absent", "errno 2")
exits("exit_127_not_in_path", 127, ["absent"], "absent")
exits("exit_126_directory", 126, ["/bin"], "/bin", "errno 13")
exits("exit_126_not_executable", 126, ["/etc/hostname"], "/etc/hostname", "errno 13")
exits("exit_126_under_a_file", 126, ["/bin/sh/x"], "/bin/sh/x", "errno 20")


@case()
def found_in_path(context):
    context.smk("run", bundle(context, ["echo", "a  b", "$HOME"])).expect(0, out="a  b $HOME\n")


@case()
def embedded_init(context):
    """Without an override: the init-oci that smk carries."""
    del context.env["SUPERMACHINE_INIT_OCI_PATH"]
    context.smk("run", bundle(context, ["/bin/echo", "hi"])).expect(0, out="hi\n")


@case()
def make_run_bundle(context):
    """What `make run` boots."""
    result = context.smk("run", "--timing", "build/fixtures/busybox", cwd=os.getcwd()).expect(0)
    check_in("Hello from busybox: Linux 6.12", result.text, "stdout")
    check_in("smk: timing: ", result.errors, "stderr")


@case()
def streams_stay_apart(context):
    result = context.smk("run", bundle(context, ["/bin/probe", "both"])).expect(0)
    check_equal(result.text, "out\nagain\n", "stdout")
    check_equal(result.errors, "err\nagain\n", "stderr")


@case(timeout=120)
def megabytes_arrive_whole(context):
    """Three of them, every byte, before the exit code."""
    script = "head -c 3000000 /dev/urandom >/tmp/x; sha256sum </tmp/x >&2; cat /tmp/x; exit 9"
    result = context.smk("run", shell(context, script)).expect(9)
    check_equal(len(result.out), 3000000, "bytes")
    check_equal(result.errors.split()[0], hashlib.sha256(result.out).hexdigest(), "SHA-256")


@case(timeout=120)
def input_arrives_whole(context):
    data = random.Random(1).randbytes(2000000)
    result = context.smk("run", shell(context, "sha256sum; cat; exit 3"), stdin=data).expect(3)
    check_equal(result.text.split()[0], hashlib.sha256(data).hexdigest(), "SHA-256")


@case(timeout=120)
def input_comes_back(context):
    data = random.Random(2).randbytes(1500000)
    result = context.smk("run", bundle(context, ["/bin/cat"]), stdin=data).expect(0)
    check(result.out == data, f"{len(result.out)} bytes came back, not the same {len(data)}")


@case()
def input_is_empty(context):
    context.smk("run", bundle(context, ["/bin/probe", "count"])).expect(0, out="read 0\n")


@case()
def input_nobody_reads(context):
    context.smk("run", bundle(context, ["/bin/echo", "done"]), stdin=b"x" * 3000000).expect(0, out="done\n")


@case()
def orphan_holds_stdout(context):
    """A process that lives on does not delay the end."""
    result = context.smk("run", shell(context, "sleep 60 & echo begun; exit 3")).expect(3, out="begun\n")
    check(result.seconds < 30, f"{result.seconds} s")


@case()
def orphans_are_reaped(context):
    context.smk("run", bundle(context, ["/bin/probe", "orphans", "300", "5"])).expect(5)


@case(timeout=120)
def reader_goes_away(context):
    """`smk run yes | head`: the workload gets SIGPIPE, and smk ends."""
    directory = bundle(context, ["/bin/yes"], without="pid")  # PID 1 of a namespace would get EPIPE only
    process = context.popen([SMK, "run", directory], stdin=-3, stdout=-1, stderr=-1)
    check_equal(process.stdout.readline(), b"y\n", "the first line")
    process.stdout.close()
    process.stdout = None
    errors = process.stderr.read()
    check_equal(process.wait(context.left()), 141, f"exit code ({errors})")


@case()
def env_option(context):
    context.env["FROM_HOST"] = "outside"
    result = context.smk("run", "--env", "A=b c", "--env", "FROM_HOST", "--env", "HOME=/tmp",
                         shell(context, 'echo "$A|$FROM_HOST|$HOME|$container"'))
    result.expect(0, out="b c|outside|/tmp|oci\n")


@case()
def append_option(context):
    result = context.smk("run", "--append", "one.two=3", "--append", "loglevel=4",
                         bundle(context, ["/bin/cat", "/proc/cmdline"])).expect(0)
    check(result.text.strip().endswith("one.two=3 loglevel=4"), result.text)


@case()
def unknown_key_of_ours(context):
    context.smk("run", "--append", "smk.confg=x", bundle(context, ["/bin/true"])).expect_line(
        125, "init-oci: fatal: bootargs: ", "smk.confg", "smk.config")


@case()
def memory_and_cpus(context):
    result = context.smk("run", "--memory", "512M", "--cpus", "2",
                         shell(context, "head -n 1 /proc/meminfo; ls -d /sys/devices/system/cpu/cpu[0-9]"))
    result.expect(0)
    total = int(result.text.split()[1])
    check(440000 < total < 524288, f"MemTotal {total} kB")
    check_equal(result.text.splitlines()[1:],
                [f"/sys/devices/system/cpu/cpu{n}" for n in (0, 1)], "processors")


@case()
def smallest_memory(context):
    """32 MiB are enough to boot and run something."""
    context.smk("run", "--memory", "32M", bundle(context, ["/bin/echo", "small"])).expect(0, out="small\n")


@case()
def console_option(context):
    result = context.smk("run", "--console", "--append", "loglevel=7", bundle(context, ["/bin/true"]))
    check_in("Run /init as init process", result.expect(0).errors, "stderr")


@case()
def kernel_panic_is_reported(context):
    """A kernel without an init panics; that ends the run at once, with the console's last lines."""
    result = context.smk("run", "--append", "rdinit=/absent root=/dev/absent", bundle(context, ["/bin/true"]))
    result.expect_line(125, "smk: the VM ended without an exit record")
    check_in("  console: ", result.errors, "stderr")
    check_in("Kernel panic", result.errors, "stderr")
    check(result.seconds < 20, f"{result.seconds} s")


@case(timeout=120)
def out_of_memory(context):
    result = context.smk("run", "--memory", "64M", bundle(context, ["/bin/probe", "hog"])).expect(137)
    check_in("smk: warning: the workload was killed because the guest ran out of memory", result.errors)


WRITE = "echo text >/new && cat /new; mount | head -n 1"


@case()
def upper_default_is_tmpfs(context):
    context.smk("run", shell(context, WRITE)).expect(0)
    check(not os.path.exists(os.path.join(small_root(), "new")), "the bundle's root was written to")


@case()
def upper_none(context):
    result = context.smk("run", "--upper", "none", shell(context, "echo x >/new")).expect(1)
    check_in("Read-only file system", result.errors, "stderr")


@case()
def upper_tmpfs_size(context):
    result = context.smk("run", "--upper", "tmpfs:2M", shell(context, "dd if=/dev/zero of=/big bs=64k count=64"))
    check_in("No space left", result.expect(1).errors, "stderr")


@case()
def upper_disk(context):
    script = "head -c 4000000 /dev/zero >/big && echo fits; head -c 64000000 /dev/zero >/big || echo full"
    result = context.smk("run", "--upper", "disk:16M", shell(context, script)).expect(0)
    check_equal(result.text, "fits\nfull\n", "stdout")
    check_equal(os.listdir(context.env["TMPDIR"]), [], "temporary files")


@case(timeout=120)
def upper_file_keeps_what_was_written(context):
    disk = context.path("disk")
    context.tool("/sbin/mkfs.ext4", "-q", "-F", disk, "16M")
    script = "cat /kept 2>/dev/null; echo $((1 + $(cat /kept 2>/dev/null || echo 0))) >/kept; rm -f /etc/x"
    for want in ("", "1\n", "2\n"):
        context.smk("run", "--upper", "file:" + disk, shell(context, script)).expect(0, out=want)
        context.tool("/sbin/e2fsck", "-fn", disk)
        with open(disk, "rb") as file:
            file.seek(1024 + 58)
            check_equal(file.read(2), b"\1\0", "state of the file system (clean)")


@case()
def upper_file_without_a_file_system(context):
    with open(context.path("disk"), "wb") as file:
        file.truncate(16 << 20)
    context.smk("run", "--upper", "file:" + context.path("disk"), bundle(context, ["/bin/true"])).expect_line(
        125, "init-oci: fatal: ", "upper")


@case(timeout=120)
def printed_command_line_works(context):
    """smk run --print-vmm --keep BUNDLE | head -n 1 | sh"""
    line = context.smk("run", "--print-vmm", "--keep",
                       bundle(context, ["/bin/echo", "it's", "here"])).expect(0).text.splitlines()[0]
    result = context.run(["sh", "-c", line]).expect(0)
    check_in("it's here\r\n", result.text, "console")
    check_in('smk-exit: {"phase":"run","code":0', result.text, "console")


@case()
def readonly_root(context):
    directory = bundle(context, ["/bin/sh", "-c", "echo x >/new"])
    config = base_config()
    config["process"]["args"] = ["/bin/sh", "-c", "echo x >/new"]
    config["root"] = {"path": small_root(), "readonly": True}
    write_config(directory, config)
    check_in("Read-only file system", context.smk("run", directory).expect(1).errors, "stderr")


@case()
def config_is_gone(context):
    """Nothing of config.json can be read inside: it may hold secrets."""
    script = ("cat /config.json /proc/1/root/config.json 2>/dev/null; ls /proc/1/root 2>/dev/null; "
              "cat /proc/1/environ 2>/dev/null; echo end")
    context.smk("run", shell(context, script, without="pid"), "--env", "SECRET=hidden-word").expect(0, out="end\n")
