// SPDX-License-Identifier: Apache-2.0
/*
 * apply: the plan's steps -> the container's root and the kernel's settings.
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
	[STEP_SYSCTL] = step_sysctl,
	[STEP_ROOT_READONLY] = step_root_readonly,
	[STEP_ROOT_PROPAGATION] = step_root_propagation,
};
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

	/* Kinds whose handler is being written: the container's cgroup is made by spawn as before. */
	if (!handlers[step->kind] && step->kind == STEP_CGROUP)
		return 0;
	if (!handlers[step->kind]) {
		console_warn("%s: not applied by this version", step->field);
		return 0;
	}
	if (!handlers[step->kind](state, step, &failure))
		return 0;
	fail_at(&failure, STAGE_APPLY, step->field);
	if (step->flags & STEP_OPTIONAL) {
		warn_optional(&failure);
		return 0;
	}
	*f = failure;
	return -1;
}

int apply(const struct plan *plan, const struct early *early, struct container *ret,
	  struct failure *f)
{
	struct apply_state state = {.early = early,
				    .root_mount_fd = -1,
				    .root_fd = -1,
				    .upper_fd = -1,
				    .boot_mount_fd = -1,
				    .parent = {.fd = -1}};
	int status = 0;

	for (size_t i = 0; !status && i < plan->count; i++)
		status = apply_step(&state, &plan->steps[i], f);
	target_parent_forget(&state.parent);
	sys_close(&state.root_mount_fd);
	sys_close(&state.boot_mount_fd);
	if (!status && state.root_fd < 0)
		status = fail_config(f, "", "the plan enters no root");

	struct container container = {.root_fd = state.root_fd, .upper_fd = state.upper_fd};

	if (status)
		apply_undo(early, &container);
	else
		*ret = container;
	return status;
}
