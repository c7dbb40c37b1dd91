// SPDX-License-Identifier: Apache-2.0
/*
 * A new file system inside the container's root. The mount is made first, attached nowhere; the
 * target is resolved once, and the mount goes onto that very descriptor.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/fs.h"
#include "init/sys.h"

/*
 * proc and sysfs go onto an ordinary directory only, as a link there would let the image choose
 * what later writes to /proc reach.
 */
static bool is_kernel_view(const char *fstype)
{
	return !strcmp(fstype, "proc") || !strcmp(fstype, "sysfs");
}

static int open_mount_target(struct apply_state *state, const struct step *step, int *ret_fd,
			     struct failure *f)
{
	AUTO_FD fd = -1;
	struct stat status;

	if (is_kernel_view(step->fstype)) {
		const char *name;

		if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
			return -1;
		fd = sys_open(state->parent.fd, name, O_PATH | O_NOFOLLOW, 0);
		if (fd >= 0 && (fstat(fd, &status) || !S_ISDIR(status.st_mode)))
			return fail_err(f, ENOTDIR, "mount", step->dst,
					"%s must be mounted on an ordinary directory",
					step->fstype);
	}
	if (fd < 0 && target_make_dir(state->root_fd, step->dst, 0755, &fd, f))
		return -1;
	if (fstat(fd, &status))
		return fail_sys(f, "stat", step->dst);
	if (!S_ISDIR(status.st_mode))
		return fail_err(f, ENOTDIR, "mount", step->dst, "%s", "");
	*ret_fd = sys_take(&fd);
	return 0;
}

/*
 * Another mount of PID 1's own proc or sysfs: cheaper than a new instance, and as good. sysfs shows
 * the machine's network, which is the container's; a proc of one's own belongs to a PID namespace.
 */
static bool is_machines(const struct apply_state *state, const struct step *step)
{
	const struct oci_namespace *namespaces = state->namespaces;

	if (!is_kernel_view(step->fstype) || step->data.count)
		return false;
	return !strcmp(step->fstype, "proc") ? !namespaces[OCI_NAMESPACE_PID].present
					     : !namespaces[OCI_NAMESPACE_NETWORK].path;
}

/* Into another user namespace only whole trees can be carried, and nothing is mounted in ours. */
static int mount_again(const struct apply_state *state, const struct step *step, int *ret_mount_fd,
		       struct failure *f)
{
	unsigned recursive = state->namespaces[OCI_NAMESPACE_USER].present ? AT_RECURSIVE : 0;
	const struct mount_attr attr = {.attr_set = step->attr_set, .attr_clr = STEP_ATTRS_ALL};
	AUTO_FD own_fd = sys_open(AT_FDCWD, !strcmp(step->fstype, "proc") ? "/proc" : "/sys",
				  O_PATH | O_DIRECTORY, 0);
	AUTO_FD mount_fd = own_fd < 0 ? -1 : sys_open_tree(own_fd, "", OPEN_TREE_CLONE | recursive);

	if (mount_fd < 0)
		return fail_sys(f, "open_tree", step->dst);
	if (sys_mount_setattr(mount_fd, 0, &attr))
		return fail_sys(f, "mount_setattr", step->dst);
	*ret_mount_fd = sys_take(&mount_fd);
	return 0;
}

int step_make_mount(const struct step *step, int *ret_mount_fd, struct failure *f)
{
	const struct fs_request request = {.fstype = step->fstype,
					   .source = step->src,
					   .where = step->dst,
					   .is_readonly = step->flags & STEP_SB_READONLY,
					   .attrs = step->attr_set,
					   .options = (const char *const *)step->data.items};

	return fs_mount_request(&request, ret_mount_fd, f);
}

/* The mode last: changing the owner drops set-id bits. */
static int copy_owner(const struct step *step, int from_fd, int mount_fd, struct failure *f)
{
	struct stat status;

	if (fstat(from_fd, &status) || fchownat(mount_fd, ".", status.st_uid, status.st_gid, 0) ||
	    fchmodat(mount_fd, ".", status.st_mode & 07777, 0))
		return fail_sys(f, "tmpcopyup", step->dst);
	return 0;
}

int step_mount(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD target_fd = -1;
	AUTO_FD mount_fd = -1;
	int status = 0;

	if (open_mount_target(state, step, &target_fd, f))
		return -1;
	if (step->flags & STEP_BY_MACHINE)
		mount_fd = sys_take(&state->handed_fd);
	else if (is_machines(state, step))
		status = mount_again(state, step, &mount_fd, f);
	else
		status = step_make_mount(step, &mount_fd, f);
	if (!status && step->idmap != OCI_IDMAP_NONE)
		status = idmap_set(mount_fd, step, state->handed_fd, f);
	/* A link of the image to the root would have all of it copied, /proc and /sys too. */
	if (!status && step->flags & STEP_COPY_UP)
		status = step_refuse_root(state, step, target_fd, f) ||
			 copy_up(target_fd, mount_fd, step->dst, f);
	if (!status && step->flags & STEP_COPY_OWNER)
		status = copy_owner(step, target_fd, mount_fd, f);
	return status ? -1 : step_attach(state, step, mount_fd, target_fd, f);
}
