# SPDX-License-Identifier: Apache-2.0
"""Values at the edge of what is allowed, and combinations: name, configuration, failure or None."""
from base import U32, U64, changed, shown


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
    yield from both("groups-65536", "/process/user/additionalGids", [1] * 65535, [1] * 65536,
                    "must have at most 65535 elements")
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
    yield "namespace-twice", changed("/linux/namespaces", [{"type": "pid"}, {"type": "pid"}]), (
        '/linux/namespaces/1: namespace "pid" is there twice')
    yield "namespace-all", changed("/linux/namespaces", [
        {"type": t}
        for t in ("pid", "network", "mount", "ipc", "uts", "cgroup", "user", "time")]), None
    maps = [{"containerID": i, "hostID": i, "size": 1} for i in range(341)]
    yield from both("id-maps-341", "/linux/uidMappings", maps[:340], maps,
                    "must have at most 340 elements")
    yield from mounts()
    yield from devices()
    why = "is not a kernel parameter's name"
    yield "sysctl-long", changed("/linux/sysctl", {"k" * 300: "1"}), None
    for key in ("../../x", "net/../kernel/x", "/x", "x/", ".x", "x.", "a//b", "a..b", ".", "/", ""):
        yield "sysctl-" + key.replace("/", "~"), changed("/linux/sysctl", {key: "1"}), (
            "/linux/sysctl/%s: %s" % (key.replace("/", "~1"), why))
    for pointer in ("/linux/resources/pids/limit", "/linux/resources/memory/reservation"):
        yield from both("limit" + pointer.replace("/", "-"), pointer, 2**63 - 1, 2**63,
                        "must be an integer from -1 to 9223372036854775807")


def mounts():
    def options(*words, **members):
        mount = {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}
        mount.update(members, options=list(words))
        return changed("/mounts", [mount])

    for word in ("rro rrw rnosuid rsuid rnodev rdev rnoexec rexec "
                 "rnodiratime rdiratime rrelatime rnorelatime rnoatime ratime rstrictatime "
                 "rnostrictatime rnosymfollow rsymfollow tmpcopyup remount").split():
        yield "option-" + word, options(word), None
    yield "option-copy-symlink", options("copy-symlink"), (
        "/mounts/0/options: copy-symlink needs a bind mount")
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
    yield "bind-sync-data", options("rbind", "sync", "size=1"), (
        '/mounts/0/options: a bind mount has no option "size=1"')
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
