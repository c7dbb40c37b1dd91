# SPDX-License-Identifier: Apache-2.0
"""Cases that run programs: a registry, a parallel runner, and what most cases need.

A case is a function of one argument, decorated with @case. It fails by raising; check() and friends
raise with a reason that fits one line. Each case has a directory of its own, a time limit, and ends
every process it started.
"""

import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import threading
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
SMK = os.path.abspath(os.environ.get("SMK", os.path.join(BUILD, "host", "smk")))
FIXTURES = os.path.join(BUILD, "fixtures")
IMAGES = os.path.join(BUILD, "images")
BUSYBOX = os.path.join(FIXTURES, "busybox", "rootfs", "usr", "bin", "busybox")
PROBE = os.path.join(BUILD, "aarch64", "probe")
INIT = os.path.abspath(os.environ.get("VM_INIT", os.path.join(BUILD, "aarch64", "init-oci")))
KERNEL = os.path.join(BUILD, "assets", "kernel.Image")
BASE_CONFIG = os.path.join(TOP, "rootfs-fixtures", "config.base.json")

CASES = []
EXTRA_ENV = {}  # a suite's own, for every program of its cases


class Failure(Exception):
    pass


def case(timeout=60):
    """Registers a case; its name is the function's, with dashes."""

    def register(function):
        CASES.append((function.__name__.replace("_", "-"), function, timeout))
        return function

    return register


def check(condition, why):
    if not condition:
        raise Failure(why)


def check_equal(got, want, what="value"):
    check(got == want, f"{what} is {shorten(got)}, not {shorten(want)}")


def check_in(part, whole, what="text"):
    check(part in whole, f"{what} lacks {part!r}: {shorten(whole)}")


def shorten(value):
    text = repr(value)
    return text if len(text) < 400 else text[:200] + " ... " + text[-200:]


