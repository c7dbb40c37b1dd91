# SPDX-License-Identifier: Apache-2.0
"""The entrypoint's streams, its terminal, its signals and its orphans, while PID 1 supervises."""

import struct
import time

from harness import case, check, check_equal
from pid1 import Link
from session import CREDIT, DATA, END, STDERR, STDIN, STDOUT, WINDOW, Guest
from test_namespaces import user_config

PATTERN = bytes(range(251)) * 21000
FORWARDABLE = sorted(set(range(1, 65)) - {9, 17, 19})
STOP_SIGNALS = {18, 20, 21, 22}  # the kernel lets these cancel each other while they wait


@case()
def output_comes_whole_and_before_the_exit(c):
    with Guest(c) as guest:
        for size in (0, 1, 65536, 1 << 20, 5 << 20):
            session = guest.run("/probe", "write", size, 1, 9).expect(9, out=PATTERN[:size])
            check_equal(session.events[-1]["after"], size, "bytes before the exit event")
            check_equal(session.ended, {STDOUT, STDERR}, "ended streams")
            check_equal(session.record["droppedBytes"], 0, "droppedBytes")


@case()
def stdout_and_stderr_are_kept_apart(c):
    with Guest(c) as guest:
        session = guest.run("/probe", "write", 100000, 2)
        session.expect(0, out=b"", err=PATTERN[:100000])


@case()
def streams_can_be_opened_by_name(c):
    """/dev/stdout is a pipe of the user's own, also for one without privileges."""
    with Guest(c) as guest:
        for uid in (0, 1000):
            session = guest.run("/probe", "both", user={"uid": uid, "gid": uid}, capabilities={})
            session.expect(0, out=b"out\nagain\n", err=b"err\nagain\n")
        items = [{"containerID": 0, "hostID": 100000, "size": 2000}]
        config = user_config(items=items, args=["/probe", "both"], user={"uid": 1000, "gid": 1000}, capabilities={})
        guest.run(config=config).expect(0, out=b"out\nagain\n", err=b"err\nagain\n")


