#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py [PATTERN]: do the namespace tests notice when a guard of init/ is gone?

Each row takes one guard out of a copy of the sources, builds init-oci for this machine, and runs the
cases that are there for it. A mutant that nothing notices is printed; the exit code is their number.
Needs what check-ns needs, and its built objects; not part of make check.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# file, text, what replaces it, pattern of the cases
MUTANTS = [
    ("target.c", "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);", "RESOLVE_IN_ROOT);", "matrix:tmpfs-magic"),
    ("target.c", "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);", "RESOLVE_NO_MAGICLINKS);", "matrix:tmpfs-link-absolute"),
    ("step_mount.c", "step_refuse_root(state, step, target_fd, f) ||", "", "matrix:tmpcopyup-link-to-root"),
    ("step_mount.c", "!S_ISDIR(status.st_mode)))", "0))", "matrix:proc-link"),
    ("step_bind.c", "S_ISDIR(status.st_mode) != is_dir", "0", "matrix:bind-file-directory"),
    ("step_node.c", "(!S_ISREG(status.st_mode) || status.st_size > 0)", "0", "matrix:hosts-"),
    ("step_path.c", "if (found <= 0)", "if (0)", "matrix:masked-file-absent"),
    ("pty.c", "RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;", "RESOLVE_IN_ROOT;", "matrix:console-link"),
    ("enter.c", "name[0] != '/'", "0", "matrix:cwd-magic"),
    ("main.c", "prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0", "0", "starting-child"),
    ("cred.c", "groups[used++] = user->gid;", "", "group-that-is-denied"),
    ("lookup.c", "#define PASSWD_MAX_BYTES (1u << 20)", "#define PASSWD_MAX_BYTES (1u << 30)", "gibibyte"),
    ("target.c", "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);", "RESOLVE_NO_MAGICLINKS);", "exchanged"),
    ("cred.c", "if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS", "if (0 && prctl(PR_SET_NO_NEW_PRIVS",
     "set-user-ids"),
    ("target.c", "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS", "RESOLVE_NO_MAGICLINKS", "trap|link"),
    ("target.c", "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS", "RESOLVE_IN_ROOT", "trap"),
    ("target.c", "if (length >= 0) {", "if (0) {", "trap"),
    ("step_mount.c", 'return !strcmp(fstype, "proc") || !strcmp(fstype, "sysfs");', "return 0;", "is-a-trap|proc"),
    ("step_attach.c", "target.st_dev == root.st_dev && target.st_ino == root.st_ino", "0", "not-mounted-over"),
    ("step_bind.c", "sys_open(AT_FDCWD, STEP_BOOT_PATH,", 'sys_open(AT_FDCWD, "/",', "bind-sources"),
    ("step_mount.c", ".attr_clr = STEP_ATTRS_ALL", ".attr_clr = 0", "proc-is"),
    ("enter.c", " && !(is_there && errno == EACCES)", "", "working-directory-of-the-user"),
    ("enter.c", "is_there && errno == EACCES", "1", "working-directory-of-the-user"),
    ("idmap.c", "return step_make_mount(step, fd, f);", "return 0;", "user-namespace-without"),
    ("step_bind.c", "if (S_ISDIR(status.st_mode) != is_dir)", "if (0)", "wrong-kind"),
    ("step_path.c", "status.st_rdev != makedev(1, 3)", "0", "our-own-null"),
    ("step_path.c", "!S_ISCHR(status.st_mode) ||", "", "our-own-null"),
    ("step_path.c", 'static const char path[] = "/dev/null";', 'const char *path = "/container/dev/null";', "images-null"),
    ("step_path.c", ".is_readonly = true", ".is_readonly = false", "masked-paths"),
    ("step_path.c", "if (sys_mount_setattr(mount_fd, AT_RECURSIVE, &attr))", "if (0)", "readonly-paths"),
    ("step_attach.c", "sys_mount_setattr(mount_fd, AT_RECURSIVE, &attr)", "sys_mount_setattr(mount_fd, 0, &attr)",
     "recursive-attr"),
    ("step_bind.c", "status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC", "0", "remounts"),
    ("step_bind.c", "present_length != length || memcmp(present, wanted, (size_t)length)", "0", "copy-symlink"),
    ("step_bind.c", "O_NOFOLLOW : 0", "0 : 0", "copy-symlink"),
    ("copy_up.c", "if (++copy->depth > DEPTH_MAX)", "if (0)", "deep-dir"),
    ("copy_up.c", "if (fchownat(to_dir_fd, name,", "if (0 && fchownat(to_dir_fd, name,", "tmpcopyup"),
    ("namespace.c", "(unsigned long)fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != kinds[kind].flag", "0",
     "cannot-be-joined"),
    ("namespace.c", "if (kind == OCI_NAMESPACE_MOUNT)", "if (0)", "cannot-be-joined"),
    ("namespace.c", "kind != OCI_NAMESPACE_NETWORK)", "1)", "listed-ones"),
    ("namespace.c", "uint64_t flags = CLONE_NEWNS;", "uint64_t flags = 0;", "listed-ones"),
    ("child.c", "sys_close(&setup->root_fd);", "", "through-a-desc"),
    ("child.c", "syscall(SYS_rt_sigaction, sig, &by_default, NULL, KERNEL_SET_SIZE) < 0", "0", "somebody-had"),
    ("child.c", "syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SET_SIZE) < 0", "0", "nothing-is-inh"),
    ("child.c", "return birth_ask_user(setup, f);", "return sched_set_priority(setup->process, 0, f);", "priorit"),
    ("child.c", "set_priority(setup, f) < 0 || ", "", "priorit|sched"),
    ("child.c", "if (build_container(setup, f) < 0 || hooks", "if (build_container(setup, f) < 0 || "
     "set_priority(setup, f) < 0 || hooks", "hooks-do-not"),
    ("birth.c", "sched_set_priority(setup->process, pid, f) ||", "", "priorities"),
    ("step_node.c", "(present.st_mode ^ step->mode) & S_IFMT || present.st_rdev != device", "0", "something-else"),
    ("step_node.c", "(!S_ISREG(status.st_mode) || status.st_size > 0)", "(status.st_size > 0)", "etc"),
    ("step_node.c", "(!S_ISREG(status.st_mode) || status.st_size > 0)", "(!S_ISREG(status.st_mode))", "files-in"),
    ("step_root.c", "if (state->is_upper_new && copy_root_attributes(layer, upper, f))", "if (0)", "root"),
    ("step_root.c", ".options = (const char *const *)step->data.items", ".options = NULL", "ext4"),
    ("discover_config.c", "RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS", "RESOLVE_IN_ROOT", "regular"),
    ("discover_config.c", "if (!S_ISREG(status.st_mode))", "if (0)", "regular"),
    ("discover_config.c", "if (status.st_size > OCI_CONFIG_MAX_BYTES)", "if (0)", "sizes"),
    ("discover_config.c", "if (!*p)", "if (1)", "padding"),
    ("discover_config.c", "unlinkat(early->work_fd, path + strspn(path, \"/\"), 0)", "0", "gone"),
    ("discover_config.c", "for (size_t done = 0; done < length;", "for (size_t done = length; done < length;", "gone"),
    ("discover_config.c", "|| sys_write_full(fd, device, strlen(device))", "", "gone"),
    ("discover_layers.c", "if (store->ids[number][0])", "if (0)", "twice"),
    ("discover_layers.c", "if (!ret->store->ids[i][0])", "if (0)", "missing"),
    ("discover_layers.c", "if (number < 0 && !strncmp(device->label", "if (0 && !strncmp(device->label", "strict"),
    ("discover_layers.c", "if (is_readonly)", "if (0)", "writable"),
    ("discover_layers.c", 'if (strcmp(fstype, "ext4"))', "if (0)", "upper"),
    ("discover_layers.c", "!strcmp(store->ids[i], store->ids[number])", "0", "one-disk"),
    ("discover_fstype.c", "magics[i].size(probe.bytes) > probe.size", "0", "truncated"),
    ("discover_fstype.c", "if (length < PROBE_BYTES)", "if (0)", "bad-disks"),
    ("machine.c", "if (found)", "if (0)", "two-upper"),
    ("early.c", "umask(0);", "umask(022);", "default-mounts"),
    ("apply_undo.c", "if (has_upper && sys_umount", "if (0 && sys_umount", "upper-disk"),
    ("apply_undo.c", '&& make_readonly(AT_FDCWD, "/upper")', "&& 0", "held"),
    ("apply_undo.c", "detach_root(root_fd);", "", "upper-disk"),
    ("apply.c", "apply_undo(early, &container);", "(void)early;", "after-a-failure"),
    ("net_device.c", "link->ifi_flags = link->ifi_change = IFF_UP;", "", "device"),
    ("net_device.c", "give_addresses(there_fd, index, &addresses) ?", "0 ?", "device-moves"),
    ("net_device.c", "flags & IFA_F_PERMANENT && ", "", "device-moves"),
    ("net_device.c", " && address->ifa_scope == RT_SCOPE_UNIVERSE", "", "device-moves"),
    ("net_device.c", "at->rta_type != IFA_LABEL && ", "", "device-moves"),
    ("net_device.c", "(int)address->ifa_index != index ||", "", "device-moves"),
    ("net_device.c", "return find_index(fd, wanted) < 0 ? 0 : -1;", "return 0;", "names-of-devices"),
    ("net_device.c", "if (find_index(fd, ret) < 0)", "if (1)", "names-of-devices"),
    ("net_device.c", "own.st_dev == target.st_dev && own.st_ino == target.st_ino", "0", "machines-own"),
    ("net_device.c", "if (setns(own_fd, CLONE_NEWNET))", "if (0)", "device-moves"),
    ("net_device.c", "if (size > sizeof(ret->bytes) - ret->used)", "if (0)", "cannot-move"),
    ("procfs.c", "RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV", "RESOLVE_NO_SYMLINKS", "another-file"),
    ("procfs.c", "if (written < 0)", "if (0)", "parameters-that"),
    ("sysctl.c", "state->early->proc_fd, path", "AT_FDCWD, path", "kernel-param"),
    ("birth.c", "joined_fd >= 0 && setns(own_fd, CLONE_NEWPID) < 0", "0", "stays-in"),
    ("birth.c", "userns_map(&linux_->uid_maps, &linux_->gid_maps, proc_fd, pid, f) ||", "", "user-namesp"),
    ("birth.c", "namespaces_set_time(linux_, proc_fd, pid, f) ||", "", "user-namespace-with"),
    ("birth.c", "limits_apply(setup->process, proc_fd, pid, f)", "0", "user-namespace-with"),
    ("namespace.c", "if (strncmp(path, proc, length) == 0)", "if (0)", "joined-names"),
    ("namespace.c", "setns(namespaces->joined_fd[kind], kinds[kind].flag) < 0", "0", "joined-net"),
    ("namespace.c", "if (proc_write(proc_fd, path, text, f))", "if (0)", "time-names"),
    ("namespace.c", "if (flags && unshare(flags) < 0)", "if (0)", "listed-ones|cgroup-names"),
    ("userns.c", "syscall(SYS_setresgid, 0, 0, 0) < 0", "0", "user-namespace"),
    ("userns.c", "syscall(SYS_setgroups, 0, NULL) < 0", "0", "groups-of-who"),
    ("userns.c", "syscall(SYS_setresuid, 0, 0, 0) < 0", "0", "user-namespace"),
    ("userns.c", "if (id >= map->container_id && id - map->container_id < map->size)", "if (0)", "opened-by-name"),
    ("idmap.c", "return errno == EINVAL", "return 0", "cannot-be-id"),
    ("idmap.c", "step->kind != STEP_BIND", "1", "id-mapped"),
    ("idmap.c", "return *fd >= 0 ? idmap_set(*fd, step, namespace_fd, f) : 0;", "return 0;", "id-mapped"),
    ("sched.c", ".sched_flags = scheduler->flags,", "", "schedulers"),
    ("sched.c", "IOPRIO_PRIO_VALUE(io->class, io->priority)", "IOPRIO_PRIO_VALUE(io->class, 0)", "io-prior"),
    ("sched.c", "policy->mode | (int)policy->flags", "policy->mode", "memory-pol"),
    ("sched.c", "policy->nodes ? 64 + 1 : 0", "policy->nodes ? 1 : 0", "memory-pol"),
    ("hooks.c", "has_limit ? (int)hook->timeout_s * 1000 : -1", "-1", "hooks-that-fail"),
    ("hooks.c", "if (WIFSIGNALED(status))", "if (0)", "hooks-that-fail"),
    ("hooks.c", "if (WEXITSTATUS(status))", "if (0)", "hooks-that-fail"),
    ("hooks.c", "syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) == 0 &&", "", "create-container"),
    ("hooks.c", "|| lseek(fd, 0, SEEK_SET) < 0", "", "start-container|create-container|state-of"),
    ("cred.c", "if (caps->present && set_capabilities(caps, f) < 0)", "if (0)", "capability-sets|inheritable"),
    ("signals.c", "every_signal = ~UINT64_C(0)", "every_signal = ~(UINT64_C(7) << 31)", "every-signal"),
    ("reap.c", "s->has_children = pid > 0;", "s->has_children = false;", "orphans|many-ends"),
    ("supervise.c", "kill(-1, SIGKILL);", "", "orphan-with"),
    ("child.c", "if (setsid() < 0)", "if (0)", "nothing-is-inh|terminal"),
    ("fs.c", "read_log(fs->fd, log, sizeof(log));", "log[0] = 0;", "refused"),
]


