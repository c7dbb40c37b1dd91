# SPDX-License-Identifier: Apache-2.0
"""Variants of what `crun spec` writes: each a function that changes a configuration. What it returns are
paths of the host that the configuration binds, which the machine then has in its own root."""

import os

VARIANTS = {}


def variant(function):
    VARIANTS[function.__name__.replace("_", "-")] = function
    return function


def look_at(config, *paths):
    """The probe says of these paths what they are, and what is in them."""
    config["process"]["args"] = ["/bin/probe", "facts", *paths]


def mount(config, destination, kind, *options, source="none"):
    config["mounts"].append({"destination": destination, "type": kind, "source": source, "options": list(options)})


def capabilities(**sets):
    return {name: ["CAP_" + word for word in sets.get(name, "").split()] for name in
            ("bounding", "permitted", "effective", "inheritable", "ambient")}


def drop_namespaces(config, *kinds):
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] not in kinds]


# ---- the process -----------------------------------------------------------------------------------


@variant
def user_groups_and_umask(config, _):
    config["process"]["user"] = {"uid": 1000, "gid": 1000, "umask": 0o27, "additionalGids": [5, 70000, 7]}


@variant
def user_that_nobody_knows(config, _):
    config["process"]["user"] = {"uid": 4294967294, "gid": 123456}


@variant
def no_capabilities(config, _):
    config["process"]["capabilities"] = capabilities()


@variant
def five_capability_sets(config, _):
    config["process"]["user"] = {"uid": 1000, "gid": 1000}
    config["process"]["capabilities"] = capabilities(
        bounding="CHOWN KILL NET_RAW SETUID", permitted="CHOWN KILL NET_RAW", effective="KILL",
        inheritable="CHOWN KILL", ambient="CHOWN")


@variant
def root_with_inheritable_capabilities(config, _):
    config["process"]["capabilities"] = capabilities(bounding="CHOWN KILL", permitted="CHOWN KILL",
                                                     effective="CHOWN", inheritable="CHOWN KILL")


@variant
def new_privileges(config, _):
    config["process"]["noNewPrivileges"] = False


@variant
def limits(config, _):
    config["process"]["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_STACK", "soft": 1 << 20, "hard": 2**64 - 1}, {"type": "RLIMIT_FSIZE", "soft": 1 << 40, "hard": 1 << 41},
        {"type": "RLIMIT_NPROC", "soft": 300, "hard": 400}, {"type": "RLIMIT_CPU", "soft": 50, "hard": 60},
        {"type": "RLIMIT_MSGQUEUE", "soft": 0, "hard": 4096}, {"type": "RLIMIT_AS", "soft": 1 << 40, "hard": 1 << 40}]


@variant
def oom_score(config, _):
    config["process"]["oomScoreAdj"] = 600


@variant
def directory_that_is_made(config, _):
    config["process"]["cwd"] = "/made/for/this"
    config["root"]["readonly"] = False
    look_at(config, "/made", "/made/for/this")


@variant
def environment(config, _):
    config["process"]["env"] = ["A=1", "EMPTY=", "B=x=y", "A=2", "SPACE=a b\tc", "LONG=" + "x" * 10000]
    config["process"]["user"] = {"uid": 1000, "gid": 1000}


@variant
def arguments(config, _):
    config["process"]["args"] = ["probe", "facts", "", " ", "a b", "'\"\\", "new\nline", "-x"]


@variant
def terminal(config, _):
    config["process"].update(terminal=True, consoleSize={"height": 31, "width": 97})
    config["process"]["user"] = {"uid": 1000, "gid": 5}


