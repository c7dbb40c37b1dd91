# SPDX-License-Identifier: Apache-2.0
"""The control channel: what init-oci says, and what it makes of a host that errs, stalls or goes away."""

import json
import random
import socket
import struct

from harness import case, check, check_equal
from session import CONTROL, CREDIT, DATA, END, STDERR, STDIN, STDOUT, WINDOW, Guest, frame


@case()
def events_of_a_run(c):
    with Guest(c) as guest:
        session = guest.run("/probe", "exit", 3).expect(3)
        check_equal([e["type"] for e in session.events], ["hello", "started", "exit"], "events")
        hello, started, end = session.events
        check_equal(hello["version"], 1, "version")
        check_equal(list(hello["timings"]), ["main", "bootargs", "discover"], "hello's timings")
        times = list(end["timings"].values())
        check_equal(times, sorted(times), "order of the timings")
        check_equal(list(end["timings"]), ["main", "bootargs", "discover", "parse", "plan", "apply", "spawn",
                                           "exit", "report"], "timings")
        check(started["pid"] > 1, "pid")
        check(0 < end["maxRssBytes"] < 1 << 30, "maxRssBytes")
        check_equal(session.console, b"", "console")


@case()
def unknown_requests_are_named(c):
    requests = {
        b'{"type":"nonsense"}': '"nonsense"',
        b'{"type":"signal","signal":99}': "/signal",
        b'{"type":"signal","signal":0}': "/signal",
        b'{"type":"signal"}': "/signal",
        b'{"type":"resize","rows":1}': "/columns",
        b'{"signal":1}': "/type",
        b"{bad": "",
        b"": "",
        b"[]": "",
        b"\xff\xfe": "",
    }
    with Guest(c) as guest:
        session = guest.start("/probe", "cat").wait_started()
        for number, (request, words) in enumerate(requests.items()):
            session.send(CONTROL, 0, request)
            session.read_until(lambda n=number: len(session.errors) > n, f"answer to {request}")
            check(session.errors[-1].startswith("request: "), f"answer {session.errors[-1]}")
            check(words in session.errors[-1], f"{words} is not in {session.errors[-1]}")
        session.send(DATA, STDIN, b"still here", flags=END)
        session.finish().expect(out=b"still here")
        check_equal(len(session.errors), len(requests), "number of errors")


MALFORMED = {
    "unknown type": (frame(9), "frame: unknown type 9"),
    "type 0": (frame(0), "frame: unknown type 0"),
    "too long": (struct.pack("<BBHI", DATA, 0, 0, 65537), "frame: too long"),
    "control with flags": (frame(CONTROL, 0, b"{}", 4), "frame: CONTROL"),
    "data to an output": (frame(DATA, STDOUT, b"x"), "frame: DATA"),
    "data to nothing": (frame(DATA, 77, b"x"), "frame: DATA"),
    "data with flags": (frame(DATA, STDIN, b"x", 6), "frame: DATA"),
    "data after the end": (frame(DATA, STDIN, b"", END) + frame(DATA, STDIN, b"x"), "frame: DATA"),
    "data without credit": (frame(DATA, STDIN, bytes(65536)) * 6, "frame: DATA"),
    "credit to the input": (frame(CREDIT, STDIN, bytes(4)), "frame: CREDIT"),
    "credit to nothing": (frame(CREDIT, 3, bytes(4)), "frame: CREDIT"),
    "short credit": (frame(CREDIT, STDOUT, bytes(3)), "frame: CREDIT"),
    "too much credit": (frame(CREDIT, STDOUT, b"\xff" * 4), "frame: CREDIT"),
}


@case()
def malformed_frames_close_the_channel(c):
    """One error event says why; the run goes on, and the exit record comes on the console."""
    with Guest(c) as guest:
        sessions = {name: guest.start("/probe", "sleep", 1).wait_output(b"sleeping") for name in MALFORMED}
        for name, (sent, _) in MALFORMED.items():
            sessions[name].socket.sendall(sent)
        for name, (_, words) in MALFORMED.items():
            session = sessions[name].finish().expect(0)
            check_equal(len(session.errors), 1, f"errors after {name}")
            check(session.errors[0].startswith(words), f"{name}: {session.errors[0]}")
            check(session.is_record_on_console, f"{name}: no record on the console")


def random_frames(source):
    """Bytes that are frames more often than chance would have it."""
    out = b""
    for _ in range(source.randrange(1, 12)):
        payload = source.choice((b"", b"x", b"{}", b'{"type":"resize","rows":1,"columns":1}', bytes(4), source.randbytes(30)))
        whole = frame(source.randrange(5), source.randrange(5), payload, source.choice((0, 0, 0, 1, 128)))
        at = source.randrange(len(whole))
        out += source.choice((whole, whole, whole, source.randbytes(9), whole[:at] + source.randbytes(1) + whole[at + 1:]))
    return out


