// SPDX-License-Identifier: Apache-2.0
/*
 * apply: the plan's steps -> the container's root and the kernel's settings.
 *
 * One plan, two sides. PID 1 does the machine's steps up to the one that enters the root; the rest
 * is the container's, and done by the child in the container's namespaces: there procfs shows the
 * right processes and the host name is the right one. The child begins with the root as its current
 * directory, because of all descriptors only that one is carried over into a new mount namespace.
 *
 * Should: do exactly the steps, in order, and on failure leave nothing mounted that has a disk
 * behind it. Must not: decide anything, or reach a path of the image by other means than target.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/sys.h"

static int (*const handlers[STEP__COUNT])(struct apply_state *, const struct step *,
					  struct failure *) = {
	[STEP_LAYER] = step_layer,
	[STEP_UPPER] = step_upper,
	[STEP_OVERLAY] = step_overlay,
	[STEP_BIND_WORK] = step_bind_work,
	[STEP_ENTER] = step_enter,
	[STEP_MOUNT] = step_mount,
	[STEP_BIND] = step_bind,
	[STEP_MKDIR] = step_mkdir,
	[STEP_SYMLINK] = step_symlink,
	[STEP_MKNOD] = step_mknod,
	[STEP_FILE] = step_file,
	[STEP_HOSTNAME] = step_hostname,
	[STEP_DOMAINNAME] = step_domainname,
	[STEP_LOOPBACK] = step_loopback,
	[STEP_NET_DEVICE] = step_net_device,
	[STEP_SYSCTL] = step_sysctl,
	[STEP_CGROUP] = step_cgroup,
	[STEP_CGROUP_WRITE] = step_cgroup_write,
	[STEP_CGROUP_DEVICES] = step_cgroup_devices,
	[STEP_REMOUNT] = step_remount,
	[STEP_READONLY_PATH] = step_readonly_path,
	[STEP_MASK] = step_mask,
	[STEP_ROOT_READONLY] = step_root_readonly,
	[STEP_ROOT_PROPAGATION] = step_root_propagation,
};
_Static_assert(STEP__COUNT == 24, "a new kind needs a handler above, and its count here");

static void warn_optional(const struct failure *failure)
{
	static const char prefix[] = "init-oci: fatal: ";
	char line[FAIL_LINE_MAX];

	fail_format(failure, line);
	console_warn("%s", line + strlen(prefix));
}

static int apply_step(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct failure failure = {.stage = STAGE_NONE};

	if (!handlers[step->kind](state, step, &failure))
		return 0;
	fail_at(&failure, STAGE_APPLY, step->field);
	/* Nobody has asked for a file that is only written where none is: an odd /etc goes without. */
	if (step->flags & STEP_OPTIONAL ||
	    (step->flags & STEP_IF_MISSING && (failure.err == ENOTDIR || failure.err == ELOOP))) {
		warn_optional(&failure);
		return 0;
	}
	*f = failure;
	return -1;
}

static struct apply_state new_state(const struct early *early,
				    const struct oci_namespace *namespaces)
{
	return (struct apply_state){.early = early,
				    .namespaces = namespaces,
				    .root_mount_fd = -1,
				    .root_fd = -1,
				    .upper_fd = -1,
				    .cgroup_fd = -1,
				    .work_fd = -1,
				    .boot_fd = -1,
				    .handed_fd = -1,
				    .mask_fd = -1,
				    .parent = {.fd = -1}};
}

/* Steps [begin, end). fds: NULL, or a descriptor for each step */
static int apply_steps(struct apply_state *state, const struct plan *plan, size_t begin, size_t end,
		       int *fds, struct failure *f)
{
	int status = 0;

	for (size_t i = begin; !status && i < end; i++) {
		state->handed_fd = fds ? sys_take(&fds[i]) : -1;
		status = apply_step(state, &plan->steps[i], f);
		sys_close(&state->handed_fd);
	}
	target_parent_forget(&state->parent);
	sys_close(&state->root_mount_fd);
	sys_close(&state->work_fd);
	sys_close(&state->boot_fd);
	sys_close(&state->mask_fd);
	return status;
}

static bool needs_boot_root(const struct plan *plan)
{
	for (size_t i = plan->machine_count; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_BIND &&
		    !(plan->steps[i].flags & (STEP_SRC_CONTAINER | STEP_SRC_WORK)))
			return true;
	return false;
}

int apply(const struct plan *plan, const struct oci_namespace *namespaces,
	  const struct early *early, struct container *ret, struct failure *f)
{
	struct apply_state state = new_state(early, namespaces);
	int *fds = NULL;
	int status = idmaps_open(plan, early->proc_fd, &fds, f);

	if (!status)
		status = apply_steps(&state, plan, 0, plan->machine_count + 1, NULL, f);
	if (!status && needs_boot_root(plan))
		status = step_open_boot(early, f);
	if (!status)
		status = idmaps_prepare(plan, &state, fds, f);
	if (status)
		idmaps_close(plan, &fds);

	struct container container = {.root_fd = state.root_fd,
				      .upper_fd = state.upper_fd,
				      .cgroup_fd = state.cgroup_fd,
				      .step_fds = fds};

	if (status)
		apply_undo(early, &container);
	else
		*ret = container;
	return status;
}

int apply_container(const struct plan *plan, const struct oci_namespace *namespaces,
		    const struct early *early, int *fds, bool *ret_new_cwd, struct failure *f)
{
	struct apply_state state = new_state(early, namespaces);
	int status;

	state.root_fd = sys_open(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
	state.work_fd = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	if (state.root_fd < 0 || state.work_fd < 0)
		return fail_sys(f, "open", "/");
	status = step_cover(&state, f);
	if (!status)
		status = apply_steps(&state, plan, plan->machine_count + 1, plan->count, fds, f);
	sys_close(&state.root_fd);
	*ret_new_cwd = state.has_made;
	return status;
}