@case()
def input_arrives(c):
    data = PATTERN[:3 << 20]
    with Guest(c) as guest:
        session = guest.start("/probe", "count").wait_started()
        sent = 0
        while sent < len(data):
            session.read_until(lambda: sent - session.credits < WINDOW, "credit for input")
            part = data[sent:sent + min(60000, WINDOW - (sent - session.credits))]
            session.send(DATA, STDIN, part)
            sent += len(part)
        session.send(DATA, STDIN, flags=END)
        session.finish().expect(out=f"read {len(data)}\n".encode())
        check(session.credits >= len(data) - WINDOW // 4, f"only {session.credits} bytes of credit came back")


@case()
def input_that_nobody_reads(c):
    """The host may have a whole window under way; signals still get through."""
    with Guest(c) as guest:
        session = guest.start("/probe", "sleep").wait_output(b"sleeping")
        for _ in range(4):
            session.send(DATA, STDIN, bytes(WINDOW // 4))
        session.request(type="signal", signal=15)
        session.finish().expect(143, 15, out=None)


@case()
def last_input_in_the_end_frame(c):
    with Guest(c) as guest:
        session = guest.start("/probe", "cat").wait_started()
        session.send(DATA, STDIN, b"all ")
        session.send(DATA, STDIN, b"of it", flags=END)
        session.finish().expect(out=b"all of it")


@case()
def a_stalled_stream_stops_nothing_else(c):
    """No credit for stdout: the writer waits, and stderr, requests and signals go on."""
    with Guest(c) as guest:
        session = guest.start("/probe", "write", 1 << 20)
        session.is_crediting = False
        session.read_until(lambda: len(session.output[STDOUT]) == WINDOW, "a window of output")
        check(session.pump(0.3), "the run is over")
        check_equal(len(session.output[STDOUT]), WINDOW, "output without credit")
        session.request(type="nonsense")
        session.read_until(lambda: session.errors, "answer")
        session.is_crediting = True
        session.send(CREDIT, STDOUT, struct.pack("<I", WINDOW))
        session.finish().expect(0, out=PATTERN[:1 << 20])


@case()
def a_host_that_takes_nothing_ends_the_run_late(c):
    """After the end, undelivered output is waited for five seconds, then dropped and counted."""
    size = WINDOW + 30000
    with Guest(c) as guest:
        session = guest.start("/probe", "write", size, 1, 4)
        session.is_crediting = False
        session.finish().expect(4, out=PATTERN[:WINDOW])
        check(4.5 < session.seconds < 8, f"it took {session.seconds} s")
        check_equal(session.record["droppedBytes"], size - WINDOW, "droppedBytes")


@case()
def orphan_with_the_streams_does_not_delay_the_end(c):
    with Guest(c) as guest:
        session = guest.run("/probe", "spawn-holder", 3).expect(3, out=b"holding\n")
        check(session.seconds < 1, f"it took {session.seconds} s")


@case()
def ten_thousand_orphans(c):
    with Guest(c) as guest:
        guest.run("/probe", "orphans", 10000, 5).expect(5, out=b"zombies 0\n")


@case()
def fork_bomb(c):
    """
    Below a limit it keeps PID 1 from nothing. This machine's cgroup v2 may have no pids controller (the VM's
    has): the limit is one of the processes of a user, in a user namespace of its own.
    """
    items = [{"containerID": 0, "hostID": 200000, "size": 10}]
    user = {"user": {"uid": 5, "gid": 5}, "capabilities": {},
            "rlimits": [{"type": "RLIMIT_NPROC", "soft": 200, "hard": 200}]}
    with Guest(c) as guest:
        for kinds in ((), ("uts",)):
            config = user_config(*kinds, items=items, args=["/probe", "bomb", "20000", "7"], **user)
            session = guest.run(config=config).expect(7, out=b"full\n")
            check(session.seconds < 10, f"it took {session.seconds} s")
        session = guest.start(config=user_config(items=items, args=["/probe", "bomb", "20000"], **user))
        session.wait_output(b"full\n")
        session.request(type="signal", signal=9)
        session.finish().expect(137, 9)


@case()
def entrypoint_among_many_ends(c):
    """SIGCHLD does not queue: the entrypoint's end must not get lost among its orphans'."""
    with Guest(c) as guest:
        for code in range(64):
            guest.run("/probe", "burst", 1000, code).expect(code)


@case()
def every_signal_is_forwarded(c):
    """From inside, to PID 1: all but the three that cannot be, real-time ones of every libc too."""
    with Guest(c) as guest:
        for number in FORWARDABLE:
            guest.run("/probe", "storm", number, 1).expect(out=b"received 1\n")


@case()
def every_signal_by_request(c):
    with Guest(c) as guest:
        numbers = [n for n in FORWARDABLE if n not in STOP_SIGNALS]
        session = guest.start("/probe", "signals", len(numbers)).wait_output(b"ready\n")
        for number in numbers:
            session.request(type="signal", signal=number)
        session.finish().expect()
        got = sorted(int(l.split()[1]) for l in session.output[STDOUT].decode().splitlines()[1:])
        check_equal(got, numbers, "signals")


@case(90)
def storm_of_real_time_signals(c):
    """They queue, so each of them must arrive."""
    with Guest(c) as guest:
        for number in (34, 64):
            session = guest.run("/probe", "storm", number, 20000)
            session.expect(out=b"received 20000\n")


@case()
def terminal(c):
    size = {"height": 33, "width": 101}
    with Guest(c) as guest:
        session = guest.run("/probe", terminal=True, consoleSize=size, user={"uid": 1000, "gid": 1000})
        facts = session.expect().facts
        for one in facts["terminals"]:
            check_equal((one["isTerminal"], one["rows"], one["columns"]), (1, 33, 101), "terminal")
            check_equal(one["foregroundGroup"], facts["pid"], "foreground group")
        check_equal(facts["hasControllingTerminal"], 1, "controlling terminal")
        check_equal(sorted(facts["fds"]), ["0", "1", "2"], "descriptors")
        name = facts["fds"]["0"]
        slave, console = facts["devices"][name], facts["devices"]["/dev/console"]
        check_equal((slave["uid"], slave["type"]), (1000, "c"), "slave's owner")
        check_equal((console["major"], console["minor"]), (slave["major"], slave["minor"]), "console")
        check_equal(session.ended, {STDOUT}, "a terminal has one output")


@case()
def terminal_resize(c):
    with Guest(c) as guest:
        session = guest.start("/probe", "sizes", 1, terminal=True, consoleSize={"height": 33, "width": 101})
        session.wait_output(b"size 33 101\r\n")
        session.request(type="resize", rows=50, columns=132)
        session.finish().expect(out=b"size 33 101\r\nsize 50 132\r\n")
        session = guest.start("/probe", "cat").wait_started()
        session.request(type="resize", rows=1, columns=1)
        session.read_until(lambda: session.errors, "answer")
        session.send(DATA, STDIN, flags=END)
        check_equal(session.finish().expect().errors, ["resize: the entrypoint has no terminal"], "errors")


@case()
def terminal_input_and_its_end(c):
    with Guest(c) as guest:
        session = guest.start("/probe", "cat", terminal=True).wait_started()
        session.send(DATA, STDIN, b"line\n")
        session.wait_output(b"line\r\nline\r\n")
        session.send(DATA, STDIN, flags=END)
        session.finish().expect(out=b"line\r\nline\r\n")


@case()
def terminal_interrupt(c):
    with Guest(c) as guest:
        session = guest.start("/probe", "sleep", terminal=True).wait_output(b"sleeping")
        session.send(DATA, STDIN, b"\x03")
        session.finish().expect(130, 2)


@case()
def terminal_in_a_hostile_image(c):
    """CVE-2025-52565 and its like: names of the image below /dev lead elsewhere, and are not followed."""
    traps = {"/dev/pts": Link("/etc"), "/dev/console": Link("/etc/target"), "/dev/ptmx": Link("/etc/target"),
             "/etc/target": "untouched"}
    with Guest(c, traps) as guest:
        facts = guest.run("/probe", terminal=True).expect().facts
        check_equal(facts["devices"]["/dev/console"]["type"], "c", "console")
        check_equal(facts["fds"]["0"], "/dev/pts/0", "terminal")
        mounted = [m.split()[4] for m in facts["mounts"]]
        check_equal([m for m in mounted if m.startswith("/etc")], [], "mounts below /etc")


@case()
def terminal_in_a_dev_that_is_read_only(c):
    """The console's place is made while it can be: /dev becomes read-only before there is a terminal."""
    dev = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]}
    process = {"args": ["/probe"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "terminal": True}
    config = {"ociVersion": "1.0.2", "process": process, "root": {"path": "rootfs"}}
    with Guest(c) as guest:
        for more in ({"mounts": [dev]}, {"linux": {"readonlyPaths": ["/dev"]}}):
            session = guest.run(config=config | more).expect()
            check_equal(session.facts["hasControllingTerminal"], 1, "controlling terminal")
            console = [l.split() for l in session.facts["mounts"] if l.split()[4] == "/dev/console"]
            check_equal(len(console), 1, "mounts on the console")


@case()
def terminal_without_a_devpts(c):
    with Guest(c) as guest:
        session = guest.run("/probe", terminal=True, mounts=[{"destination": "/dev/pts", "type": "tmpfs"}])
        session.expect_failure(125, "spawn: /process/terminal: /dev/pts/ptmx")


@case()
def console_when_there_is_no_channel(c):
    with Guest(c) as guest:
        session = guest.run("/probe", "both", channel=False)
        check_equal(session.record["code"], 0, "exit code")
        check_equal(session.is_record_on_console, True, "record on the console")
        check_equal(session.console.split(b"smk-exit: ")[0].count(b"again\n"), 2, "output on the console")


@case()
def console_that_stalls(c):
    """PID 1 does not wait for a console that nobody reads for more than a few seconds."""
    with Guest(c) as guest:
        session = guest.start("/probe", "write", 60000, 1, 5)
        session.is_crediting = True
        session.wait_started()
        time.sleep(0.2)
        session.finish().expect(5, out=PATTERN[:60000])
