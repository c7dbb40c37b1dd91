# SPDX-License-Identifier: Apache-2.0
"""Attacks that other runtimes fell to, as far as they need no machine: docs/hardening.md has the list."""

import errno
import os
import struct
import time

from harness import case, check, check_equal, check_in
from matrix_policy import ERRORS
from pid1 import PROBE, Directory, File, Link, Machine, base_tree, config_for
from session import Guest
from test_links import OUTSIDE
from test_mounts import mounts_of

with open(PROBE, "rb") as _file:
    PROGRAM = _file.read()
INITRAMFS = "/proc/self/fd/8"  # of what runs meanwhile


@case(timeout=120)
def a_starting_child_cannot_be_looked_at(c):
    """
    CVE-2016-9962: a hook of the image leaves a process behind that waits for the moment in which the entrypoint's
    process has no more capabilities than itself. By then it has to be the entrypoint.
    """
    hooks = {"startContainer": [{"path": "/probe", "args": ["probe", "stalk", "/dev/shm/seen"]}]}
    with Guest(c) as guest:
        for _ in range(40):
            config = config_for("/probe", "await", "/dev/shm/seen", capabilities={}) | {"hooks": hooks}
            guest.run(config=config).expect(out=b"/probe\n")


@case()
def the_runtimes_program_stays_as_it_is(c):
    """CVE-2019-5736, in both of its forms and with every capability: refused as busy, and the same bytes afterwards."""
    with Machine(c) as m:
        m.layer(base_tree({"/self": File(b"#!/proc/self/exe\n")}))
        run = m.run(config_for("/probe", "open-proc1"), initramfs=OUTSIDE).expect().expect_outside_untouched()
        check_in(f"/proc/1/exe {errno.ETXTBSY}", run.lines, "what came of opening")
        run = m.run(config_for("/self"), initramfs=OUTSIDE).expect_outside_untouched()
        check_equal((run.record["phase"], run.record["code"]), ("run", 2), "init-oci as its own interpreter: a tool")


@case()
def kernel_settings_do_not_land_in_a_mount(c):
    """CVE-2019-16884, CVE-2025-52881: what a configuration mounts over /proc is not what is written to."""
    settings = {"linux": {"namespaces": [{"type": "uts"}, {"type": "mount"}],
                          "sysctl": {"kernel.domainname": "by-sysctl"}}}
    bait = {"/fake/kernel/domainname": "bait", "/fake/oom_score_adj": "bait"}
    over_all = [{"destination": "/proc", "type": "tmpfs", "source": "t"}]
    over_sys = [{"destination": "/proc/sys", "type": "bind", "source": "/fake", "options": ["bind"]}]
    with Machine(c) as m:
        m.layer(base_tree())
        run = m.run(config_for("/probe", mounts=over_sys, oomScoreAdj=77) | settings, initramfs=bait | OUTSIDE)
        run.expect().expect_outside_untouched()
        check_equal((run.facts["domainname"], run.facts["oomScoreAdj"]), ("by-sysctl", 77), "kernel's values")
        run = m.run(config_for("/probe", "tree", "/proc", mounts=over_all, oomScoreAdj=77) | settings)
        check_equal(sorted(run.expect().objects[0]), ["/proc"], "what was written into the tmpfs")
        run = m.run(config_for("/probe", mounts=over_all, oomScoreAdj=77) | settings)
        check_equal(run.expect().facts["domainname"], "by-sysctl", "the kernel's value")


def race(m, swap, destination, places, count=200):
    """Mounts, while somebody outside exchanges what is on the way to them; the places that they reached."""
    mounts = [{"destination": "/m", "type": "bind", "source": "/data", "options": ["bind"]}]
    mounts += [{"destination": f"{destination}/{i}", "type": "tmpfs", "source": "race"} for i in range(count)]
    files = {"/data/d": None, "/data/x": Link("../../../../../outside/deep"), "/outside/deep": None, "/swap/e": None,
             "/swap/mark": "outside"}
    run = m.run(config_for("/probe", mounts=mounts), initramfs=files,
                meanwhile=f"exec {PROBE} swap {INITRAMFS}{swap[0]} {INITRAMFS}{swap[1]}")
    check_in("swapped ", run.text, "the exchanger's last words")
    check(int(next(l for l in run.lines if l.startswith("swapped ")).split()[1]) > 50, "nothing was exchanged")
    new = [p for p in run.after if p not in run.before and not p.startswith(
        ("root/data", "root/swap/e", "root/layer", "root/upper", "root/boot", "root/proc"))]
    check_equal(new, [], "made outside")
    if run.record["phase"] == "setup":
        run.expect_failure("apply: /mounts/")
        return set()
    found = {p: f for p, f in mounts_of(run.expect()).items() if f[2] == "race"}
    check_equal(len(found), count, "number of mounts that are seen inside")
    reached = {os.path.dirname(p) for p in found}
    check_equal(sorted(reached - set(places)), [], "other places")
    return reached


