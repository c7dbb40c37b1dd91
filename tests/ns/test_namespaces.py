# SPDX-License-Identifier: Apache-2.0
"""The container's namespaces: exactly those that the configuration lists, and always a mount namespace."""

import errno
import json
import os

from harness import case, check, check_equal
from pid1 import Directory, config_for
from session import Guest

KINDS = {"cgroup": "cgroup", "ipc": "ipc", "network": "net", "time": "time", "user": "user", "uts": "uts"}
IDENTITY = [{"containerID": 0, "hostID": 0, "size": 65536}]


def config_with(*kinds, args=("/probe",), linux=None, **process):
    """kinds: names, or (name, path) of one that is joined."""
    listed = [{"type": k} if isinstance(k, str) else {"type": k[0], "path": k[1]} for k in kinds]
    return config_for(*args, **process) | {"linux": (linux or {}) | {"namespaces": listed}}


def maps(items=None):
    return {"uidMappings": items or IDENTITY, "gidMappings": items or IDENTITY}


@case()
def only_the_listed_ones(c):
    """Each kind alone: it and the mount namespace are new, "network" never is, and the rest is PID 1's."""
    with Guest(c) as guest:
        for kind, name in [(None, None), *KINDS.items()]:
            config = config_with(*([kind] if kind else []), linux=maps() if kind == "user" else None)
            if kind == "user":  # procfs in a user namespace wants a procfs that is wholly visible
                continue
            facts = guest.run(config=config).expect().facts
            own, machines = facts["namespaces"], facts["namespacesOf1"]
            new = {n for n in own if own[n] != machines[n]}
            check_equal(new, {"mnt"} | ({name} - {"net"} if name else set()), f"new ones with {kind}")
            check_equal(facts["pid"], 2, "pid in the machine's PID namespace")


@case()
def pid_namespace(c):
    """The entrypoint is PID 1, sees nobody else in /proc, and its end ends the others."""
    with Guest(c) as guest:
        facts = guest.run(config=config_with("pid")).expect().facts
        check_equal((facts["pid"], facts["ppid"], facts["sid"], facts["pgid"]), (1, 0, 1, 1), "pid, ppid, sid, pgid")
        for code in (0, 7):
            guest.run(config=config_with("pid", args=["/probe", "exit", str(code)])).expect(code)
        guest.run(config=config_with("pid", args=["/probe", "orphans", "50", "9"])).expect(9)
        guest.run(config=config_with("pid", args=["/probe", "spawn-holder", "4"])).expect(4)


@case()
def signals_to_a_pid_namespace(c):
    """As to any PID 1: SIGTERM without a handler does nothing, one with a handler arrives, SIGKILL ends it."""
    with Guest(c) as guest:
        session = guest.start(config=config_with("pid", args=["/probe", "sleep", "30"]))
        session.wait_started()
        session.request(type="signal", id=1, signal=15)
        session.request(type="signal", id=2, signal=9)
        session.finish().expect(137, 9)


@case()
def failures_in_a_pid_namespace(c):
    """Both sides' failures come back from PID 1 of another namespace, with their stage and field."""
    with Guest(c) as guest:
        guest.run(config=config_with("pid", args=["/nosuch"])).expect_failure(127, "spawn: /process/args/0: ")
        config = config_with("pid", "uts") | {"mounts": [{"destination": "/m", "type": "nosuchfs", "source": "x"}]}
        guest.run(config=config).expect_failure(125, "apply: /mounts/0: /m: ")
        guest.run(config=config_with("pid", cwd="/probe")).expect_failure(125, "/process/cwd")


@case()
def names_of_a_uts_namespace(c):
    config = config_with("uts") | {"hostname": "inside", "domainname": "example"}
    with Guest(c) as guest:
        facts = guest.run(config=config).expect().facts
        check_equal((facts["hostname"], facts["domainname"]), ("inside", "example"), "names")


@case()
def cgroup_namespace(c):
    with Guest(c) as guest:
        facts = guest.run(config=config_with("cgroup")).expect().facts
        check_equal([l.split(":", 2)[2] for l in facts["cgroup"] if l.startswith("0:")], ["/"], "cgroup as seen inside")


@case()
def time_namespace(c):
    """Offsets of both clocks, positive and negative; without a time namespace they are the machine's."""
    with Guest(c) as guest:
        plain = guest.run(config=config_with()).expect().facts
        offsets = {"timeOffsets": {"monotonic": {"secs": 86400}, "boottime": {"secs": 172800, "nanosecs": 5}}}
        for kinds in (("time",), ("time", "pid")):
            facts = guest.run(config=config_with(*kinds, linux=offsets)).expect().facts
            for clock, offset in (("monotonic", 86400), ("boottime", 172800)):
                moved = facts[clock] - plain[clock]
                check(offset <= moved < offset + 60, f"{clock} moved by {moved}")
        offsets = {"timeOffsets": {"monotonic": {"secs": -(1 << 40)}}}
        guest.run(config=config_with("time", linux=offsets)).expect_failure(125, "spawn: /linux/timeOffsets: ",
                                                                          "timens_offsets", f"(errno {errno.ERANGE})")