class Result:
    """How a program ended: exit code (negative: the signal), stdout and stderr as bytes."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    @property
    def text(self):
        return self.out.decode(errors="replace")

    @property
    def errors(self):
        return self.err.decode(errors="replace")

    def expect(self, code=0, out=None, err=None):
        """Exit code, exact stdout, a part of stderr."""
        if self.code != code:
            raise Failure(f"exit code {self.code}, not {code}; stderr: {shorten(self.errors)}")
        if out is not None:
            check_equal(self.text, out, "stdout")
        if err is not None:
            check_in(err, self.errors, "stderr")
        return self

    def expect_line(self, code, prefix, *parts):
        """Failed with one line on stderr that begins with prefix and has the parts in it."""
        self.expect(code)
        lines = [l for l in self.errors.splitlines() if not l.startswith("  console: ")]
        check_equal(len(lines), 1, f"number of stderr lines {lines}")
        check(lines[0].startswith(prefix), f"stderr begins with {shorten(lines[0])}")
        for part in parts:
            check_in(part, lines[0], "the line")
        return self


class Context:
    """What a case gets: a directory, and ways to run programs that cannot outlive it."""

    def __init__(self, name, directory, limit):
        self.name, self.dir, self.limit = name, directory, limit
        self.begin = time.monotonic()
        self.processes = []
        self.runs = 0  # of init-oci as a PID 1 that ended with an exit record
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": directory,
            "XDG_CACHE_HOME": os.path.join(os.path.dirname(directory), "cache"),
            "TMPDIR": os.path.join(directory, "tmp"),
            "LC_ALL": "C",
            **EXTRA_ENV,
        }
        os.makedirs(self.env["TMPDIR"])

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def left(self):
        return max(0.1, self.limit - (time.monotonic() - self.begin))

    def popen(self, argv, **options):
        options.setdefault("env", self.env)
        process = subprocess.Popen(argv, start_new_session=True, **options)
        self.runs += list(argv[:2]) == [SMK, "run"]
        self.processes.append(process)
        return process

    def run(self, argv, stdin=b"", **options):
        begin = time.monotonic()
        process = self.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, **options)
        try:
            out, err = process.communicate(stdin, timeout=self.left())
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Failure(f"not over after {self.limit} s; stdout {shorten(out[-300:])} "
                          f"stderr {shorten(err[-600:])}") from None
        if list(argv[:2]) == [SMK, "run"] and re.search(rb"^smk: ", err, re.MULTILINE):
            self.runs -= 1  # smk says itself how it ended: there was no exit record
        return Result(process.returncode, out, err, time.monotonic() - begin)

    def tool(self, *argv, **options):
        """A program that has to succeed."""
        result = self.run(list(argv), **options)
        check(result.code == 0, f"{argv[0]}: {result.code}: {shorten(result.errors)}")
        return result

    def smk(self, *words, stdin=b"", **options):
        return self.run([SMK, *words], stdin=stdin, **options)

    def kill_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()

    def finish(self):
        self.kill_all()
        for process in self.processes:
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream and not stream.closed:
                    try:
                        stream.close()
                    except OSError:
                        pass


def remove(directory):
    """A tree of any depth, which shutil.rmtree() cannot do."""
    subprocess.run(["rm", "-rf", "--", directory], check=False)


def run_case(root, name, function, timeout):
    # Two runs of a suite at the same time do not share a case's directory; what a dead run left goes.
    for old in glob.glob(os.path.join(root, name + ".*[0-9]")):
        if not os.path.exists("/proc/" + old.rsplit(".", 1)[1]):
            remove(old)
    directory = os.path.join(root, f"{name}.{os.getpid()}")
    os.makedirs(directory)
    context = Context(name, directory, timeout)
    # Past the limit all its processes are killed: whatever the case waits for ends.
    watchdog = threading.Timer(timeout + 5, context.kill_all)
    watchdog.daemon = True
    watchdog.start()
    why = None
    try:
        function(context)
    except Failure as failure:
        why = str(failure)
    except Exception:  # a bug of the case is a failure of the case
        why = traceback.format_exc().strip().replace("\n", " | ")
    finally:
        watchdog.cancel()
        context.finish()
    if why is None:
        remove(directory)
    return why, time.monotonic() - context.begin, context.runs


def main(suite, arguments):
    """run.py [--list] [-j N] [PATTERN]: runs, or lists, the cases whose names match."""
    if arguments[:1] == ["--list"]:
        print("\n".join(f"{suite}/{name}" for name, *_ in CASES))
        return 0
    jobs = 2
    if arguments[:1] == ["-j"]:
        jobs = int(arguments[1])
        arguments = arguments[2:]
    pattern = re.compile(arguments[0] if arguments else "")
    root = os.path.join(BUILD, "test-" + suite)
    os.makedirs(root, exist_ok=True)
    chosen = [c for c in CASES if pattern.search(c[0])]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(run_case, root, *c): c[0] for c in chosen}
        for run in concurrent.futures.as_completed(runs):
            why, seconds, count = run.result()
            failed += why is not None
            booted = f", {count} runs" if count else ""
            verdict = f"ok {suite}/{runs[run]}" if why is None else f"not ok {suite}/{runs[run]}: {why}"
            print(verdict if why else f"{verdict} ({seconds:.1f} s{booted})", flush=True)
    return 1 if failed or not chosen else 0


def wait_until(condition, seconds, what):
    """Polls condition() until it is true."""
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f"no {what} after {seconds} s")
        time.sleep(0.02)


# ---- bundles ---------------------------------------------------------------------------------------

ROOT_LOCK = threading.Lock()


def base_config(without=None):
    with open(BASE_CONFIG, encoding="utf-8") as file:
        config = json.load(file)
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != without]
    return config


def write_config(directory, config):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)


APPLETS = ("sh", "cat", "echo", "sleep", "stty", "dd", "sha256sum", "ls", "id", "kill", "true", "mount", "head",
           "yes", "sync", "touch", "rm", "tty", "wc", "mkdir", "seq")


def small_root():
    """A root file system with busybox and the probe, the same for all cases; made once for each busybox
    and probe, and complete when it appears."""
    times = "-".join(str(os.stat(path).st_mtime_ns) for path in (BUSYBOX, PROBE))
    root = os.path.join(BUILD, "test-roots", times)
    with ROOT_LOCK:
        if os.path.isdir(root):
            return root
        new = f"{root}.new-{os.getpid()}"
        for name in ("bin", "dev", "proc", "sys", "etc", "tmp"):
            os.makedirs(os.path.join(new, name))
        shutil.copy2(BUSYBOX, os.path.join(new, "bin", "busybox"))
        shutil.copy2(PROBE, os.path.join(new, "bin", "probe"))
        for applet in APPLETS:
            os.symlink("busybox", os.path.join(new, "bin", applet))
        try:
            os.rename(new, root)
        except OSError:  # another run was faster
            shutil.rmtree(new)
    return root


def bundle(context, args, root=None, name="bundle", without=None, **process):
    """
    A bundle with the small root (or another); keywords set members of "process". without: a namespace
    that is left out. PID 1 of a namespace does not end by the default action of a signal.
    """
    config = base_config(without)
    config["process"]["args"] = list(args)
    config["process"].update(process)
    config["root"]["path"] = root or small_root()
    config["hostname"] = "box"
    directory = context.path(name)
    write_config(directory, config)
    return directory


def shell(context, script, **process):
    return bundle(context, ["/bin/sh", "-c", script], **process)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]
