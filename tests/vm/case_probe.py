# SPDX-License-Identifier: Apache-2.0
"""What a process inside sees, fact by fact, against what config.json says."""

import json

from harness import base_config, bundle, case, check, check_equal, check_in, shell, small_root, write_config


def facts(context, change=None, *words, **process):
    """Boots the probe as the entrypoint; change(config) edits the configuration first."""
    directory = bundle(context, ["/bin/probe"], **process)
    config = base_config()
    config["process"]["args"] = ["/bin/probe"]
    config["process"].update(process)
    config["root"]["path"] = small_root()
    config["hostname"] = "box"
    if change:
        change(config)
    write_config(directory, config)
    return json.loads(context.smk("run", *words, directory).expect(0).text)


def bits(names):
    from_name = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_FSETID": 4, "CAP_KILL": 5,
                 "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SETPCAP": 8, "CAP_NET_BIND_SERVICE": 10,
                 "CAP_NET_RAW": 13, "CAP_SYS_CHROOT": 18, "CAP_SETFCAP": 31}
    return f"{sum(1 << from_name[name] for name in names):016x}"


def words(values):
    """The probe prints bytes: each is one character of what it printed."""
    return [value.encode("latin-1").decode() for value in values]


@case()
def default_container(context):
    got = facts(context)
    config = base_config()
    caps = config["process"]["capabilities"]
    check_equal(got["args"], ["/bin/probe"], "args")
    check_equal(got["env"], config["process"]["env"], "env")
    check_equal((got["uid"], got["gid"]), ([0, 0, 0], [0, 0, 0]), "ids")
    check_equal(got["hostname"], "box", "hostname")
    check_equal(got["machine"], "aarch64", "machine")
    check_equal(got["cwd"], "/", "cwd")
    check_equal(got["umask"], 0o22, "umask")
    check_equal(got["pgid"], got["pid"], "process group")
    check_equal(got["sid"], got["pid"], "session")
    check_equal(got["capEffective"], bits(caps["effective"]), "effective")
    check_equal(got["capPermitted"], bits(caps["permitted"]), "permitted")
    check_equal(got["capBounding"], bits(caps["bounding"]), "bounding")
    check_equal((got["capInheritable"], got["capAmbient"]), ("0" * 16, "0" * 16), "inheritable, ambient")
    check_equal(got["noNewPrivs"], "0", "no_new_privs")
    for mask in ("sigBlocked", "sigIgnored", "sigCaught", "sigPending"):
        check_equal(got[mask], "0" * 16, mask)
    check_equal(sorted(got["fds"]), ["0", "1", "2"], "descriptors")
    check_equal(got["hasControllingTerminal"], 0, "controlling terminal")
    check_equal(got["rlimits"]["NOFILE"], [1048576, 1048576], "NOFILE")


@case()
def default_mounts(context):
    got = facts(context)
    mounts = {line.split()[4]: line for line in got["mounts"]}
    check_equal(len(mounts), len(got["mounts"]), f"number of mount points {sorted(mounts)}")
    types = {point: line.split(" - ")[1].split()[0] for point, line in mounts.items()}
    check_equal(types, {"/": "overlay", "/proc": "proc", "/dev": "tmpfs", "/dev/pts": "devpts",
                        "/dev/mqueue": "mqueue", "/dev/shm": "tmpfs", "/sys": "sysfs",
                        "/sys/fs/cgroup": "cgroup2"}, "types")
    for point in ("/sys", "/sys/fs/cgroup"):
        check(mounts[point].split()[5].startswith("ro,"), f"{point} is writable: {mounts[point]}")
    for line in got["mounts"]:
        check_equal(line.split()[3], "/", f"root of the mount {line!r}")
        check("shared:" not in line and "master:" not in line, f"propagation: {line!r}")


@case()
def default_devices(context):
    devices = facts(context)["devices"]
    numbers = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
    for name, (major, minor) in numbers.items():
        node = devices["/dev/" + name]
        check_equal((node["type"], node["mode"], node["major"], node["minor"]), ("c", 0o666, major, minor),
                    name)
    links = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
             "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx", "core": "/proc/kcore"}
    for name, target in links.items():
        check_equal(devices["/dev/" + name].get("target"), target, name)
    block = [name for name, node in devices.items() if node["type"] == "b"]
    check_equal(block, [], "block devices")


@case()
def files_of_the_network(context):
    files = facts(context)["files"]
    check_in("127.0.0.1\tlocalhost", files["/etc/hosts"], "/etc/hosts")
    check_in("box", files["/etc/hosts"], "/etc/hosts")
    check_equal(files["/etc/hostname"], "box\n", "/etc/hostname")


@case()
def loopback_is_up(context):
    script = "busybox ifconfig lo; busybox ping -c 1 127.0.0.1"
    result = context.smk("run", shell(context, script.replace("busybox", "/bin/busybox"),
                                      capabilities=dict.fromkeys(("bounding", "effective", "permitted"),
                                                                 ["CAP_NET_RAW"])))
    check_in("inet addr:127.0.0.1", result.expect(0).text, "ifconfig")
    check_in("1 packets received", result.text, "ping")


@case()
def user_and_groups(context):
    got = facts(context, user={"uid": 1234, "gid": 4321, "additionalGids": [7, 70000, 5], "umask": 0o77})
    check_equal(got["uid"], [1234] * 3, "uid")
    check_equal(got["gid"], [4321] * 3, "gid")
    check_equal(sorted(set(got["groups"]) | {4321}), [5, 7, 4321, 70000], "groups")
    check_equal(got["umask"], 0o77, "umask")
    check_equal(got["capEffective"], "0" * 16, "effective after leaving root")