@case()
def joined_namespaces(c):
    """The machine's own by path: of the listed kind, and looked up in init-oci's own procfs."""
    with Guest(c) as guest:
        for kind, name in (("ipc", "ipc"), ("uts", "uts"), ("network", "net"), ("cgroup", "cgroup")):
            facts = guest.run(config=config_with((kind, f"/proc/1/ns/{name}"))).expect().facts
            check_equal(facts["namespaces"][name], facts["namespacesOf1"][name], kind)
        facts = guest.run(config=config_with(("pid", "/proc/1/ns/pid"))).expect().facts
        check_equal(facts["pid"], 2, "pid in the joined PID namespace")


@case()
def what_cannot_be_joined(c):
    """With the field of the namespace and the path; nothing has run."""
    wrong = (
        ("ipc", "/proc/1/ns/uts", "is not a IPC namespace"),
        ("ipc", "/init", "is not a IPC namespace"),
        ("network", "/no/such", f"(errno {errno.ENOENT})"),
        ("ipc", "/proc/1/root", "is not a IPC namespace"),
        ("mount", "/proc/1/ns/mnt", "a mount namespace cannot be joined"),
        ("user", "/proc/1/ns/user", f"(errno {errno.EINVAL})"),
    )
    with Guest(c) as guest:
        for kind, path, words in wrong:
            session = guest.run(config=config_with("uts", (kind, path)))
            session.expect_failure(125, f"spawn: /linux/namespaces/1: {path}: ", words)


def user_config(*kinds, items=None, **options):
    return config_with("user", "pid", "ipc", "cgroup", *kinds, linux=maps(items), **options)


@case()
def user_namespace(c):
    """IDs as mapped, root inside, the default mounts and devices there although nobody may make nodes."""
    with Guest(c) as guest:
        facts = guest.run(config=user_config()).expect().facts
        check_equal(facts["uidMap"].split(), ["0", "0", "65536"], "uid map")
        check_equal(facts["gidMap"].split(), ["0", "0", "65536"], "gid map")
        check_equal((facts["uid"], facts["gid"], facts["pid"]), ([0] * 3, [0] * 3, 1), "ids")
        check(facts["namespaces"]["user"] != os.readlink("/proc/self/ns/user"), "no user namespace of its own")
        for name, number in {"null": (1, 3), "tty": (5, 0), "urandom": (1, 9)}.items():
            device = facts["devices"]["/dev/" + name]
            check_equal((device["type"], device["major"], device["minor"], device["mode"]), ("c", *number, 0o666), name)


@case()
def user_namespace_without_its_file_systems(c):
    """cgroup2 and mqueue are of namespaces that the machine owns: PID 1 brings them."""
    mounts = [{"destination": "/g", "type": "cgroup", "options": ["ro", "nosuid"]},
              {"destination": "/q", "type": "mqueue"}]
    with Guest(c) as guest:
        facts = guest.run(config=config_with("user", "pid", linux=maps()) | {"mounts": mounts}).expect().facts
        found = {line.split()[4]: line for line in facts["mounts"]}
        check(found["/g"].split()[5].startswith("ro,nosuid") and " - cgroup2 " in found["/g"], found["/g"])
        check(" - mqueue " in found["/q"], found["/q"])


@case()
def user_namespace_with_other_ids(c):
    items = [{"containerID": 0, "hostID": 100000, "size": 1000}, {"containerID": 2000, "hostID": 300000, "size": 10}]
    tree = {"/mine": Directory(0o700, 100000, 100000), "/hers": Directory(0o700, 300005, 0)}
    user = {"uid": 2005, "gid": 7, "additionalGids": [8]}
    limits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]
    with Guest(c, tree) as guest:
        config = user_config("uts", items=items, user=user, oomScoreAdj=500, rlimits=limits) | {"hostname": "inner"}
        facts = guest.run(config=config).expect().facts
        check_equal((facts["uid"], facts["gid"], facts["groups"]), ([2005] * 3, [7] * 3, [7, 8]), "ids")
        check_equal(facts["hostname"], "inner", "hostname")
        check_equal(facts["oomScoreAdj"], 500, "oomScoreAdj, for which PID 1's privileges are needed")
        check_equal(facts["rlimits"]["NOFILE"], [100, 200], "limit, for which PID 1's privileges are needed")
        roots = facts["roots"]
        check_equal((roots["/mine"]["uid"], roots["/hers"]["uid"], roots["/tmp"]["uid"]), (0, 2005, 65534), "owners")
        config = user_config("time", items=items)
        config["linux"]["timeOffsets"] = {"monotonic": {"secs": 1 << 30}}
        check(guest.run(config=config).expect().facts["monotonic"] > 1 << 30, "no time offset")


