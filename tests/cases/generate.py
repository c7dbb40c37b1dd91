#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generated cases for tests/cases/run: every field of the configuration with every kind of wrong
value (the verdicts stand in matrix.txt), damaged JSON text, and limits. What the parser must say is
worked out here, from the specification's types, without its source.

generate.py          the stream that `run -` reads
generate.py table    the matrix as this model sees it, to be compared with matrix.txt
"""
import copy
import json
import os
import sys

U32 = 2**32 - 1
U64 = 2**64 - 1
ID_MAX = U32 - 1
MIB = "x" * 2**20
FATAL = "init-oci: fatal: parse: "

BASE = {
    "ociVersion": "1.2.0",
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "box",
    "domainname": "example.org",
    "annotations": {"a.b": "c"},
    "hooks": {},
    "process": {
        "terminal": True,
        "consoleSize": {"height": 25, "width": 80},
        "args": ["/bin/sh"],
        "env": ["A=b"],
        "cwd": "/",
        "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [5]},
        "capabilities": {
            key: ["CAP_KILL"]
            for key in ("bounding", "effective", "inheritable", "permitted", "ambient")
        },
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": U64}],
        "noNewPrivileges": True,
        "oomScoreAdj": 100,
    },
    "mounts": [
        {
            "destination": "/data",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "size=64k"],
        }
    ],
    "linux": {
        "namespaces": [{"type": "pid"}],
        "devices": [
            {
                "type": "c",
                "path": "/dev/fuse",
                "major": 10,
                "minor": 229,
                "fileMode": 438,
                "uid": 0,
                "gid": 0,
            }
        ],
        "sysctl": {},
    },
}

VALUES = [
    ("null", None),
    ("true", True),
    ("0", 0),
    ("-1", -1),
    ("2^63", 2**63),
    ("2^64-1", U64),
    ("1.5", 1.5),
    ("empty", ""),
    ("x", "x"),
    ("list", []),
    ("object", {}),
    ("1MiB", MIB),
]


def type_of(value):
    if value is None:
        return "null"
    for kind, name in ((bool, "a boolean"), (int, "a number"), (float, "a number"),
                       (str, "a string"), (list, "an array"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    raise TypeError(value)


def shown(text):
    return '"%s"' % text[:40]


# Each type is a function from a value to what is wrong with it, or None.
def must_be(name):
    return lambda value: None if type_of(value) == name else (
        "must be %s, not %s" % ("an integer" if name == "a number" else name, type_of(value)))


boolean = must_be("a boolean")
string = must_be("a string")
array = must_be("an array")
an_object = must_be("an object")


def integer(low, high):
    def check(value):
        wrong = must_be("a number")(value)
        if not wrong and (isinstance(value, float) or not low <= value <= high):
            wrong = "must be an integer from %d to %d" % (low, high)
        return wrong
    return check


def text(check):
    return lambda value: string(value) or check(value)


def path(value):
    if not value:
        return "must not be empty"
    return "must be shorter than 4096 bytes" if len(value) >= 4096 else None


def absolute_path(value):
    return path(value) or (
        None if value[0] == "/" else "must be an absolute path, not " + shown(value))


def uts(value):
    if not value:
        return "must not be empty"
    return "must be at most 64 bytes" if len(value) > 64 else None


def strings_at_least_one(value):
    return array(value) or (None if value else "must have at least one element")


def none_of(message):
    return lambda value: message + " " + shown(value)


def refused(kind, message):
    def check(value):
        wrong = must_be(kind)(value)
        return wrong or (message if value else None)
    return check


def data_option(value):
    if not value:
        return "a mount option must have a name"
    return ("a mount option's name and value must be at most 255 bytes"
            if len(value) > 255 else None)


def env(value):
    return None if "=" in value else 'must be NAME=VALUE, has no "="'


U64_FIELD = integer(0, U64)
LINUX = "/linux"
NAMED = "is not supported"
# pointer: (check, what is said when it is absent)
FIELDS = {
    "/ociVersion": (text(none_of("must be a version like 1.2.0, not")), "must be given"),
    "/root": (an_object, "must be given"),
    "/root/path": (text(path), "must be given"),
    "/root/readonly": (boolean, None),
    "/hostname": (text(uts), None),
    "/domainname": (text(uts), None),
    "/annotations": (an_object, None),
    "/annotations/a.b": (string, None),
    "/hooks": (refused("an object", "hooks are not supported"), None),
    "/solaris": (refused("an object", "Solaris containers are not supported"), None),
    "/windows": (refused("an object", "Windows containers are not supported"), None),
    "/zos": (refused("an object", "z/OS containers are not supported"), None),
    "/freebsd": (refused("an object", "FreeBSD containers are not supported"), None),
    "/vm": (refused("an object", "the vm section is not supported"), None),
    "/process": (an_object, "must be given"),
    "/process/terminal": (boolean, None),
    "/process/consoleSize": (an_object, None),
    "/process/consoleSize/height": (integer(0, 65535), "must be given"),
    "/process/consoleSize/width": (integer(0, 65535), "must be given"),
    "/process/args": (strings_at_least_one, "must be given"),
    "/process/args/0": (string, None),
    "/process/env": (array, None),
    "/process/env/0": (text(env), None),
    "/process/cwd": (text(absolute_path), "must be given"),
    "/process/user": (an_object, None),
    "/process/user/uid": (integer(0, ID_MAX), "must be given"),
    "/process/user/gid": (integer(0, ID_MAX), "must be given"),
    "/process/user/umask": (integer(0, 0o777), None),
    "/process/user/additionalGids": (array, None),
    "/process/user/additionalGids/0": (integer(0, ID_MAX), None),
    "/process/user/username": (
        refused("a string", "user names (of Windows) are not supported"), None),
    "/process/capabilities": (an_object, None),
    "/process/capabilities/bounding": (array, None),
    "/process/capabilities/bounding/0": (string, None),
    "/process/capabilities/effective": (array, None),
    "/process/capabilities/inheritable": (array, None),
    "/process/capabilities/permitted": (array, None),
    "/process/capabilities/ambient": (array, None),
    "/process/rlimits": (array, None),
    "/process/rlimits/0": (an_object, None),
    "/process/rlimits/0/type": (text(none_of("unknown resource limit")), "must be given"),
    "/process/rlimits/0/soft": (U64_FIELD, "must be given"),
    "/process/rlimits/0/hard": (U64_FIELD, "must be given"),
    "/process/noNewPrivileges": (boolean, None),
    "/process/oomScoreAdj": (integer(-1000, 1000), None),
    "/process/apparmorProfile": (refused("a string", "AppArmor is not supported"), None),
    "/process/selinuxLabel": (refused("a string", "SELinux is not supported"), None),
    "/process/scheduler": (
        refused("an object", "scheduler attributes are not supported"), None),
    "/process/ioPriority": (refused("an object", "I/O priorities are not supported"), None),
    "/process/execCPUAffinity": (refused("an object", "CPU affinity is not supported"), None),
    "/process/commandLine": (
        refused("a string", "command lines (of Windows) are not supported"), None),
    "/mounts": (array, None),
    "/mounts/0": (an_object, None),
    "/mounts/0/destination": (text(path), "must be given"),
    "/mounts/0/type": (
        text(lambda v: None if v else "must be given, unless the mount is a bind"),
        "must be given, unless the mount is a bind"),
    "/mounts/0/source": (text(path), None),
    "/mounts/0/options": (array, None),
    "/mounts/0/options/0": (text(data_option), None),
    "/mounts/0/uidMappings": (refused("an array", "ID-mapped mounts are not supported"), None),
    "/mounts/0/gidMappings": (refused("an array", "ID-mapped mounts are not supported"), None),
    "/linux": (an_object, None),
    "/linux/namespaces": (array, None),
    "/linux/namespaces/0": (an_object, None),
    "/linux/namespaces/0/type": (text(none_of("unknown namespace")), "must be given"),
    "/linux/namespaces/0/path": (
        refused("a string", "joining a namespace is not supported"), None),
    "/linux/devices": (array, None),
    "/linux/devices/0": (an_object, None),
    "/linux/devices/0/type": (text(none_of("must be c, b, u or p, not")), "must be given"),
    "/linux/devices/0/path": (text(absolute_path), "must be given"),
    "/linux/devices/0/major": (integer(0, 4095), "must be given for a device"),
    "/linux/devices/0/minor": (integer(0, 1048575), "must be given for a device"),
    "/linux/devices/0/fileMode": (integer(0, U32), None),
    "/linux/devices/0/uid": (integer(0, ID_MAX), None),
    "/linux/devices/0/gid": (integer(0, ID_MAX), None),
    "/linux/uidMappings": (refused("an array", "user namespaces are not supported"), None),
    "/linux/gidMappings": (refused("an array", "user namespaces are not supported"), None),
    "/linux/timeOffsets": (refused("an object", "time namespaces are not supported"), None),
    "/linux/sysctl": (an_object, None),
    "/linux/sysctl/kernel.domainname": (
        refused("a string", "kernel parameters are not supported"), None),
    "/linux/sysctl/net.ipv4.ping_group_range": (string, None),
    "/linux/mountLabel": (refused("a string", "SELinux is not supported"), None),
    "/linux/personality": (refused("an object", "execution domains are not supported"), None),
    "/linux/intelRdt": (refused("an object", "Intel RDT is not supported"), None),
    "/linux/netDevices": (
        refused("an object", "moving network devices is not supported"), None),
    "/linux/memoryPolicy": (refused("an object", "NUMA memory policy is not supported"), None),
    "/linux/cgroupsPath": (string, None),
    "/linux/resources": (an_object, None),
    "/linux/rootfsPropagation": (string, None),
    "/linux/seccomp": (an_object, None),
    "/linux/maskedPaths": (array, None),
    "/linux/readonlyPaths": (array, None),
    "/notOfTheSpecification": (lambda value: None, None),
    "/process/notOfTheSpecification": (lambda value: None, None),
}

# Elements that an empty object cannot be, and values that contradict another member of the base.
EXCEPTIONS = {
    ("/root", "object"): "/root/path: must be given",
    ("/process", "object"): "/process/args: must be given",
    ("/process/consoleSize", "object"): "/process/consoleSize/height: must be given",
    ("/process/user", "object"): "/process/user/uid: must be given",
    ("/process/rlimits/0", "object"): "/process/rlimits/0/type: must be given",
    ("/process/rlimits/0/hard", "0"):
        "/process/rlimits/0: soft must not be greater than hard",
    ("/mounts/0", "object"): "/mounts/0/destination: must be given",
    ("/linux/namespaces/0", "object"): "/linux/namespaces/0/type: must be given",
    ("/linux/devices/0", "object"): "/linux/devices/0/type: must be given",
    ("/process/args/0", "absent"): "/process/args: must have at least one element",
}


def put(config, pointer, value, remove=False):
    keys = pointer.split("/")[1:]
    at = config
    for key in keys[:-1]:
        at = at[int(key)] if isinstance(at, list) else at[key]
    last = int(keys[-1]) if isinstance(at, list) else keys[-1]
    if not remove:
        at[last] = value
    elif isinstance(at, list) or last in at:
        del at[last]


def expected(pointer, name, value):
    """The failure after the stage, or None."""
    if (pointer, name) in EXCEPTIONS:
        return EXCEPTIONS[pointer, name]
    check, absence = FIELDS[pointer]
    wrong = absence if name == "absent" else check(value)
    return wrong and "%s: %s" % (pointer, wrong)


def matrix():
    for pointer in FIELDS:
        for name, value in [("absent", None)] + VALUES:
            config = copy.deepcopy(BASE)
            put(config, pointer, value, remove=name == "absent")
            yield pointer, name, config, expected(pointer, name, value)


def table():
    """The matrix's verdicts, a row a field: "." accepted, "R" refused."""
    names = ["absent"] + [name for name, _ in VALUES]
    rows = ["%-44s %s" % ("# field", " ".join(names))]
    verdicts = {}
    for pointer, name, _, wrong in matrix():
        verdicts.setdefault(pointer, []).append("R" if wrong else ".")
    for pointer, row in verdicts.items():
        marks = " ".join(mark.center(len(name)) for mark, name in zip(row, names))
        rows.append("%-44s %s" % (pointer, marks.rstrip()))
    return "\n".join(rows) + "\n"


