# SPDX-License-Identifier: Apache-2.0
"""smk and a QEMU that is played: streams, signals, ends, and a guest that breaks the protocol."""

import os
import pty
import signal
import termios
import time

from harness import SMK, Failure, case, check, check_equal, check_in, is_alive, wait_until
from host_case import fake_qemu, leftovers, tiny_bundle, vmm_of


def start(context, part, *words, **streams):
    fake_qemu(context, part)
    streams.setdefault("stdin", -3)
    streams.setdefault("stdout", -1)
    streams.setdefault("stderr", -1)
    return context.popen([SMK, "run", *words, tiny_bundle(context)], **streams)


def end(process, code, out=None, err=None, timeout=20):
    output, errors = process.communicate(timeout=timeout)
    check_equal(process.returncode, code, f"exit code ({errors})")
    if out is not None:
        check_equal(output, out, "stdout")
    if err is not None:
        check_in(err, errors, "stderr")


@case()
def input_to_its_end(context):
    fake_qemu(context, "echo_input")
    data = os.urandom(3 << 20)
    result = context.smk("run", tiny_bundle(context), stdin=data)
    result.expect(0)
    check(result.out == data, f"{len(result.out)} of {len(data)} bytes came back the same")


@case()
def input_keeps_to_its_credit(context):
    fake_qemu(context, "count_input")
    context.smk("run", tiny_bundle(context), stdin=b"x" * (1 << 20)).expect(0, out="262144\n")


@case()
def input_that_is_closed(context):
    process = start(context, "echo_input", stdin=None, preexec_fn=lambda: os.close(0))
    end(process, 0, out=b"")


@case()
def output_on_two_streams(context):
    fake_qemu(context, "flood")
    result = context.smk("run", tiny_bundle(context))
    check(result.out == b"A" * (1 << 20), f"stdout: {len(result.out)} bytes")
    check(result.err == b"B" * (1 << 20), f"stderr: {len(result.err)} bytes")
    check_equal(result.code, 5, "exit code")


@case()
def output_into_files(context):
    with open(context.path("out"), "wb") as out, open(context.path("err"), "wb") as err:
        process = start(context, "flood", stdout=out, stderr=err)
        check_equal(process.wait(20), 5, "exit code")
    check_equal(os.path.getsize(context.path("out")), 1 << 20, "bytes in the file")
    check_equal(os.path.getsize(context.path("err")), 1 << 20, "bytes in the other file")


@case()
def stalled_stdout_stops_no_stderr(context):
    """Nobody reads stdout; stderr arrives whole all the same, then stdout."""
    process = start(context, "flood")
    errors = b""
    while len(errors) < 1 << 20:
        data = os.read(process.stderr.fileno(), 65536)
        check(data, f"stderr ended after {len(errors)} bytes")
        errors += data
    check_equal(len(process.stdout.read()), 1 << 20, "bytes on stdout")
    check_equal(process.wait(20), 5, "exit code")


@case()
def more_than_credit(context):
    process = start(context, "too_much")
    errors = process.stderr.read()
    check_equal(process.wait(20), 125, f"exit code ({errors})")
    check_in(b"more on stream 1 than it had credit for", errors, "stderr")


def is_refused(part, words):
    def run(context):
        fake_qemu(context, part)
        context.smk("run", tiny_bundle(context)).expect_line(125, "smk: ", "control channel", words)

    run.__name__ = part
    case()(run)


is_refused("bad_type", "a frame of type 9")
is_refused("zero_type", "a frame of type 0")
is_refused("bad_credit", "a wrong credit")
is_refused("credit_of_another_stream", "a wrong credit")
is_refused("too_much_credit", "too much credit")
is_refused("bad_length", "1073741824 bytes")
is_refused("bad_json", "")
is_refused("bad_stream", "data on stream 7")
is_refused("bad_version", "speaks version 99, smk speaks 1")


@case()
def reader_that_goes_away(context):
    """Like a local program, the workload gets SIGPIPE (13)."""
    process = start(context, "pipe_signal")
    check_equal(process.stdout.readline(), b"one\n", "the first line")
    process.stdout.close()
    process.stdout = None
    process.stderr.read()
    check_equal(process.wait(20), 113, "exit code")


@case()
def no_record(context):
    fake_qemu(context, "no_record")
    result = context.smk("run", tiny_bundle(context))
    result.expect_line(125, "smk: the VM ended without an exit record")
    check_in("  console: Kernel panic - not syncing: no reason\n", result.errors, "stderr")


@case()
def panic_of_the_guest(context):
    """The reason is said, though it is not among the last lines of the console."""
    fake_qemu(context, "panic_that_scrolls")
    result = context.smk("run", tiny_bundle(context))
    result.expect_line(125, "smk: the VM ended without an exit record: Kernel panic - not syncing: no \\x1b[31mmemory")
    check("syncing: no .[31m" not in result.errors, "the reason is among the last lines anyway")


