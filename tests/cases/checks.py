# SPDX-License-Identifier: Apache-2.0
"""Types of values: each is a function from a value to what is wrong with it, or None."""
from base import ID_MAX, U32, U64, shown


def type_of(value):
    if value is None:
        return "null"
    for kind, name in ((bool, "a boolean"), (int, "a number"), (float, "a number"),
                       (str, "a string"), (list, "an array"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    raise TypeError(value)


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


def names_path(value):
    return None if not value else absolute_path(value)


def list_of(limit):
    return lambda value: None if not value else (
        "must be a list like 0-3,7 with numbers below %d" % limit)


def cpu_list(value):
    return None if not value else "must be a list like 0-3,7"


def optional_name(what):
    return lambda value: "unknown %s %s" % (what, shown(value)) if value else None


def device_kind(value):
    return "must be a, b or c, not " + shown(value) if value else None


def access(value):
    return "must be of r, w and m, not " + shown(value) if value else None


def interface(value):
    return "is not a network device's name" if len(value) > 15 else None


def at_least_one(value):
    return array(value) or (None if value else "must have at least one element")


def not_in_v2(low, high):
    return lambda value: integer(low, high)(value) or "is not supported by cgroup v2"


U64_FIELD = integer(0, U64)
I64 = 2**63 - 1
LIMIT = integer(-1, I64)
MAJOR = integer(0, 4095)
MINOR = integer(0, 1048575)
GIVEN = "must be given"