def at(line, column, why):
    return FATAL + "config.json:%d:%d: %s" % (line, column, why)


def with_text(before, after=b"}"):
    """The base with something raw as the value of an unknown member."""
    head = json.dumps(BASE).encode()[:-1] + b', "z": '
    return head + before + after, len(head) + 1


def texts():
    """Damaged or odd JSON text: name, bytes, expected line or accept."""
    base = json.dumps(BASE).encode()
    yield "empty", b"", at(1, 1, "expected an object")
    yield "blanks", b" \n\t ", at(2, 3, "expected an object")
    yield "null", b"null", at(1, 1, "expected an object")
    yield "string", b'"x"', at(1, 1, "expected an object")
    yield "array", b"[1]", at(1, 1, "expected an object")
    yield "bom", b"\xef\xbb\xbf" + base, at(1, 1, "expected an object")
    yield "two-objects", base + base, at(1, len(base) + 1, "expected the end of the text")
    yield "trailing-blanks", base + b" \r\n\t", "accept"
    yield "trailing-nul", base + b"\0", at(1, len(base) + 1, "expected the end of the text")
    yield "trailing-comma", base + b",", at(1, len(base) + 1, "expected the end of the text")
    yield "cut-short", base[:-1], at(1, len(base), 'expected "," or "}"')
    yield "duplicate", b'{"a":1,\n "a":2}', at(2, 2, "this key is there twice")
    yield "duplicate-escaped", b'{"a":1,"\\u0061":2}', at(1, 8, "this key is there twice")
    yield "unquoted-key", b"{a:1}", at(1, 2, "expected a key in double quotes")
    yield "single-quotes", b"{'a':1}", at(1, 2, "expected a key in double quotes")
    yield "no-colon", b'{"a" 1}', at(1, 6, 'expected ":"')
    yield "comma-first", b'{,"a":1}', at(1, 2, "expected a key in double quotes")
    yield "comma-last", b'{"a":1,}', at(1, 8, "expected a key in double quotes")
    yield "columns-are-characters", '{"ä":1 x'.encode(), at(1, 8, 'expected "," or "}"')
    for name, raw, column, why in (
        ("nul-after-number", b"1\0", 1, 'expected "," or "}"'),
        ("nul-in-array", b"[1\0,2]", 2, 'expected "," or "]"'),
        ("nul-after-true", b"true\0", 4, 'expected "," or "}"'),
        ("nul-in-string", b'"a\0b"', 2, "a string cannot contain control characters"),
        ("newline-in-string", b'"a\nb"', 2, "a string cannot contain control characters"),
        ("unit-separator-in-string", b'"\x1f"', 1, "a string cannot contain control characters"),
        ("escaped-nul", b'"\\u0000"', 1, "a string cannot contain NUL"),
        ("utf8-ff", b'"\xff"', 1, "not UTF-8"),
        ("utf8-overlong", b'"\xc0\x80"', 1, "not UTF-8"),
        ("utf8-overlong-3", b'"\xe0\x9f\xbf"', 1, "not UTF-8"),
        ("utf8-overlong-4", b'"\xf0\x8f\xbf\xbf"', 1, "not UTF-8"),
        ("utf8-surrogate", b'"\xed\xa0\x80"', 1, "not UTF-8"),
        ("utf8-too-high", b'"\xf4\x90\x80\x80"', 1, "not UTF-8"),
        ("utf8-cut", b'"\xc3"', 1, "not UTF-8"),
        ("utf8-bad-after-escape", b'"\\n\xff"', 3, "not UTF-8"),
        ("lone-high", b'"\\ud800"', 1, "not a character"),
        ("lone-low", b'"\\udc00"', 1, "not a character"),
        ("high-high", b'"\\ud800\\ud800"', 1, "not a character"),
        ("high-then-letter", b'"\\ud800\\n"', 1, "not a character"),
        ("hex-short", b'"\\u00"', 1, "not a character"),
        ("hex-wrong", b'"\\u00g0"', 1, "not a character"),
        ("escape-unknown", b'"\\x41"', 2, "not an escape sequence"),
        ("leading-zero", b"01", 0, "not a number"),
        ("minus-alone", b"-", 0, "not a number"),
        ("minus-leading-zero", b"-01", 0, "not a number"),
        ("plus", b"+1", 0, "expected a value"),
        ("point-first", b".5", 0, "expected a value"),
        ("point-last", b"1.", 1, 'expected "," or "}"'),
        ("exponent-empty", b"1e", 1, 'expected "," or "}"'),
        ("exponent-sign", b"1e+", 1, 'expected "," or "}"'),
        ("hexadecimal", b"0x10", 1, 'expected "," or "}"'),
        ("nan", b"NaN", 0, "expected a value"),
        ("infinity", b"Infinity", 0, "expected a value"),
        ("true-cut", b"tru", 0, "expected a value"),
        ("true-long", b"truely", 4, 'expected "," or "}"'),
        ("comment", b"/* */ 1", 0, "expected a value"),
        ("comma-in-array", b"[1,]", 3, "expected a value"),
        ("comma-only", b"[,]", 1, "expected a value"),
        ("array-open", b"[1", 2, 'expected "," or "]"'),
        ("array-wrong-bracket", b"[1)", 2, 'expected "," or "]"'),
        ("value-missing", b"", 0, "expected a value"),
        ("deep-arrays", b"[" * 128, 127, "nested too deeply"),
        ("deep-objects", b'{"a":' * 128, 5 * 127, "nested too deeply"),
        ("deep-100000", b"[" * 100000, 127, "nested too deeply"),
    ):
        raw, start = with_text(raw)
        yield name, raw, at(1, start + column, why)
    raw, start = with_text(b'"abc', b"")
    yield "string-open", raw, at(1, start + 4, "the text ends within a string")
    raw, start = with_text(b'"abc\\', b"")
    yield "string-open-in-escape", raw, at(1, start + 4, "not an escape sequence")
    for cut in (b"", b"0", b"00", b"004"):
        raw, start = with_text(b'"\\u' + cut, b"")
        yield "string-open-in-hex-%d" % len(cut), raw, at(1, start + 1, "not a character")
    raw, start = with_text(b'"\\ud800\\u', b"")
    yield "string-open-in-pair", raw, at(1, start + 1, "not a character")
    raw, start = with_text(b"", b"")
    yield "value-cut", raw, at(1, start, "the text ends too early")
    for name, raw in (
        ("depth-128", b"[" * 127 + b"]" * 127),
        ("number-2^64", b"18446744073709551616"),
        ("number-minus-2^63", b"-9223372036854775808"),
        ("number-below-minus-2^63", b"-9223372036854775809"),
        ("number-1000-digits", b"9" * 1000),
        ("number-1e400", b"1e400"),
        ("number-1e-400", b"-1.0E-400"),
        ("number-minus-zero", b"-0"),
        ("delete", b'"\x7f"'),
        ("empty-key", b'{"":1}'),
        ("surrogate-pair", b'"\\ud83d\\ude00 \\uFFFF \xf0\x9f\x98\x80"'),
        ("escapes", b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041"'),
    ):
        yield "accepted-" + name, with_text(raw)[0], "accept"


def changed(pointer, value):
    config = copy.deepcopy(BASE)
    put(config, pointer, value)
    return config


def limits():
    """Values at the edge of what is allowed, and combinations: name, configuration, failure."""
    def both(name, pointer, good, bad, why):
        if good is not None:
            yield name + "-fits", changed(pointer, good), None
        yield name, changed(pointer, bad), why and pointer + ": " + why

    def rlimits(*rows):
        return [{"type": t, "soft": s, "hard": h} for t, s, h in rows]

    for version in ("2.0.0", "0.9.0", "10.0.0"):
        yield "version-" + version, changed("/ociVersion", version), (
            "/ociVersion: must be a version 1.x, not " + shown(version))
    for version in ("invalid", "1", "1.0", "1.2.3.4", "01.0.0", "1.00.0", "1.0.0-", "1.0.0+",
                    "1.0.0 ", "v1.0.0", "1.0.0-a+b+c"):
        yield "version-" + version.replace(" ", "_"), changed("/ociVersion", version), (
            "/ociVersion: must be a version like 1.2.0, not " + shown(version))
    for version in ("1.0.0", "1.99.0", "1.0.2-dev", "1.3.0-rc.1+build.5", "1.0.0+x"):
        yield "version-" + version, changed("/ociVersion", version), None
    for key in ("/hostname", "/domainname"):
        name = key[1:]
        yield from both(name, key, "h" * 64, "h" * 65, "must be at most 64 bytes")
        for what, char in (("newline", "\n"), ("tab", "\t"), ("blank", " "), ("delete", "\x7f")):
            yield from both(name + "-" + what, key, None, "a" + char + "b",
                            "must have no blanks or control characters")
    yield "annotation-empty-key", changed("/annotations", {"": "x"}), (
        "/annotations: must have no empty key")
    yield "annotation-pointer-escapes", changed("/annotations", {"a/b~c": 1}), (
        "/annotations/a~1b~0c: must be a string, not a number")
    yield "annotation-long-key", changed("/annotations", {"k" * 200: 1}), (
        "..." + "k" * 92 + ": must be a string, not a number")
    yield "annotations-100000", changed("/annotations", {str(i): "" for i in range(100000)}), None
    yield from both("oom-score-high", "/process/oomScoreAdj", 1000, 1001,
                    "must be an integer from -1000 to 1000")
    yield from both("oom-score-low", "/process/oomScoreAdj", -1000, -1001,
                    "must be an integer from -1000 to 1000")
    yield from both("umask", "/process/user/umask", 0o777, 0o1777,
                    "must be an integer from 0 to 511")
    for key in ("uid", "gid"):
        for value in (U32, U32 + 1):
            yield from both("%s-%d" % (key, value), "/process/user/" + key, U32 - 1, value,
                            "must be an integer from 0 to 4294967294")
    yield from both("groups-65537", "/process/user/additionalGids", [1] * 65536, [1] * 65537,
                    "must have at most 65536 elements")
    yield from both("console-width", "/process/consoleSize/width", 65535, 65536,
                    "must be an integer from 0 to 65535")
    yield from both("path-4096", "/root/path", "p" * 4095, "p" * 4096,
                    "must be shorter than 4096 bytes")
    yield "env-no-name", changed("/process/env", ["A=b", "=x"]), (
        "/process/env/1: must be NAME=VALUE, has no name")
    yield "env-secret-not-shown", changed("/process/env", ["hunter2"]), (
        '/process/env/0: must be NAME=VALUE, has no "="')
    yield "env-duplicate", changed("/process/env", ["A=1", "A=2"]), None
    yield "env-128-KiB", changed("/process/env", ["A=" + "b" * 131072]), None
    yield "env-100000", changed("/process/env", ["A%d=b" % i for i in range(100000)]), None
    yield "args-number", changed("/process/args", ["a", 1]), (
        "/process/args/1: must be a string, not a number")
    yield "rlimit-twice", changed("/process/rlimits", rlimits(
        ("RLIMIT_CPU", 1, 1), ("RLIMIT_CORE", 1, 1), ("RLIMIT_CPU", 1, 1))), (
        "/process/rlimits/2: RLIMIT_CPU is there twice")
    yield "rlimit-soft-hard", changed("/process/rlimits", rlimits(("RLIMIT_CPU", 2, 1))), (
        "/process/rlimits/0: soft must not be greater than hard")
    yield "rlimit-infinity-hard", changed("/process/rlimits", rlimits(
        ("RLIMIT_CPU", U64, U64 - 1))), "/process/rlimits/0: soft must not be greater than hard"
    yield "rlimit-2^64", changed("/process/rlimits", rlimits(("RLIMIT_CPU", 0, U64 + 1))), (
        "/process/rlimits/0/hard: must be an integer from 0 to 18446744073709551615")
    yield "rlimit-all", changed("/process/rlimits", rlimits(*[
        ("RLIMIT_" + name, 2**63, U64) for name in (
            "AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME "
            "SIGPENDING STACK").split()])), None
    for kind in ("user", "time"):
        yield "namespace-" + kind, changed("/linux/namespaces", [{"type": kind}]), (
            "/linux/namespaces/0/type: %s namespaces are not supported" % kind)
    yield "namespace-twice", changed("/linux/namespaces", [{"type": "pid"}, {"type": "pid"}]), (
        '/linux/namespaces/1: namespace "pid" is there twice')
    yield "namespace-all", changed("/linux/namespaces", [
        {"type": t} for t in ("pid", "network", "mount", "ipc", "uts", "cgroup")]), None
    yield from mounts()
    yield from devices()
    for key in ("k" * 65, "../../x", "net/../kernel/x"):
        yield "sysctl-" + key.replace("/", "~"), changed("/linux/sysctl", {key: "1"}), (
            "/linux/sysctl/%s: kernel parameters are not supported" % key.replace("/", "~1"))


def mounts():
    def options(*words, **members):
        mount = {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}
        mount.update(members, options=list(words))
        return changed("/mounts", [mount])

    for word in ("idmap ridmap remount tmpcopyup rro rrw rnosuid rsuid rnodev rdev rnoexec rexec "
                 "rnodiratime rdiratime rrelatime rnorelatime rnoatime ratime rstrictatime "
                 "rnostrictatime rnosymfollow rsymfollow").split():
        yield "option-" + word, options(word), (
            '/mounts/0/options/0: mount option "%s" is not supported' % word)
    for word in ("async atime defaults dev diratime dirsync exec iversion lazytime loud mand "
                 "noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime "
                 "nostrictatime nosuid nosymfollow private relatime ro rprivate rshared rslave "
                 "runbindable rw shared silent slave strictatime suid symfollow sync unbindable"
                 ).split():
        yield "option-" + word, options(word), None
    long = "a mount option's name and value must be at most 255 bytes"
    yield "option-value-255", options("k=" + "v" * 255), None
    yield "option-value-256", options("k=" + "v" * 256), "/mounts/0/options/0: " + long
    yield "option-key-256", options("k" * 256 + "=v"), "/mounts/0/options/0: " + long
    yield "option-no-key", options("=v"), (
        "/mounts/0/options/0: a mount option must have a name")
    yield "option-comma", options("mpol=bind:0,2"), None
    yield "option-4096", options(*["k%d=%s" % (i, "v" * 250) for i in range(40)]), None
    yield "bind-data", options("bind", "size=1"), (
        '/mounts/0/options: a bind mount has no option "size=1"')
    yield "bind-sync", options("rbind", "sync"), (
        '/mounts/0/options: a bind mount has no option "sync"')
    yield "bind-type", options("ro", type="bind", source="/srv"), None
    yield "bind-none", options("rbind", type="none", source="/srv"), None
    for name, mount in (("type", {"destination": "/a", "type": "bind"}),
                        ("option", {"destination": "/a", "options": ["rbind"]})):
        yield "bind-no-source-" + name, changed("/mounts", [mount]), (
            "/mounts/0/source: must be given for a bind mount")
    yield "type-missing", changed("/mounts", [{"destination": "/a"}]), (
        "/mounts/0/type: must be given, unless the mount is a bind")
    for path in ("/", "//", "/./", "."):
        yield "mount-root-" + path.replace("/", "~"), options(destination=path), (
            "plan: /mounts/0: a mount cannot replace the root")


def devices():
    def device(**members):
        base = {"type": "c", "path": "/dev/x", "major": 1, "minor": 2}
        base.update(members)
        return changed("/linux/devices", [{k: v for k, v in base.items() if v is not None}])

    where = "/linux/devices/0"
    for kind in ("u", "b"):
        yield "device-" + kind, device(type=kind), None
    for kind in ("cc", "x"):
        yield "device-type-" + kind, device(type=kind), (
            where + "/type: must be c, b, u or p, not " + shown(kind))
    yield "device-fifo-without-numbers", device(type="p", major=None, minor=None), None
    yield "device-no-major", device(major=None), where + "/major: must be given for a device"
    yield "device-no-minor", device(type="b", minor=None), (
        where + "/minor: must be given for a device")
    yield "device-relative", device(path="dev/x"), (
        where + '/path: must be an absolute path, not "dev/x"')
    for path in ("/dev/../etc/x", "/..", "/dev/.."):
        yield "device-path-" + path.replace("/", "~"), device(path=path), (
            where + '/path: must not contain ".."')
    yield "device-path-dots", device(path="/dev/..x/...y"), None
    yield "device-mode", device(fileMode=0o7777), None
    yield "device-mode-with-type", device(fileMode=0o20666), None
    yield "device-mode-other-type", device(fileMode=0o60666), (
        where + "/fileMode: must be permissions, at most 4095")
    yield "device-mode-high", device(fileMode=0o10000), (
        where + "/fileMode: must be permissions, at most 4095")
    yield "device-major-4096", device(major=4096), (
        where + "/major: must be an integer from 0 to 4095")
    yield "device-minor-2^20", device(minor=2**20), (
        where + "/minor: must be an integer from 0 to 1048575")


def big_texts():
    """Sizes: the limit on the text, and on the memory it may take."""
    base = json.dumps(BASE).encode()
    limit = 4 * 2**20
    yield "size-limit-fits", base + b" " * (limit - len(base)), "accept"
    yield "size-limit", base + b" " * (limit + 1 - len(base)), (
        FATAL + "config.json: must be at most 4194304 bytes, not 4194305")
    raw, start = with_text(b"[" + b"[]," * 1300000 + b"1]")
    assert start < len(raw) <= limit
    yield "heap-limit", raw, FATAL + "more memory is needed than it may use"


def emit(name, raw, line):
    sys.stdout.buffer.write(b"%s %d %s\n" % (name.encode(), len(raw), line.encode()))
    sys.stdout.buffer.write(raw)


def line_of(wrong):
    if not wrong:
        return "accept"
    return "init-oci: fatal: " + wrong if wrong.startswith("plan: ") else FATAL + wrong


def main():
    if sys.argv[1:] == ["table"]:
        sys.stdout.write(table())
        return
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "matrix.txt"), encoding="utf-8") as file:
        if file.read() != table():
            sys.exit("not ok matrix: matrix.txt differs from the model (generate.py table)")
    for pointer, name, config, wrong in matrix():
        emit("matrix%s=%s" % (pointer, name), json.dumps(config).encode(), line_of(wrong))
    for name, raw, line in texts():
        emit("text-" + name, raw, line)
    for name, config, wrong in limits():
        emit("limit-" + name, json.dumps(config).encode(), line_of(wrong))
    for name, raw, line in big_texts():
        emit("big-" + name, raw, line)


main()