@case()
def failure_of_the_guest(context):
    """Its line comes twice, as event and in the record, and is said once."""
    fake_qemu(context, "fatal_with_record")
    context.smk("run", tiny_bundle(context)).expect_line(
        125, "init-oci: fatal: apply: /x: no luck: No such file or directory (errno 2)")


@case()
def failure_of_the_guest_without_record(context):
    fake_qemu(context, "fatal_without_record")
    context.smk("run", tiny_bundle(context)).expect_line(
        125, "smk: the VM ended without an exit record: init-oci: fatal: apply: /x: no luck")


@case()
def error_event(context):
    fake_qemu(context, "other_error")
    context.smk("run", tiny_bundle(context)).expect_line(0, "smk: warning: guest: unknown request")


@case()
def console_record(context):
    fake_qemu(context, "console_record")
    context.smk("run", tiny_bundle(context)).expect(9, out="")


@case()
def forged_record(context):
    """After hello the record is the channel's: a line on the console is no success."""
    fake_qemu(context, "forged_record")
    context.smk("run", tiny_bundle(context)).expect_line(
        125, "smk: the VM ended without an exit record on its control channel", "of code 0, is not believed")


@case()
def malformed_console_record(context):
    fake_qemu(context, "malformed_console_record")
    context.smk("run", tiny_bundle(context)).expect_line(125, "smk: the VM ended without an exit record")


@case()
def lost_output_is_said(context):
    fake_qemu(context, "lost_output")
    context.smk("run", tiny_bundle(context)).expect_line(0, "smk: warning: 77 bytes of output were lost")


@case()
def warning_of_the_guest(context):
    fake_qemu(context, "warning")
    context.smk("run", tiny_bundle(context)).expect_line(0, "smk: warning: something is optional")


@case()
def console_is_shown(context):
    fake_qemu(context, "no_record")
    result = context.smk("run", "--console", tiny_bundle(context))
    check_in("early words\r\nKernel panic", result.errors, "stderr")


@case()
def stalled_reader_of_the_console_stops_nothing(context):
    process = start(context, "console_flood", "--console")
    check_equal(process.stdout.readline(), b"through\n", "the output behind the console's")
    errors = process.stderr.read()
    check_equal(process.wait(20), 0, "exit code")
    check(errors.startswith(b"words\r\nwords\r\n"), f"stderr begins with {errors[:40]!r}")
    check_in(b"bytes of the console were not shown", errors[-100:], "the end of stderr")


@case()
def timing_line(context):
    fake_qemu(context, "warning")
    errors = context.smk("run", "--timing", tiny_bundle(context)).expect(0).errors
    for part in ("smk: timing: ", "pack ", "vmm ", "kernel 1, ", "init ", "run ", "end "):
        check_in(part, errors, "the line")


@case()
def timeout(context):
    fake_qemu(context, "hold")
    begin = time.monotonic()
    result = context.smk("run", "--timeout", "1", tiny_bundle(context))
    result.expect_line(125, "smk: the VM was ended after 1 seconds (--timeout)")
    check(0.9 < time.monotonic() - begin < 8, f"{time.monotonic() - begin} s")
    check_equal(result.text, "holding\n", "stdout")


@case()
def no_power_off(context):
    fake_qemu(context, "stay")
    context.smk("run", tiny_bundle(context)).expect_line(125, "smk: ", "did not power off")


@case()
def signals_are_passed_on(context):
    process = start(context, "echo_signals")
    check_equal(process.stdout.readline(), b"ready\n", "the first line")
    for host, guest in ((signal.SIGUSR1, 10), (signal.SIGUSR2, 12), (signal.SIGHUP, 1), (signal.SIGINT, 2),
                        (signal.SIGTERM, 15)):
        time.sleep(2.1 if host == signal.SIGINT else 0)
        process.send_signal(host)
        check_equal(process.stdout.readline(), b"signal %d\n" % guest, "the guest's word")
    check_equal(process.wait(20), 143, "exit code")


@case()
def third_interrupt_forces_the_end(context):
    process = start(context, "hold")
    check_equal(process.stdout.readline(), b"holding\n", "the first line")
    vmm = vmm_of(process)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    check(process.poll() is None, "ended by two interrupts")
    process.send_signal(signal.SIGINT)
    end(process, 125, err=b"the VM was ended by force")
    check(not is_alive(vmm), "QEMU runs on")


@case()
def slow_interrupts_are_passed_on(context):
    process = start(context, "hold")
    check_equal(process.stdout.readline(), b"holding\n", "the first line")
    for _ in range(4):
        process.send_signal(signal.SIGINT)
        time.sleep(2.1)
    check(process.poll() is None, "ended by interrupts that were far apart")