@case(timeout=150)
def mounts_while_their_targets_are_exchanged(c):
    """CVE-2021-30465: a directory becomes a link to the outside between look-up and mount; or is moved out."""
    reached = set()
    with Machine(c) as m:
        m.layer(base_tree({"/l": Link("/m/d/../../../../outside/deep"), "/outside/deep": None}))
        end, turn = time.monotonic() + 60, 0  # chance, and who else runs, decide which side is met
        while turn < 10 or len(reached) < 2 and time.monotonic() < end:
            turn += 1
            reached |= race(m, ("/data/d", "/data/x"), "/m/d", ("/m/d", "/m/x", "/outside/deep"))
            race(m, ("/data/d", "/swap/e"), "/l", ("/l", "/outside/deep"))
    check(len(reached) > 1, f"the exchange never made a difference: {reached}")


@case()
def a_file_with_inheritable_capabilities(c):
    """CVE-2022-24769 and its like: nothing inheritable by default, so such a file gives nothing."""
    net_raw = 1 << 13
    capability = struct.pack("<IIIII", 0x02000001, 0, net_raw, 0, 0)  # effective bit, inheritable NET_RAW
    sets = {"bounding": ["CAP_NET_RAW"], "permitted": ["CAP_NET_RAW"], "effective": ["CAP_NET_RAW"]}
    user = {"uid": 9, "gid": 9}
    with Guest(c, {"/raw": File(PROGRAM, capability=capability)}) as guest:
        facts = guest.run("/raw", user=user, capabilities=sets).expect().facts
        check_equal((facts["capInheritable"], facts["capEffective"]), ("0" * 16, "0" * 16), "capabilities")
        sets["inheritable"] = ["CAP_NET_RAW"]
        facts = guest.run("/raw", user=user, capabilities=sets).expect().facts
        check_equal(facts["capEffective"], f"{net_raw:016x}", "effective when the configuration lists it")


@case()
def a_group_that_is_denied_stays_denied(c):
    """CVE-2022-36109 and its like: who changes the effective group is still a member of the first."""
    files = {"/secret": File(b"text", 0o604, 0, 10), "/as-five": File(PROGRAM, 0o2755, 0, 5)}
    with Guest(c, files) as guest:
        user = {"uid": 10, "gid": 10}
        facts = guest.run("/as-five", user=user, capabilities={}).expect().facts
        check_equal((facts["gid"], facts["groups"]), ([10, 5, 5], [10]), "groups of a set-gid program")
        session = guest.run("/as-five", "show", "/secret", user=user, capabilities={})
        session.expect(1, err=b"probe: /secret: Permission denied\n")
        session = guest.run("/probe", "show", "/secret", user={"uid": 11, "gid": 11}, capabilities={})
        session.expect(out=b"text")


@case()
def a_passwd_of_a_gibibyte(c):
    """Only its first MiB is read: zeros, in which nobody has a home."""
    with Guest(c, {"/etc/passwd": File(b"", 0o644, size=1 << 30)}) as guest:
        session = guest.run("/probe", user={"uid": 5, "gid": 5}).expect()
        check_equal(session.facts["env"], ["HOME=/"], "env")
        check(session.seconds < 2, f"took {session.seconds} s")


SCRIPTS = {f"/nested{i}": File(f"#!/nested{i + 1}\n".encode()) for i in range(6)} | {"/nested6": File(b"#!/probe\n")}

STARTS = {"/private/probe": "EACCES", "/by-directory": "EACCES", "/by-unexecutable": "EACCES", "/nested0": "ELOOP",
          "/by-itself": "ELOOP"}