def sources():
    """init-oci's sources, as make knows them."""
    script = "include oci/module.mk init/module.mk\nall:\n\t@echo $(OCI_SRCS) $(INIT_SRCS)\n"
    return subprocess.run(["make", "-s", "-f", "-", "all"], input=script, text=True, check=True,
                          capture_output=True).stdout.split()


def is_noticed(row, work):
    name, old, new, pattern = row
    path = os.path.join(work, "init", name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) == 0:
        sys.exit(f"mutants.py: {name} has no {old!r}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    compiler = ["gcc", "-specs", "/usr/lib/x86_64-linux-musl/musl-gcc.specs", "-idirafter",
                "/usr/include/x86_64-linux-gnu", "-idirafter", "/usr/include", "-Os", "-w", "-D_GNU_SOURCE",
                '-DSMK_VERSION="x"', "-I" + work, "-I" + os.path.join(work, "include")]
    mutant = os.path.join(work, "mutant.o")
    subprocess.run([*compiler, "-c", path, "-o", mutant], check=True)
    objects = ["build/x86_64/" + s[:-1] + "o" for s in sources() if s != "init/" + name]
    init = os.path.join(work, "init-oci")
    subprocess.run([*compiler, mutant, *objects, "-static", "-no-pie", "-Lbuild/third-party/x86_64/lib",
                    "-ljansson", "-lcap", "-o", init], check=True)
    runner = "tests/ns/test_matrix.py" if pattern.startswith("matrix:") else "tests/ns/run.py"
    result = subprocess.run([runner, pattern.removeprefix("matrix:")], capture_output=True, check=False,
                            env=os.environ | {"NS_INIT": init, "NS_SUITE": "ns-mutants"})
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return b"not ok" in result.stdout


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    survivors = 0
    with tempfile.TemporaryDirectory() as work:
        for folder in ("init", "oci", "include"):
            shutil.copytree(folder, os.path.join(work, folder))
        for row in MUTANTS:
            if not wanted.search(f"{row[0]} {row[1]}"):
                continue
            noticed = is_noticed(row, work)
            survivors += not noticed
            print(f"{'noticed ' if noticed else 'SURVIVED'} {row[0]}: {row[1]} -> {row[2]}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(main())