@case()
def ignored_signals_stay_ignored(context):
    """nohup smk run: a hang-up neither ends smk nor reaches the workload."""
    process = start(context, "hold", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    check_equal(process.stdout.readline(), b"holding\n", "the first line")
    for _ in range(4):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
    check(process.poll() is None, "ended by an ignored signal")


@case()
def killed_smk_takes_qemu_along(context):
    process = start(context, "hold")
    check_equal(process.stdout.readline(), b"holding\n", "the first line")
    vmm = vmm_of(process)
    check(is_alive(vmm), "no QEMU")
    process.kill()
    process.wait()
    wait_until(lambda: not is_alive(vmm), 10, "end of QEMU")
    check_equal(leftovers(context), [], "temporary files")


@case()
def what_a_killed_smk_left_is_swept(context):
    """Its directory with the disk goes with the next run; nobody else's does."""
    base = context.env["TMPDIR"]
    process = start(context, "hold", "--upper", "disk:16M")
    check_equal(process.stdout.readline(), b"holding\n", "the first line")
    process.kill()
    process.wait()
    left = leftovers(context)
    check(len(left) == 1 and os.listdir(os.path.join(base, left[0])) == ["upper.ext4"], f"left: {left}")
    living = context.popen([SMK, "run", "--upper", "disk:16M", context.path("bundle")], stdin=-3, stdout=-1)
    check_equal(living.stdout.readline(), b"holding\n", "the first line")
    stay = leftovers(context)
    check(len(stay) == 1 and stay != left, f"left: {stay}")
    for name, mode, file in (("smk-run-other0", 0o700, "other"), ("smk-run-opened", 0o755, "upper.ext4"),
                             ("smk-run-longname", 0o700, "upper.ext4"), ("smk-kept-abcdef", 0o700, "upper.ext4")):
        os.mkdir(os.path.join(base, name))
        with open(os.path.join(base, name, file), "w", encoding="utf-8"):
            stay.append(name)
        os.chmod(os.path.join(base, name), mode)
    os.symlink("smk-kept-abcdef", os.path.join(base, "smk-run-linked"))
    context.env["FAKE_QEMU"] = "warning"
    context.smk("run", "--upper", "disk:16M", context.path("bundle")).expect(0)
    check_equal(sorted(leftovers(context)), sorted(stay + ["smk-run-linked"]), "temporary directory")
    for name in stay:
        check_equal(len(os.listdir(os.path.join(base, name))), 1, f"files in {name}")


@case()
def killed_qemu_is_reported(context):
    process = start(context, "hold")
    check_equal(process.stdout.readline(), b"holding\n", "the first line")
    os.kill(vmm_of(process), signal.SIGKILL)
    end(process, 125, err=b"smk: qemu-system-aarch64: killed by signal 9")


@case()
def qemu_gets_only_its_descriptors(context):
    """stdin, stdout, stderr, three sockets and the initramfs: no file of the caller's."""
    leak = os.open("/etc/passwd", os.O_RDONLY)
    try:
        process = start(context, "hold", close_fds=True)
        check_equal(process.stdout.readline(), b"holding\n", "the first line")
        vmm = vmm_of(process)
        check(os.getsid(vmm) != os.getsid(process.pid), "QEMU is in smk's session: ^C would reach it")
        targets = [os.readlink(f"/proc/{vmm}/fd/{fd}") for fd in os.listdir(f"/proc/{vmm}/fd")]
        check_equal(sum("socket:" in t for t in targets), 3, f"sockets in {targets}")
        check_equal(sum("memfd:smk-initramfs" in t for t in targets), 1, f"initramfs in {targets}")
        check(not any(".lock" in t or "rootfs" in t or "passwd" in t for t in targets), f"{targets}")
    finally:
        os.close(leak)


def start_on_terminal(context, part):
    """smk with a controlling terminal and process.terminal; gives back (process, master)."""
    fake_qemu(context, part)
    directory = tiny_bundle(context)
    path = os.path.join(directory, "config.json")
    with open(path, encoding="utf-8") as file:
        text = file.read().replace('"terminal": false', '"terminal": true')
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    master, slave = pty.openpty()
    process = context.popen([SMK, "run", directory], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    return process, master


def is_raw(master):
    return not termios.tcgetattr(master)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)


def read_until(master, part):
    data = b""
    while part not in data:
        try:
            data += os.read(master, 4096)
        except OSError:
            raise Failure(f"{part!r} did not come: {data!r}") from None
    return data


@case()
def terminal_is_raw_and_restored(context):
    process, master = start_on_terminal(context, "hold")
    before = termios.tcgetattr(master)
    read_until(master, b"holding")
    check(is_raw(master), "the terminal is not raw")
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    read_until(master, b"ended by force")
    check_equal(process.wait(20), 125, "exit code")
    check(termios.tcgetattr(master) == before, "the terminal's settings were not restored")


@case()
def terminal_escape(context):
    """^] three times ends the VM; ^C is the workload's."""
    process, master = start_on_terminal(context, "hold")
    before = termios.tcgetattr(master)
    read_until(master, b"holding")
    os.write(master, b"\x03\x1d\x1dx\x1d\x1d")
    time.sleep(0.5)
    check(process.poll() is None, "ended too soon")
    os.write(master, b"\x1d")
    read_until(master, b"ended by force")
    check_equal(process.wait(20), 125, "exit code")
    check(termios.tcgetattr(master) == before, "the terminal's settings were not restored")
