// SPDX-License-Identifier: Apache-2.0
/*
 * Mounts inside the container's root: a new file system or a bind. The mount is made first,
 * attached nowhere; the target is resolved once, and the mount goes onto that very descriptor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "init/apply.h"
#include "init/fs.h"
#include "init/sys.h"

#define ATTRS_ALL                                                                       \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
	 MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

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

/* A mount over the root would not be seen: whoever looks is inside that root already. */
static int refuse_root(const struct apply_state *state, const struct step *step, int target_fd,
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

/* Attaches, then the propagation: before, the mount would be in nobody's namespace. */
static int attach(struct apply_state *state, const struct step *step, int mount_fd, int target_fd,
		  struct failure *f)
{
	if (refuse_root(state, step, target_fd, f))
		return -1;
	if (sys_attach(mount_fd, target_fd))
		return fail_sys(f, "move_mount", step->dst);
	target_parent_forget(&state->parent);
	return step_set_propagation(mount_fd, step, step->dst, f);
}

/*
 * proc and sysfs go onto an ordinary directory only, as a link there would let the image choose
 * what later writes to /proc reach.
 */
static bool is_kernel_view(const char *fstype)
{
	return !strcmp(fstype, "proc") || !strcmp(fstype, "sysfs");
}

static int open_mount_target(struct apply_state *state, const struct step *step, int *ret_fd,
			     struct stat *ret_status, struct failure *f)
{
	AUTO_FD fd = -1;

	if (is_kernel_view(step->fstype)) {
		const char *name;

		if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
			return -1;
		fd = sys_open(state->parent.fd, name, O_PATH | O_NOFOLLOW, 0);
		if (fd >= 0 && (fstat(fd, ret_status) || !S_ISDIR(ret_status->st_mode)))
			return fail_err(f, ENOTDIR, "mount", step->dst,
					"%s must be mounted on an ordinary directory",
					step->fstype);
	}
	if (fd < 0 && target_make_dir(state->root_fd, step->dst, 0755, &fd, f))
		return -1;
	if (fstat(fd, ret_status))
		return fail_sys(f, "stat", step->dst);
	if (!S_ISDIR(ret_status->st_mode))
		return fail_err(f, ENOTDIR, "mount", step->dst, "%s", "");
	*ret_fd = sys_take(&fd);
	return 0;
}

static bool has_option(const struct oci_strings *options, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < options->count; i++)
		if (!strncmp(options->items[i], key, length) && options->items[i][length] == '=')
			return true;
	return false;
}

/* Another mount of PID 1's own proc or sysfs: cheaper than a new instance, and as good. */
static int mount_again(const struct apply_state *state, const struct step *step, int *ret_mount_fd,
		       struct failure *f)
{
	const struct mount_attr attr = {.attr_set = step->attr_set, .attr_clr = ATTRS_ALL};
	bool is_proc = !strcmp(step->fstype, "proc");
	AUTO_FD mount_fd = sys_open_tree(is_proc ? state->early->proc_fd : state->early->sys_fd, "",
					 OPEN_TREE_CLONE);

	if (mount_fd < 0)
		return fail_sys(f, "open_tree", step->dst);
	if (sys_mount_setattr(mount_fd, 0, &attr))
		return fail_sys(f, "mount_setattr", step->dst);
	*ret_mount_fd = sys_take(&mount_fd);
	return 0;
}

/* A tmpfs without mode= takes the mode of the directory it covers, as people expect of a mount. */
static int mount_new(const struct step *step, const struct stat *target, int *ret_mount_fd,
		     struct failure *f)
{
	struct fs_request request = {.fstype = step->fstype,
				     .source = step->src,
				     .where = step->dst,
				     .is_readonly = step->flags & STEP_SB_READONLY,
				     .attrs = step->attr_set,
				     .options = (const char *const *)step->data.items};
	char mode[16];

	if (!strcmp(step->fstype, "tmpfs") && !has_option(&step->data, "mode")) {
		snprintf(mode, sizeof(mode), "mode=%o", target->st_mode & 07777);
		request.last_option = mode;
	}
	return fs_mount_request(&request, ret_mount_fd, f);
}

int step_mount(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD target_fd = -1;
	AUTO_FD mount_fd = -1;
	struct stat target;
	int status;

	if (open_mount_target(state, step, &target_fd, &target, f))
		return -1;
	if (is_kernel_view(step->fstype) && step->data.count == 0)
		status = mount_again(state, step, &mount_fd, f);
	else
		status = mount_new(step, &target, &mount_fd, f);
	return status ? -1 : attach(state, step, mount_fd, target_fd, f);
}

/*
 * The root file system that init-oci was booted from, as a mount of its own: on the original lies the
 * container's root by now, and a ".." at its top would lead there.
 */
static int open_boot_root(struct apply_state *state, struct failure *f)
{
	AUTO_FD mount_fd = -1;

	if (state->boot_mount_fd >= 0)
		return 0;
	mount_fd = sys_open_tree(state->early->boot_root_fd, "", OPEN_TREE_CLONE);
	if (mount_fd < 0)
		return fail_sys(f, "open_tree", "/boot");
	if (step_attach_work(mount_fd, "/boot", f))
		return -1;
	state->boot_mount_fd = sys_take(&mount_fd);
	return 0;
}

/* What is bound: a path in the container, or of the root file system that the VMM booted. */
static int open_bind_source(struct apply_state *state, const struct step *step, int *ret_fd,
			    struct failure *f)
{
	if (step->flags & STEP_SRC_CONTAINER)
		return target_open(state->root_fd, step->src, 0, ret_fd, f);
	if (open_boot_root(state, f))
		return -1;
	return target_open(state->boot_mount_fd, step->src, 0, ret_fd, f);
}

static int open_bind_target(const struct apply_state *state, const struct step *step, bool is_dir,
			    int *ret_fd, struct failure *f)
{
	AUTO_FD fd = -1;
	struct stat status;

	if (is_dir ? target_make_dir(state->root_fd, step->dst, 0755, &fd, f)
		   : target_make_file(state->root_fd, step->dst, &fd, f))
		return -1;
	if (fstat(fd, &status))
		return fail_sys(f, "stat", step->dst);
	if (S_ISDIR(status.st_mode) != is_dir)
		return fail_err(f, is_dir ? ENOTDIR : EISDIR, "mount", step->dst,
				"%s is %sa directory", step->src, is_dir ? "" : "not ");
	*ret_fd = sys_take(&fd);
	return 0;
}

int step_bind(struct apply_state *state, const struct step *step, struct failure *f)
{
	const struct mount_attr attr = {
		.attr_set = step->attr_set,
		.attr_clr = step->attr_clear |
			    (step->attr_set & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0)};
	unsigned recursive = step->flags & STEP_RECURSIVE ? AT_RECURSIVE : 0;
	AUTO_FD source_fd = -1;
	AUTO_FD target_fd = -1;
	AUTO_FD mount_fd = -1;
	struct stat source;

	if (open_bind_source(state, step, &source_fd, f))
		return -1;
	if (fstat(source_fd, &source))
		return fail_sys(f, "stat", step->src);
	if (open_bind_target(state, step, S_ISDIR(source.st_mode), &target_fd, f))
		return -1;
	mount_fd = sys_open_tree(source_fd, "", OPEN_TREE_CLONE | recursive);
	if (mount_fd < 0)
		return fail_sys(f, "open_tree", step->src);
	if ((attr.attr_set || attr.attr_clr) && sys_mount_setattr(mount_fd, 0, &attr))
		return fail_sys(f, "mount_setattr", step->dst);
	return attach(state, step, mount_fd, target_fd, f);
}
