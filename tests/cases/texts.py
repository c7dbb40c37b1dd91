# SPDX-License-Identifier: Apache-2.0
"""Damaged or odd JSON text, and sizes: name, bytes, expected line or "accept"."""
import json

from base import BASE, FATAL


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
