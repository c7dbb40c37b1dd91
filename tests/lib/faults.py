#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults.py TOOL ASSETS WORK: one extraction, again and again, with a fault at each of its system calls.

A first run under strace lists the calls. Then, for each call of the extraction: kill the process there;
or let the call fail with each errno that it may have. After every case the target is absent, the old
content or the right one; a failing call gives the result it must; nothing but (after a kill) our own
temporary file lies beside the target; and a second, undisturbed run succeeds."""
import collections
import concurrent.futures
import errno
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOOL, ASSETS, WORK = map(pathlib.Path, sys.argv[1:])
WANT = hashlib.sha256((ASSETS / "kernel").read_bytes()).hexdigest()
# As long as the right content, so that it is read before it is replaced.
OLD = bytes((ASSETS / "kernel").stat().st_size)
NO_MEMORY, NO_DIRECTORY, TARGET, NO_SPACE, IO = 2, 8, 9, 10, 11
TEMPORARY = re.compile(r"\.target\.\d+-[0-9a-f]{16}\.tmp")

# Which calls may fail how, and the result that the extraction must then have (0: it goes on or tries
# again). A row applies to the calls of that name whose trace matches the pattern; the first one counts.
ROWS = [
    ("openat", r"O_CREAT", {"ENOSPC": NO_SPACE, "EDQUOT": NO_SPACE, "EACCES": IO, "EMFILE": IO, "EINTR": 0, "EEXIST": 0}),
    ("openat", r'"\."', {"EMFILE": 0, "EACCES": 0}),
    ("openat", r'"target"', {"EACCES": 0, "EMFILE": 0, "EIO": 0}),
    ("openat", r"AT_FDCWD", {"EACCES": IO, "EMFILE": IO, "ENOENT": NO_DIRECTORY, "EINTR": 0}),
    ("newfstatat", r'"target"', {"EIO": IO, "EACCES": IO}),
    ("newfstatat", r"AT_EMPTY_PATH", {"EIO": 0}),
    ("read", r"", {"EIO": 0, "EINTR": 0}),
    ("memfd_create", r"", {"EMFILE": IO, "ENOMEM": NO_MEMORY, "EPERM": IO, "EINVAL": 0}),
    ("fallocate", r"", {"ENOSPC": NO_MEMORY, "ENOMEM": NO_MEMORY, "EIO": IO, "EINTR": 0}),
    ("mmap", r"MAP_SHARED", {"ENOMEM": NO_MEMORY, "EPERM": IO}),
    ("fcntl", r"F_ADD_SEALS", {"EBUSY": IO, "EPERM": IO}),
    ("sched_getaffinity", r"", {"EINVAL": 0}),
    ("getdents64", r"", {"EIO": 0}),
    ("getrandom", r", 8, 0\)", {"EIO": IO, "EINTR": 0}),
    ("flock", r"", {"EINTR": 0, "ENOLCK": 0, "EOPNOTSUPP": 0}),
    ("prlimit64", r"", {"EPERM": 0}),
    ("write", r"", {"ENOSPC": NO_SPACE, "EDQUOT": NO_SPACE, "EFBIG": NO_SPACE, "EIO": IO, "EINTR": 0, "EAGAIN": 0}),
    ("fsync", r"", {"EIO": IO, "ENOSPC": NO_SPACE, "EDQUOT": NO_SPACE, "EINTR": 0}),
    ("renameat", r"", {"EIO": IO, "ENOSPC": NO_SPACE, "EACCES": IO, "EROFS": IO, "EISDIR": TARGET}),
    ("close", r"", {"EINTR": 0, "EIO": 0}),
]
NEEDED = {row[0] for row in ROWS}

Call = collections.namedtuple("Call", "name nth text")


def fresh(name, with_old):
    directory = WORK / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if with_old:
        (directory / "target").write_bytes(OLD)
    return directory


def extract(directory, *strace):
    """One processor, so that no thread is started and the calls are the same each time."""
    command = [TOOL, "to", "kernel", directory / "target"]
    if strace:
        command = ["taskset", "-c", "0", "strace", "-f", "-o", directory.parent / (directory.name + ".trace"), *strace, *command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.strip()


def list_calls(with_old):
    """The calls from the opening of the target's directory to the end, with their number by name."""
    directory = fresh("list", with_old)
    code, _ = extract(directory, "-qq")
    assert code == 0, code
    calls, counts, is_ours = [], collections.Counter(), False
    for line in (WORK / "list.trace").read_text().splitlines():
        match = re.match(r"(\d+) +(\w+)\(", line)
        if not match:
            continue
        name = match[2]
        counts[(match[1], name)] += 1
        is_ours |= name == "openat" and f'"{directory}"' in line
        if is_ours:
            calls.append(Call(name, counts[(match[1], name)], line))
        if is_ours and name == "write" and line.split("(")[1].startswith("2,"):
            calls.pop()
            break
    return calls


def state(directory, may_have_temporary):
    """None, or what is wrong beside or in the target."""
    for entry in directory.iterdir():
        if entry.name == "target":
            data = entry.read_bytes()
            if data != OLD and hashlib.sha256(data).hexdigest() != WANT:
                return f"target has {len(data)} wrong bytes"
        elif not (may_have_temporary and TEMPORARY.fullmatch(entry.name)):
            return f"left {entry.name}"
    return None