@variant
def io_priority(config, _):
    config["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 6}


@variant
def scheduler(config, _):
    config["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 5}


# ---- names, root and mounts ------------------------------------------------------------------------


@variant
def names(config, _):
    config.update(hostname="some-host.example", domainname="domain.example")


@variant
def writable_root(config, _):
    config["root"]["readonly"] = False
    look_at(config, "/cover", "/data/file", "/tmp")


@variant
def tmpfs_options(config, _):
    mount(config, "/tmp", "tmpfs", "nosuid", "nodev", "noexec", "mode=1750", "size=1m", "uid=5", "gid=6")
    mount(config, "/data", "tmpfs", "ro", "nr_inodes=50", "noatime")
    mount(config, "/made/place", "tmpfs")
    look_at(config, "/tmp", "/data", "/made", "/made/place")


@variant
def mount_attributes(config, _):
    for number, options in enumerate((("noatime", "nosuid"), ("strictatime", "nodiratime"), ("nosuid", "suid", "ro", "rw"),
                                      ("relatime", "sync"), ("dirsync", "noexec", "exec", "nodev", "dev"), ("lazytime",))):
        mount(config, f"/m/{number}", "tmpfs", *options, source=f"source-{number}")


@variant
def copy_up(config, _):
    mount(config, "/cover", "tmpfs", "tmpcopyup", "size=2m")
    mount(config, "/var/tmp", "tmpfs", "tmpcopyup", "mode=700")
    look_at(config, "/cover", "/cover/file", "/cover/inner", "/cover/inner/deep", "/var/tmp")


def source_tree(top):
    """A directory with a file, and a file beside it."""
    source = os.path.join(top, "source")
    os.makedirs(os.path.join(source, "tree", "below"))
    for name, mode in (("tree/file", 0o640), ("single", 0o604)):
        with open(os.path.join(source, name), "w", encoding="utf-8") as file:
            file.write(name + "\n")
        os.chmod(os.path.join(source, name), mode)
    return os.path.join(source, "tree"), os.path.join(source, "single")


@variant
def binds(config, top):
    tree, single = source_tree(top)
    mount(config, "/data", "bind", "bind", source=tree)
    mount(config, "/b/ro", "bind", "rbind", "ro", "nosuid", "nodev", source=tree)
    mount(config, "/b/file", "bind", "bind", "ro", source=single)
    mount(config, "/b/noexec", None, "rbind", "noexec", "noatime", source=single)
    del config["mounts"][-1]["type"]
    look_at(config, "/data", "/data/file", "/b/ro", "/b/ro/below", "/b/ro/file", "/b/file", "/b/noexec")
    return tree, single


@variant
def recursive_attributes(config, top):
    tree, single = source_tree(top)
    mount(config, "/data", "bind", "rbind", "rro", source=tree)
    mount(config, "/b/r", "bind", "rbind", "rnosuid", "rnodev", "rnoexec", source=tree)
    look_at(config, "/data", "/data/file", "/b/r")
    return tree, single


@variant
def propagation(config, _):
    for kind in ("shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"):
        mount(config, "/p/" + kind, "tmpfs", kind)


@variant
def shared_root(config, _):
    config["linux"]["rootfsPropagation"] = "shared"


@variant
def slave_root(config, _):
    config["linux"]["rootfsPropagation"] = "rslave"


@variant
def place_behind_a_link(config, _):
    """The image has /link -> data and /away -> ../../../data."""
    mount(config, "/link/inside", "tmpfs", "size=64k")
    mount(config, "/away", "tmpfs", "size=128k")
    look_at(config, "/link", "/away", "/data")


@variant
def options_of_proc(config, _):
    config["mounts"][0]["options"] = ["nosuid", "noexec", "nodev", "hidepid=2"]


@variant
def masked_and_readonly_paths(config, _):
    config["root"]["readonly"] = False
    config["linux"]["maskedPaths"] = ["/data", "/cover/file", "/proc/keys", "/not/there"]
    config["linux"]["readonlyPaths"] = ["/cover/inner", "/etc/passwd", "/proc/sys", "/nor/there"]
    look_at(config, "/data", "/cover/file", "/cover/inner", "/cover/inner/deep", "/etc/passwd", "/not", "/nor")


# ---- linux -----------------------------------------------------------------------------------------


@variant
def devices(config, _):
    config["linux"]["devices"] = [
        {"path": "/dev/mine", "type": "c", "major": 1, "minor": 7, "fileMode": 0o640, "uid": 5, "gid": 6},
        {"path": "/dev/deep/disk", "type": "b", "major": 7, "minor": 3, "fileMode": 0o600},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o622}, {"path": "/dev/plain", "type": "c", "major": 1, "minor": 3}]
    look_at(config, "/dev/mine", "/dev/deep/disk", "/dev/pipe", "/dev/plain")


@variant
def device_rules(config, _):
    rules = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 7, "access": "r"}]
    config["linux"]["resources"] = {"devices": rules}
    numbers = {"full": (1, 7), "memory": (1, 1), "port": (1, 4), "zero-too": (1, 5)}
    config["linux"]["devices"] = [{"path": "/dev/" + name, "type": "c", "major": number[0], "minor": number[1], "fileMode": 0o666}
                                  for name, number in numbers.items()]
    look_at(config, *("/dev/" + name for name in numbers))


