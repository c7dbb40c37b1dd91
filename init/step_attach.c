// SPDX-License-Identifier: Apache-2.0
/*
 * What mounts inside the container's root have in common: a place that is not the root itself, the
 * attributes of the mounts below, the propagation.
 */
#include <errno.h>
#include <sys/stat.h>

#include "init/apply.h"
#include "init/sys.h"

int step_set_propagation(int mount_fd, const struct step *step, const char *path, struct failure *f)
{
	static const uint64_t propagations[] = {
		[OCI_PROPAGATION_NONE] = 0,
		[OCI_PROPAGATION_PRIVATE] = MS_PRIVATE,
		[OCI_PROPAGATION_SHARED] = MS_SHARED,
		[OCI_PROPAGATION_SLAVE] = MS_SLAVE,
		[OCI_PROPAGATION_UNBINDABLE] = MS_UNBINDABLE,
	};
	const struct mount_attr attr = {.propagation = propagations[step->propagation]};
	unsigned flags = step->propagation_recursive ? AT_RECURSIVE : 0;

	if (step->propagation == OCI_PROPAGATION_NONE)
		return 0;
	return sys_mount_setattr(mount_fd, flags, &attr) ? fail_sys(f, "mount_setattr", path) : 0;
}

/* Whoever looks is inside that root already. */
int step_refuse_root(const struct apply_state *state, const struct step *step, int target_fd,
		     struct failure *f)
{
	struct stat target;
	struct stat root;

	if (fstat(target_fd, &target) || fstat(state->root_fd, &root))
		return fail_sys(f, "stat", step->dst);
	if (target.st_dev == root.st_dev && target.st_ino == root.st_ino)
		return fail_err(f, EINVAL, "mount", step->dst, "a mount cannot replace the root");
	return 0;
}

/* One of the access times takes the place of the others. */
struct mount_attr step_attr(uint64_t set, uint64_t clear)
{
	return (struct mount_attr){.attr_set = set,
				   .attr_clr = clear |
					       (set & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0)};
}

int step_set_recursive(int mount_fd, const struct step *step, struct failure *f)
{
	const struct mount_attr attr =
		step_attr(step->attr_set_recursive, step->attr_clear_recursive);

	if ((attr.attr_set || attr.attr_clr) && sys_mount_setattr(mount_fd, AT_RECURSIVE, &attr))
		return fail_sys(f, "mount_setattr", step->dst);
	return step_set_propagation(mount_fd, step, step->dst, f);
}

/* Attaches, then the propagation: before, the mount would be in nobody's namespace. */
int step_attach(struct apply_state *state, const struct step *step, int mount_fd, int target_fd,
		struct failure *f)
{
	if (step_refuse_root(state, step, target_fd, f))
		return -1;
	if (sys_attach(mount_fd, target_fd))
		return fail_sys(f, "move_mount", step->dst);
	target_parent_forget(&state->parent);
	return step_set_recursive(mount_fd, step, f);
}