def again(directory):
    code, words = extract(directory)
    if code != 0:
        return f"the second run failed: {words}"
    data = (directory / "target").read_bytes()
    return None if hashlib.sha256(data).hexdigest() == WANT else "wrong after the second run"


def kill_at(call, with_old):
    directory = fresh(f"kill-{call.name}-{call.nth}-{int(with_old)}", with_old)
    inject = f"inject={call.name}:signal=KILL:when={call.nth}"
    extract(directory, "-e", f"trace={call.name}", "-e", inject)
    trace = (WORK / f"{directory.name}.trace").read_text()
    if "killed by SIGKILL" not in trace:
        return "was not killed"
    if with_old and not (directory / "target").exists():
        return "the old target is gone"
    return state(directory, may_have_temporary=True) or again(directory)


def fail_at(call, error, expected):
    directory = fresh(f"fail-{call.name}-{call.nth}-{error}", with_old=True)
    inject = f"inject={call.name}:error={error}:when={call.nth}"
    code, words = extract(directory, "-e", f"trace={call.name}", "-e", inject)
    if "INJECTED" not in (WORK / f"{directory.name}.trace").read_text():
        return "was not injected"
    if code != expected:
        return f"result {code} ({words}) instead of {expected}"
    if expected == IO and os.strerror(getattr(errno, error)) not in words:
        return f"errno is lost: {words}"
    wrong = state(directory, may_have_temporary=False)
    if not wrong and not expected and (directory / "target").read_bytes() == OLD:
        wrong = "success, but the old content"
    return wrong or again(directory)


def short_writes():
    """A pipe takes less than the whole at a time, also when it does not block."""
    for flags in (0, os.O_NONBLOCK):
        reader, writer = os.pipe2(flags)
        child = subprocess.Popen([TOOL, "fd", "kernel"], stdout=writer, stderr=subprocess.DEVNULL)
        os.close(writer)
        os.set_blocking(reader, True)
        with os.fdopen(reader, "rb") as stream:
            digest = hashlib.sha256(stream.read()).hexdigest()
        if child.wait() != 0 or digest != WANT:
            return "short writes lost bytes"
    return None


def wrong_order(calls):
    """The protocol itself: what is renamed has been synced, then the directory is."""
    def number(pattern):
        return next(re.search(r"= (\d+)", call.text)[1] for call in calls if re.search(pattern, call.text))

    directory, temporary = number(r"AT_FDCWD.*O_DIRECTORY"), number(r"O_EXCL")
    expected = ["O_EXCL", rf"write\({temporary},", rf"fsync\({temporary}\)", "renameat", rf"fsync\({directory}\)"]
    steps = (pattern for call in calls for pattern in expected if re.search(pattern, call.text))
    found = list(steps)
    return None if found == expected else f"the calls came as {found}"


def errno_is_kept(first_close):
    """What fails while cleaning up after a failure does not hide it."""
    directory = fresh("errno", with_old=True)
    code, words = extract(directory, "-e", "inject=write:error=EIO:when=1", "-e", "inject=unlinkat:error=EACCES",
                          "-e", f"inject=close:error=EBADF:when={first_close}+")
    trace = (WORK / "errno.trace").read_text()
    if not all(re.search(rf"{call}\(.*INJECTED", trace) for call in ("write", "unlinkat", "close")):
        return "was not injected"
    if code != IO or os.strerror(errno.EIO) not in words:
        return f"result {code} ({words})"
    return state(directory, may_have_temporary=True) or again(directory)


def faults(call):
    for name, pattern, errors in ROWS:
        if name == call.name and re.search(pattern, call.text):
            return errors
    return {}


def cases():
    for call in list_calls(with_old=False):
        yield f"kill/new/{call.name}-{call.nth}", lambda c=call: kill_at(c, with_old=False)
    calls = list_calls(with_old=True)
    missing = NEEDED - {call.name for call in calls}
    yield "calls", lambda: f"not in the trace: {missing}" if missing else None
    yield "order", lambda: wrong_order(calls)
    for call in calls:
        yield f"kill/old/{call.name}-{call.nth}", lambda c=call: kill_at(c, with_old=True)
        for error, result in faults(call).items():
            yield f"fail/{call.name}-{call.nth}-{error}", \
                lambda c=call, e=error, r=result: fail_at(c, e, r)
    first_close = next(call.nth for call in calls if call.name == "close")
    yield "errno", lambda: errno_is_kept(first_close)
    yield "short-writes", short_writes


def run(case):
    name, check = case
    try:
        why = check()
    except Exception as error:  # a broken case is a failed case
        why = repr(error)
    return f"not ok lib/faults/{name}: {why}" if why else f"ok lib/faults/{name}"


shutil.rmtree(WORK, ignore_errors=True)
WORK.mkdir(parents=True)
failed = 0
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for line in pool.map(run, list(cases())):
        failed += line.startswith("not ok")
        print(line, flush=True)
sys.exit(failed > 0)