@variant
def kernel_parameters(config, _):
    config["linux"]["sysctl"] = {"kernel.shmmax": "1234567", "kernel.msgmnb": "20000", "fs.mqueue.msg_max": "20",
                                 "kernel.shm_rmid_forced": "1"}
    look_at(config, "/proc/sys/kernel/shmmax", "/proc/sys/kernel/msgmnb", "/proc/sys/fs/mqueue/msg_max",
            "/proc/sys/kernel/shm_rmid_forced")


@variant
def seccomp_errors(config, _):
    config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["getppid", "setns"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99},
        {"names": ["sethostname", "no_such_call"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 12,
         "args": [{"index": 0, "value": 0xffffffff, "op": "SCMP_CMP_MASKED_EQ", "valueTwo": 0xffffffff}]},
        {"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
         "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_GE"}]}]}


@variant
def seccomp_by_a_user(config, top):
    seccomp_errors(config, top)
    config["process"]["user"] = {"uid": 1000, "gid": 1000}
    config["process"]["noNewPrivileges"] = True


@variant
def seccomp_logs(config, _):
    config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_LOG", "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [
        {"names": ["getppid"], "action": "SCMP_ACT_ALLOW"}, {"names": ["swapon"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}


@variant
def personality(config, _):
    config["linux"]["personality"] = {"domain": "LINUX32"}


@variant
def user_namespace(config, _):
    ids = [{"containerID": 0, "hostID": 200000, "size": 65536}, {"containerID": 70000, "hostID": 300000, "size": 10}]
    config["linux"].update(uidMappings=ids, gidMappings=ids)
    config["linux"]["namespaces"] += [{"type": "user"}, {"type": "cgroup"}]
    config["process"]["user"] = {"uid": 70003, "gid": 8, "additionalGids": [9]}


@variant
def cgroup_namespace(config, _):
    config["linux"]["namespaces"].append({"type": "cgroup"})


@variant
def cgroup_path(config, _):
    config["linux"]["cgroupsPath"] = "/smk-compared/inner"


@variant
def namespaces_of_the_machine(config, _):
    drop_namespaces(config, "ipc", "uts")
    del config["hostname"]


@variant
def hook_in_the_container(config, _):
    config["root"]["readonly"] = False
    config["hooks"] = {"startContainer": [
        {"path": "/bin/probe", "args": ["probe", "put", "first", "/hooked"]},
        {"path": "/bin/probe", "args": ["probe", "put", "second", "/hooked", "/tmp/too"], "env": ["A=1"], "timeout": 30}]}
    look_at(config, "/hooked", "/tmp/too")


@variant
def hook_before_the_root(config, top):
    """The program is the machine's, and what it leaves behind is seen through a bind."""
    tree, single = source_tree(top)
    program = os.path.join(top, "source", "program")
    config["hooks"] = {"createContainer": [{"path": program, "args": ["probe", "put", "hooked", tree + "/hooked"]}]}
    mount(config, "/data", "bind", "bind", source=tree)
    look_at(config, "/data/hooked")
    return tree, single, program