@case()
def programs_that_need_what_is_not_theirs(c):
    """2c: a directory without search permission, interpreters that cannot be executed, scripts without end."""
    tree = SCRIPTS | {
        "/private": Directory(0o700), "/private/probe": File(PROGRAM), "/by-directory": File(b"#!/etc\n"),
        "/by-unexecutable": File(b"#!/plain\n"), "/plain": File(PROGRAM, 0o644), "/by-itself": File(b"#!/by-itself\n")}
    with Guest(c, tree) as guest:
        for name, error in STARTS.items():
            session = guest.run(name, user={"uid": 9, "gid": 9}, capabilities={}).expect_failure(126)
            check_equal(session.failures, [f"init-oci: fatal: spawn: /process/args/0: {name}: execve: {ERRORS[error]} "
                                           f"(errno {getattr(errno, error)})"], "the failure")
        session = guest.run("/nested3")  # the probe gets the name of the script as its command
        check_equal((session.record["phase"], session.record["code"]), ("run", 2), "end of a shorter chain")


@case()
def a_program_that_is_being_written(c):
    mounts = [{"destination": "/busy", "type": "bind", "source": "/busy", "options": ["bind"]}]
    with Machine(c) as m:
        m.layer(base_tree())
        config = config_for("/busy", mounts=mounts)
        run = m.run(config, initramfs={"/busy": File(PROGRAM)}, meanwhile=f"exec 9>>{INITRAMFS}/busy; exec sleep 600")
        run.expect_failure(code=126)
        check_equal(run.failures, ["init-oci: fatal: spawn: /process/args/0: /busy: execve: Text file busy "
                                   f"(errno {errno.ETXTBSY})"], "the failure")


@case()
def set_user_ids(c):
    """A set-uid program of the image works, but not with noNewPrivileges, nor on a mount with nosuid."""
    user, wanted = {"uid": 9, "gid": 9}, {False: [9, 0, 0], True: [9, 9, 9]}
    with Guest(c, {"/set-uid": File(PROGRAM, 0o4755)}) as guest:
        for flag, ids in wanted.items():
            facts = guest.run("/set-uid", user=user, noNewPrivileges=flag, capabilities={}).expect().facts
            check_equal(facts["uid"], ids, f"ids with noNewPrivileges {flag}")
    with Machine(c, "mount") as m:
        m.layer(base_tree())
        for flag, ids in wanted.items():
            bind = {"destination": "/b", "type": "bind", "source": "/b", "options": ["bind"] + ["nosuid"] * flag}
            config = config_for("/b", mounts=[bind], user=user, capabilities={})
            run = m.run(config, initramfs={"/b": File(PROGRAM, 0o4755)}).expect()
            check_equal(run.facts["uid"], ids, f"ids with nosuid {flag}")


def patched(image, offset, data):
    with open(image, "rb") as file:
        whole = bytearray(file.read())
    whole[offset:offset + len(data)] = data
    return bytes(whole)


@case()
def disks_that_no_file_system_can_be(c):
    """2d: of no size, and with what the kernel does not know: refused with the disk's name, in one line."""
    with Machine(c) as m:
        squashfs, erofs = m.image(base_tree()), m.image(base_tree(), "erofs")
        bad = {
            "empty": (b"", "discover: "),
            "compressor": (patched(squashfs, 20, b"\x63\0"), "mount(squashfs)"),
            "version": (patched(squashfs, 28, b"\x09\0"), "mount(squashfs)"),
            "feature": (patched(erofs, 1024 + 80, b"\0\0\0\x40"), "mount(erofs)"),
        }
        for name, (data, words) in bad.items():
            m.disks, m.layers = [], 0
            m.layer_image(m.raw(data, name))
            m.run(config_for("/probe")).expect_failure(words, "vdaa").expect_outside_untouched()


@case(timeout=120)
def as_much_as_the_kernel_takes(c):
    """2b: groups, environment and names up to their limits arrive whole; one more is refused, and said."""
    with Guest(c) as guest:
        groups = [100 + i for i in range(65535)]  # and the primary group makes 65536
        session = guest.run("/probe", "exit", "0", user={"uid": 9, "gid": 9, "additionalGids": groups}).expect()
        session = guest.run("/probe", user={"uid": 9, "gid": 9, "additionalGids": [*groups, 99]})
        session.expect_failure(125, "parse: /process/user/additionalGids: must have at most 65535 elements")
        env = [f"V{i}=x" for i in range(100000)]
        check_equal(guest.run("/probe", env=[*env, "HOME=/"]).expect().facts["env"][:-1], env, "environment")
        longest = "LONG=" + "x" * (131071 - len("LONG="))
        check_equal(guest.run("/probe", env=[longest]).expect().facts["env"][0], longest, "longest variable")
        guest.run("/probe", env=[longest + "x"]).expect_failure(
            126, "/probe: execve: Argument list too long", f"(errno {errno.E2BIG})")
