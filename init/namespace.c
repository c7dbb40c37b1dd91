// SPDX-License-Identifier: Apache-2.0
/*
 * The container's namespaces: exactly those that the configuration lists, and always a mount
 * namespace.
 *
 * A new one comes with the clone, so that the first of a user namespace owns the others. Two come
 * later, by the child itself: the cgroup namespace shows the cgroup it is made in, which must be the
 * container's by then, and the time namespace is entered by the execve, so that its offsets can
 * still be set. "network" without a path is the machine's own: the machine is the isolation.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/namespace.h"
#include "init/sys.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const struct {
	const char *name;
	int flag;
	bool by_clone; /* else by the child */
} kinds[] = {
	[OCI_NAMESPACE_PID] = {"PID", CLONE_NEWPID, true},
	[OCI_NAMESPACE_NETWORK] = {"network", CLONE_NEWNET, false},
	[OCI_NAMESPACE_MOUNT] = {"mount", CLONE_NEWNS, true},
	[OCI_NAMESPACE_IPC] = {"IPC", CLONE_NEWIPC, true},
	[OCI_NAMESPACE_UTS] = {"UTS", CLONE_NEWUTS, true},
	[OCI_NAMESPACE_CGROUP] = {"cgroup", CLONE_NEWCGROUP, false},
	[OCI_NAMESPACE_USER] = {"user", CLONE_NEWUSER, true},
	[OCI_NAMESPACE_TIME] = {"time", CLONE_NEWTIME, false},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == OCI_NAMESPACE__COUNT, "a row for each kind");

/* In which order a child joins: the user namespace first, as it gives the right to the others. */
static const enum oci_namespace_kind join_order[] = {
	OCI_NAMESPACE_USER, OCI_NAMESPACE_NETWORK, OCI_NAMESPACE_IPC,
	OCI_NAMESPACE_UTS,  OCI_NAMESPACE_CGROUP,  OCI_NAMESPACE_TIME,
};

uint64_t namespaces_clone_flags(const struct oci_linux *linux_)
{
	uint64_t flags = CLONE_NEWNS;

	for (int kind = 0; kind < OCI_NAMESPACE__COUNT; kind++) {
		const struct oci_namespace *namespace_ = &linux_->namespaces[kind];

		if (namespace_->present && !namespace_->path && kinds[kind].by_clone)
			flags |= (unsigned)kinds[kind].flag;
	}
	return flags;
}

/* A path below /proc is looked up in our own procfs, any other in the boot root. */
static int open_path(const struct early *early, const char *path)
{
	static const char proc[] = "/proc/";
	size_t length = strlen(proc);

	if (strncmp(path, proc, length) == 0)
		return sys_open(early->proc_fd, path + length, O_RDONLY, 0);
	return sys_open_resolve(early->boot_root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
				RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int namespace_open(const struct early *early, const struct oci_namespace *namespace_, int kind,
		   int *ret_fd, struct failure *f)
{
	const char *path = namespace_->path;
	AUTO_FD fd = -1;
	struct statfs fs;

	if (kind == OCI_NAMESPACE_MOUNT)
		return fail_err(f, EINVAL, "setns", path, "a mount namespace cannot be joined");
	fd = open_path(early, path);
	if (fd < 0)
		return fail_sys(f, "open", path);
	if (fstatfs(fd, &fs))
		return fail_sys(f, "fstatfs", path);
	if ((unsigned long)fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != kinds[kind].flag)
		return fail_err(f, EINVAL, "setns", path, "is not a %s namespace",
				kinds[kind].name);
	*ret_fd = sys_take(&fd);
	return 0;
}

int namespaces_open(struct namespaces *namespaces, const struct oci_linux *linux_,
		    const struct early *early, struct failure *f)
{
	for (int kind = 0; kind < OCI_NAMESPACE__COUNT; kind++)
		namespaces->joined_fd[kind] = -1;
	for (int kind = 0; kind < OCI_NAMESPACE__COUNT; kind++) {
		const struct oci_namespace *namespace_ = &linux_->namespaces[kind];

		if (namespace_->path &&
		    namespace_open(early, namespace_, kind, &namespaces->joined_fd[kind], f))
			return fail_at(f, STAGE_SPAWN, namespace_->field);
	}
	return 0;
}

void namespaces_close(struct namespaces *namespaces)
{
	for (int kind = 0; kind < OCI_NAMESPACE__COUNT; kind++)
		sys_close(&namespaces->joined_fd[kind]);
}

int namespaces_join(const struct namespaces *namespaces, const struct oci_linux *linux_,
		    struct failure *f)
{
	int flags = 0;

	for (size_t i = 0; i < sizeof(join_order) / sizeof(join_order[0]); i++) {
		enum oci_namespace_kind kind = join_order[i];
		const struct oci_namespace *namespace_ = &linux_->namespaces[kind];

		if (namespaces->joined_fd[kind] >= 0 &&
		    setns(namespaces->joined_fd[kind], kinds[kind].flag) < 0) {
			fail_sys(f, "setns", namespace_->path);
			return fail_at(f, STAGE_SPAWN, namespace_->field);
		}
		if (namespace_->present && !namespace_->path && !kinds[kind].by_clone &&
		    kind != OCI_NAMESPACE_NETWORK)
			flags |= kinds[kind].flag;
	}
	if (flags && unshare(flags) < 0)
		return fail_sys(f, "unshare", NULL);
	return 0;
}

int namespaces_set_time(const struct oci_linux *linux_, int proc_fd, pid_t pid, struct failure *f)
{
	const struct {
		const char *name;
		const struct oci_time_offset *offset;
	} clocks[] = {{"monotonic", &linux_->monotonic}, {"boottime", &linux_->boottime}};
	char path[PROC_PATH_MAX];

	proc_path(path, pid, "timens_offsets");
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		const struct oci_time_offset *offset = clocks[i].offset;
		char text[64];

		if (!offset->present)
			continue;
		snprintf(text, sizeof(text), "%s %lld %u\n", clocks[i].name,
			 (long long)offset->secs, offset->nanosecs);
		if (proc_write(proc_fd, path, text, f))
			return fail_at(f, STAGE_SPAWN, "/linux/timeOffsets");
	}
	return 0;
}