@case()
def largest_ids(context):
    got = facts(context, user={"uid": 2**32 - 2, "gid": 2**32 - 2})
    check_equal((got["uid"][0], got["gid"][0]), (2**32 - 2, 2**32 - 2), "ids")


@case()
def five_capability_sets(context):
    sets = {"bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"], "permitted": ["CAP_KILL", "CAP_CHOWN"],
            "effective": ["CAP_KILL"], "inheritable": ["CAP_CHOWN"], "ambient": ["CAP_CHOWN"]}
    got = facts(context, user={"uid": 1000, "gid": 1000}, capabilities=sets)
    check_equal(got["capBounding"], bits(sets["bounding"]), "bounding")
    check_equal(got["capAmbient"], bits(sets["ambient"]), "ambient")
    check_equal(got["capInheritable"], bits(sets["inheritable"]), "inheritable")
    check_equal(got["capPermitted"], bits(["CAP_CHOWN"]), "permitted of a user's program: what is ambient")


@case()
def no_capabilities_at_all(context):
    got = facts(context, capabilities={})
    for name in ("capBounding", "capPermitted", "capEffective", "capInheritable", "capAmbient"):
        check_equal(got[name], "0" * 16, name)


@case()
def no_new_privileges(context):
    check_equal(facts(context, noNewPrivileges=True)["noNewPrivs"], "1", "no_new_privs")


@case()
def oom_score(context):
    check_equal(facts(context, oomScoreAdj=777)["oomScoreAdj"], 777, "oom_score_adj")


@case()
def resource_limits(context):
    limits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
              {"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615},
              {"type": "RLIMIT_STACK", "soft": 1048576, "hard": 1048576}]
    got = facts(context, rlimits=limits)["rlimits"]
    for limit in limits:
        check_equal(got[limit["type"][7:]], [limit["soft"], limit["hard"]], limit["type"])


@case()
def environment_exactly(context):
    env = ["HOME=/x", "A=1", "EMPTY=", "B=x=y", "AA=2", "UTF=é☃", "SPACE=a b\tc\nd", "LONG=" + "x" * 100000]
    got = facts(context, env=env)
    check_equal(words(got["env"]), env, "env")


@case()
def arguments_exactly(context):
    args = ["/bin/probe", "facts", "", " ", "a b", "'\"\\", "new\nline", "é☃", "-x", "x" * 100000]
    got = json.loads(context.smk("run", bundle(context, args)).expect(0).text)
    check_equal(words(got["args"]), args, "args")


@case()
def working_directory_is_made(context):
    got = facts(context, cwd="/made/for/this")
    check_equal((got["cwd"], got["isCwdReadable"]), ("/made/for/this", 1), "cwd")


@case()
def terminal_facts(context):
    got = facts(context, terminal=True)
    check_equal(got["hasControllingTerminal"], 1, "controlling terminal")
    for terminal in got["terminals"]:
        check_equal((terminal["isTerminal"], terminal["name"]), (1, "/dev/pts/0"), "terminal")
        check_equal(terminal["foregroundGroup"], got["pid"], "foreground group")
    check_equal(sorted(got["fds"]), ["0", "1", "2"], "descriptors")
    check_equal(got["devices"]["/dev/console"]["type"], "c", "/dev/console")


@case()
def ordinary_mounts(context):
    def change(config):
        config["mounts"] += [
            {"destination": "/scratch", "type": "tmpfs", "source": "mine",
             "options": ["nosuid", "nodev", "noexec", "mode=1750", "size=1m", "uid=5", "gid=6"]},
            {"destination": "/scratch/deeper/still", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]},
        ]
    got = facts(context, change)
    mounts = {line.split()[4]: line for line in got["mounts"]}
    check_in("rw,nosuid,nodev,noexec", mounts["/scratch"], "/scratch")
    check_in("size=1024k", mounts["/scratch"], "/scratch")
    check_in("mode=1750", mounts["/scratch"], "/scratch")
    check(mounts["/scratch/deeper/still"].split()[5].startswith("ro"), mounts["/scratch/deeper/still"])


@case(timeout=120)
def same_with_two_processors(context):
    one, two = facts(context), facts(context, None, "--cpus", "2")
    check_equal((one["cpus"], two["cpus"]), ([0], [0, 1]), "processors")
    for volatile in ("pid", "pgid", "sid", "mounts", "rlimits", "fds", "terminals", "cpus", "monotonic", "boottime"):
        one.pop(volatile), two.pop(volatile)
    check_equal(one, two, "what is seen with two processors")


@case()
def all_namespaces(context):
    """On the guest's kernel: with a user and a time namespace too, and masked and read-only paths."""
    ids = [{"containerID": 0, "hostID": 0, "size": 65536}]

    def change(config):
        config["linux"] |= {"uidMappings": ids, "gidMappings": ids, "timeOffsets": {"monotonic": {"secs": 1 << 30}},
                            "maskedPaths": ["/proc/kcore", "/sys/firmware"], "readonlyPaths": ["/proc/sys"]}
        config["linux"]["namespaces"] += [{"type": "user"}, {"type": "time"}]

    got = facts(context, change)
    check_equal((got["pid"], got["ppid"], got["hostname"]), (1, 0, "box"), "pid, ppid, host name")
    check_equal(got["uidMap"].split(), ["0", "0", "65536"], "uid map")
    check(got["monotonic"] >= 1 << 30, "the clock has no offset")
    check_equal(got["devices"]["/dev/null"]["type"], "c", "/dev/null")
    places = [line.split()[4] for line in got["mounts"]]
    check_equal([p for p in ("/proc/sys", "/dev/mqueue", "/dev/shm", "/sys") if p not in places], [], "missing mounts")