@case(90)
def random_bytes(c):
    """Whatever a host sends: the run goes on, and ends with one record."""
    with Guest(c) as guest:
        for seed in range(150):
            session = guest.start("/probe", "cat", gate=True)
            session.socket.sendall(random_frames(random.Random(seed)))
            session.socket.shutdown(socket.SHUT_WR)
            session.open_gate()
            session.finish()
            got = (session.record["phase"], session.record["code"] in (0, *range(129, 193)))
            check_equal(got, ("run", True), f"seed {seed}: {session}")


@case()
def frames_in_pieces(c):
    request = frame(CONTROL, 0, json.dumps({"type": "signal", "signal": 10}).encode())
    with Guest(c) as guest:
        session = guest.start("/probe", "signals", 2).wait_output(b"ready\n")
        for byte in request + request:
            session.socket.sendall(bytes([byte]))
            if byte == request[-1]:
                session.pump(0.05)
        session.wait_output(b"signal 10\n")
        session.socket.sendall(request)
        session.finish().expect()


@case()
def host_goes_away(c):
    """At once, while it writes, and with requests unread: the record always comes."""
    with Guest(c) as guest:
        for args, code in ((("exit", 4), 4), (("write", 1 << 20, 1, 5), 5), (("cat",), 0)):
            session = guest.start("/probe", *args, gate=True)
            session.socket.shutdown(socket.SHUT_RDWR)
            session.open_gate()
            session.finish().expect(code)
            check(session.is_record_on_console, "record on the console")
        session = guest.start("/probe", "write", 1 << 20, 1, 6)
        session.is_crediting = False
        session.read_until(lambda: len(session.output[STDOUT]) == WINDOW, "a window of output")
        session.socket.shutdown(socket.SHUT_RDWR)
        session.finish().expect(6)
        check_equal(session.record["droppedBytes"], (1 << 20) - WINDOW, "droppedBytes")


@case()
def host_half_closes(c):
    """A host that will send no more has closed the channel."""
    with Guest(c) as guest:
        session = guest.start("/probe", "cat").wait_started()
        session.socket.shutdown(socket.SHUT_WR)
        session.finish().expect(0)


@case()
def host_reads_nothing_at_all(c):
    """Whether the exit record still fits the host's buffers or not, there is one, and in time."""
    with Guest(c) as guest:
        for size in (1000, WINDOW):
            session = guest.start("/probe", "write", size, 1, 7)
            session.is_reading = False
            session.finish(30)
            check_equal(session.record["code"], 7, "exit code")
            check_equal(session.is_record_on_console, size == WINDOW, f"console with {size} bytes")


@case()
def flood_of_requests(c):
    """A host that asks without reading the answers stops being served, and nothing else suffers."""
    with Guest(c) as guest:
        session = guest.start("/probe", "sleep", 1).wait_output(b"sleeping")
        session.socket.setblocking(False)
        flood = frame(CONTROL, 0, b'{"type":"nonsense"}') * 1000
        sent = 0
        try:
            while sent < 1000:
                sent += session.socket.send(flood) // 27
        except BlockingIOError:
            pass
        session.socket.setblocking(True)
        session.finish().expect(0)
        check(session.errors, "no answers")


@case()
def requests_after_the_end(c):
    """Nobody is left to take a signal: an answer, not a signal to whoever has the pid now."""
    with Guest(c) as guest:
        session = guest.start("/probe", "write", WINDOW + 1000, 1, 3)
        session.is_crediting = False
        session.read_until(lambda: len(session.output[STDOUT]) == WINDOW, "a window of output")
        session.pump(0.3)
        session.request(type="signal", signal=9)
        session.read_until(lambda: session.errors, "answer")
        check_equal(session.errors, ["request: the entrypoint has ended"], "errors")
        session.send(CREDIT, STDOUT, struct.pack("<I", 1000))
        session.finish().expect(3)
        check_equal(len(session.output[STDOUT]), WINDOW + 1000, "output")


@case()
def failure_is_told_on_the_channel(c):
    with Guest(c) as guest:
        session = guest.run("/nosuch").expect_failure(127, "/nosuch")
        check_equal([e["type"] for e in session.events], ["hello", "error", "exit"], "events")
        failure = session.record["failure"]
        check_equal((failure["stage"], failure["field"], failure["path"], failure["op"]),
                    ("spawn", "/process/args/0", "/nosuch", "execve"), "failure")


@case()
def failure_to_discover_is_told_too(c):
    """The channel is found first, so even a machine without its layers can say what is wrong."""
    with Guest(c) as guest:
        session = guest.run("/probe", cmdline="smk.layers=nosuch").expect_failure(125, "discover: smk.layers", "nosuch")
        check_equal([e["type"] for e in session.events], ["hello", "error", "exit"], "events")
        check_equal(list(session.events[0]["timings"]), ["main", "bootargs"], "hello's timings")


@case()
def no_such_descriptor(c):
    with Guest(c) as guest:
        session = guest.start("/probe", channel=False, cmdline="smk.control=fd:77")
        session.finish()
        check(session.record["code"] == 125 and session.is_record_on_console, f"{session}")
        check_equal(session.output[STDERR], b"", "stderr")
