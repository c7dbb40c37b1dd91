// SPDX-License-Identifier: Apache-2.0
/*
 * ID-mapped mounts. The kernel takes a map in the form of a user namespace, which a helper process
 * is made for that only waits to be ended. That is PID 1's business, and before the container's root
 * covers its own: whose root is covered may not make a user namespace.
 *
 * A bind PID 1 maps itself, and hands it over attached nowhere: in a user namespace of its own the
 * child may not do that to what the machine has mounted. A new file system the child maps. What only
 * PID 1 may mount (STEP_BY_MACHINE) goes the same way.
 */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/namespace.h"
#include "init/sys.h"

static int open_namespace(const struct step *step, int proc_fd, pid_t pid, int *ret_fd,
			  struct failure *f)
{
	char path[PROC_PATH_MAX];

	if (userns_map(&step->uid_maps, &step->gid_maps, proc_fd, pid, f))
		return fail_at(f, STAGE_APPLY, step->field);
	proc_path(path, pid, "ns/user");
	*ret_fd = sys_open(proc_fd, path, O_RDONLY, 0);
	return *ret_fd < 0 ? fail_sys(f, "open", path) : 0;
}

static int make_namespace(const struct step *step, int proc_fd, int *ret_fd, struct failure *f)
{
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int status;

	if (pid < 0)
		return fail_sys(f, "clone3", NULL);
	while (pid == 0)
		pause();
	status = open_namespace(step, proc_fd, pid, ret_fd, f);
	sys_end_child(pid);
	return status;
}

int idmap_set(int mount_fd, const struct step *step, int namespace_fd, struct failure *f)
{
	const struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP,
					.userns_fd = (unsigned)namespace_fd};
	unsigned flags = step->idmap == OCI_IDMAP_RECURSIVE ? AT_RECURSIVE : 0;

	if (sys_mount_setattr(mount_fd, flags, &attr))
		return errno == EINVAL
			       ? fail_err(f, EINVAL, "mount_setattr(idmap)", step->dst,
					  "the file system cannot be mounted with mapped IDs")
			       : fail_sys(f, "mount_setattr(idmap)", step->dst);
	return 0;
}

static int *new_fds(size_t count, struct failure *f)
{
	int *fds = malloc(count * sizeof(*fds));

	if (!fds)
		fail_err(f, ENOMEM, "malloc", NULL, "%s", "");
	for (size_t i = 0; fds && i < count; i++)
		fds[i] = -1;
	return fds;
}

int idmaps_open(const struct plan *plan, int proc_fd, int **ret_fds, struct failure *f)
{
	for (size_t i = plan->machine_count; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->idmap == OCI_IDMAP_NONE && !(step->flags & STEP_BY_MACHINE))
			continue;
		if (!*ret_fds)
			*ret_fds = new_fds(plan->count, f);
		if (!*ret_fds || (step->idmap != OCI_IDMAP_NONE &&
				  make_namespace(step, proc_fd, &(*ret_fds)[i], f)))
			return fail_at(f, STAGE_APPLY, step->field);
	}
	return 0;
}

static int prepare(struct apply_state *state, const struct step *step, int *fd, struct failure *f)
{
	AUTO_FD namespace_fd = -1;

	if (step->flags & STEP_BY_MACHINE)
		return step_make_mount(step, fd, f);
	if (step->idmap == OCI_IDMAP_NONE || step->kind != STEP_BIND)
		return 0;
	namespace_fd = sys_take(fd);
	if (step_clone_source(state, step, fd, f))
		return -1;
	return *fd >= 0 ? idmap_set(*fd, step, namespace_fd, f) : 0;
}

int idmaps_prepare(const struct plan *plan, struct apply_state *state, int *fds, struct failure *f)
{
	int status = 0;

	for (size_t i = plan->machine_count; fds && !status && i < plan->count; i++) {
		status = prepare(state, &plan->steps[i], &fds[i], f);
		if (status)
			fail_at(f, STAGE_APPLY, plan->steps[i].field);
	}
	sys_close(&state->boot_fd);
	return status;
}

void idmaps_close(const struct plan *plan, int **fds)
{
	for (size_t i = 0; *fds && i < plan->count; i++)
		sys_close(&(*fds)[i]);
	free(*fds);
	*fds = NULL;
}