@case()
def user_namespace_whose_limits_are_the_workload_s(c):
    """What a limit forbids, the set-up of the container still does."""
    limits = [{"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0}]
    mounts = [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]
    with Guest(c, {"/data/file": "text"}) as guest:
        config = user_config(rlimits=limits) | {"mounts": mounts, "hostname": "inner"}
        session = guest.run(config=config).expect()
        check_equal(session.facts["rlimits"]["FSIZE"], [0, 0], "limit")
        check_equal(session.console.count(b"warning"), 0, f"warnings, {session}")


@case()
def user_namespace_with_parameters(c):
    """They are its own: PID 1's, which are this machine's, stay."""
    path = "/proc/sys/user/max_user_namespaces"
    with open(path, encoding="ascii") as file:
        before = file.read()
    with Guest(c) as guest:
        config = user_config()
        config["linux"]["sysctl"] = {"user.max_user_namespaces": "76543"}
        config["process"]["args"] = ["/probe", "show", path]
        guest.run(config=config).expect(out=b"76543\n")
    with open(path, encoding="ascii") as file:
        check_equal(file.read(), before, path)


@case()
def groups_of_who_started_pid_1(c):
    """They do not become the root's of a user namespace, which is whom a hook sees itself as."""
    with Guest(c) as guest:
        guest.wrapper = ["setpriv", "--groups", "7"]
        config = user_config(args=["/probe", "show", "/tmp/said"])
        config["hooks"] = {"startContainer": [{"path": "/probe", "args": ["/probe", "into", "/tmp/said", "facts"]}]}
        check_equal(guest.run(config=config).expect().facts["groups"], [], "groups of a hook")


@case()
def wrong_maps(c):
    with Guest(c) as guest:
        config = user_config(items=[{"containerID": 5, "hostID": 0, "size": 10}])
        guest.run(config=config).expect_failure(125, "plan: <builtin:/dev/null>: ", "not in the ID mappings")


def owners(session, *paths):
    return {p: (e["uid"], e["gid"]) for p, e in json.loads(session.expect().output[1]).items() if p in paths}


@case()
def id_mapped_mounts(c):
    """A bind and a tmpfs show other owners than their files have, and only they; in a user namespace a bind."""
    ids = [{"containerID": 0, "hostID": 1000, "size": 10}, {"containerID": 10, "hostID": 2000, "size": 10}]
    mapped = {"uidMappings": ids, "gidMappings": ids}
    bind = {"type": "bind", "source": "/init", "options": ["bind"]}
    with Guest(c) as guest:
        mounts = [bind | {"destination": "/a"}, bind | mapped | {"destination": "/b"},
                  bind | mapped | {"destination": "/c", "options": ["rbind", "ridmap", "ro"]},
                  {"destination": "/t", "type": "tmpfs", "source": "t", "options": ["idmap", "mode=755"]} | mapped]
        everywhere = [{"containerID": 0, "hostID": 0, "size": 65536}]
        for config, mounts in ((config_with("pid"), mounts), (user_config(items=everywhere), mounts[:3])):
            places = [m["destination"] for m in mounts]
            config = config | {"mounts": mounts}
            config["process"]["args"] = ["/probe", "tree", *places]
            got = owners(guest.run(config=config), *places)
            check_equal(got, {"/a": (0, 0)} | {p: (1000, 1000) for p in places[1:]}, "owners")
        config["mounts"] = [{"destination": "/t", "type": "tmpfs", "source": "t", "options": ["idmap"]} | mapped]
        guest.run(config=config).expect_failure(125, "/mounts/0: /t: mount_setattr(idmap)", f"(errno {errno.EPERM})")


@case()
def what_cannot_be_id_mapped(c):
    ids = [{"containerID": 0, "hostID": 1000, "size": 10}]
    mount = {"destination": "/p", "type": "proc", "source": "proc", "uidMappings": ids, "gidMappings": ids}
    with Guest(c) as guest:
        config = config_with("pid") | {"mounts": [mount]}
        guest.run(config=config).expect_failure(125, "apply: /mounts/0: /p: mount_setattr(idmap)", "with mapped IDs")


@case()
def nothing_lies_below_the_root(c):
    """Whoever may unmount the root and join the mount namespace afresh finds the boot root, and nothing of init-oci's."""
    names = ("CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE")
    caps = {name: list(names) for name in ("bounding", "effective", "permitted")}
    found = b"layer 0\nupper 0\ncontainer 0\nproc %d\nboot root %d\n"
    spaces = [{"type": kind} for kind in ("mount", "pid")]
    ids = [{"containerID": 0, "hostID": 0, "size": 65536}]
    config = config_for("/probe", "escape-below", capabilities=caps) | {"linux": {"namespaces": spaces}}
    with Guest(c) as guest:
        guest.run(config=config).expect(out=found % (0, 1))
        config["linux"]["rootfsPropagation"] = "shared"
        guest.run(config=config).expect(out=found % (0, 1))
        config["linux"] |= {"namespaces": [*spaces, {"type": "user"}], "uidMappings": ids, "gidMappings": ids}
        guest.run(config=config).expect(out=found % (1, 0))  # there the root cannot even be unmounted
