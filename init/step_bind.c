// SPDX-License-Identifier: Apache-2.0
/*
 * Bind mounts and remounts: what is there already, seen at another place or with other attributes.
 * Source and target are resolved once each, and everything else goes by their descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/fs.h"
#include "init/sys.h"

/* What is bound: a path in the container, or of the root file system that the VMM booted. */
static int open_bind_source(struct apply_state *state, const struct step *step, int *ret_fd,
			    struct failure *f)
{
	int flags = step->flags & STEP_COPY_SYMLINK ? O_NOFOLLOW : 0;

	if (step->flags & STEP_SRC_CONTAINER)
		return target_open(state->root_fd, step->src, flags, ret_fd, f);
	if (step->flags & STEP_SRC_WORK)
		return target_open(state->work_fd, step->src, O_NOFOLLOW, ret_fd, f);
	if (state->boot_fd < 0)
		state->boot_fd = sys_open(AT_FDCWD, STEP_BOOT_PATH, O_PATH | O_DIRECTORY, 0);
	if (state->boot_fd < 0)
		return fail_sys(f, "open", STEP_BOOT_PATH);
	return target_open(state->boot_fd, step->src, flags, ret_fd, f);
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

/* The source is a link and is to be one: the same link at the target, or there already. */
static int copy_link(struct apply_state *state, const struct step *step, int source_fd,
		     struct failure *f)
{
	char wanted[PATH_MAX];
	char present[PATH_MAX];
	const char *name;
	ssize_t length = readlinkat(source_fd, "", wanted, sizeof(wanted) - 1);
	ssize_t present_length;

	if (length < 0)
		return fail_sys(f, "readlink", step->src);
	wanted[length] = '\0';
	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	if (!symlinkat(wanted, state->parent.fd, name))
		return 0;
	if (errno != EEXIST)
		return fail_sys(f, "symlink", step->dst);
	present_length = readlinkat(state->parent.fd, name, present, sizeof(present));
	if (present_length != length || memcmp(present, wanted, (size_t)length))
		return fail_err(f, EEXIST, "symlink", step->dst,
				"the image has something else there than a link to %s", wanted);
	return 0;
}

int step_clone_source(struct apply_state *state, const struct step *step, int *ret_mount_fd,
		      struct failure *f)
{
	unsigned recursive = step->flags & STEP_RECURSIVE ? AT_RECURSIVE : 0;
	AUTO_FD source_fd = -1;
	struct stat source;

	if (open_bind_source(state, step, &source_fd, f))
		return -1;
	if (fstat(source_fd, &source))
		return fail_sys(f, "stat", step->src);
	if (S_ISLNK(source.st_mode))
		return state->root_fd >= 0 ? copy_link(state, step, source_fd, f) : 0;
	*ret_mount_fd = sys_open_tree(source_fd, "", OPEN_TREE_CLONE | recursive);
	return *ret_mount_fd < 0 ? fail_sys(f, "open_tree", step->src) : 0;
}

int step_bind(struct apply_state *state, const struct step *step, struct failure *f)
{
	const struct mount_attr attr = step_attr(step->attr_set, step->attr_clear);
	AUTO_FD target_fd = -1;
	AUTO_FD mount_fd = sys_take(&state->handed_fd);
	struct stat source;

	if (mount_fd < 0 && step_clone_source(state, step, &mount_fd, f))
		return -1;
	if (mount_fd < 0)
		return 0; /* a link, which is made again */
	if (fstat(mount_fd, &source))
		return fail_sys(f, "stat", step->src);
	if (open_bind_target(state, step, S_ISDIR(source.st_mode), &target_fd, f))
		return -1;
	if ((attr.attr_set || attr.attr_clr) && sys_mount_setattr(mount_fd, 0, &attr))
		return fail_sys(f, "mount_setattr", step->dst);
	return step_attach(state, step, mount_fd, target_fd, f);
}

/* The superblock's options. That of procfs, sysfs and cgroup2 may be init-oci's own: it stays as it is. */
static int reconfigure(const struct step *step, int target_fd, struct failure *f)
{
	AUTO_FD fs_fd = -1;
	struct fs fs;
	struct statfs status;

	if (fstatfs(target_fd, &status))
		return fail_sys(f, "statfs", step->dst);
	if (status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC ||
	    status.f_type == CGROUP2_SUPER_MAGIC)
		return step->data.count ? fail_err(f, EINVAL, "remount", step->dst,
						   "the file system is the machine's")
					: 0;
	fs_fd = sys_fspick(target_fd, "");
	if (fs_fd < 0)
		return fail_sys(f, "fspick", step->dst);
	fs = (struct fs){.fd = fs_fd, .fstype = "remount", .where = step->dst};
	if (fs_set(&fs, step->flags & STEP_SB_READONLY ? "ro" : "rw", NULL, f))
		return -1;
	for (size_t i = 0; i < step->data.count; i++)
		if (fs_set_option(&fs, step->data.items[i], f))
			return -1;
	return sys_fsconfig(fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL)
		       ? fail_sys(f, "remount", step->dst)
		       : 0;
}

/*
 * As mount(2) with MS_REMOUNT: an attribute that is not asked for goes, but for the access time,
 * which then stays as it was.
 */
int step_remount(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct mount_attr attr = {.attr_set = step->attr_set,
				  .attr_clr = STEP_ATTRS_ALL & ~(uint64_t)MOUNT_ATTR__ATIME};
	AUTO_FD target_fd = -1;

	if ((step->attr_set | step->attr_clear) & MOUNT_ATTR__ATIME)
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	if (target_open(state->root_fd, step->dst, 0, &target_fd, f))
		return -1;
	if (sys_mount_setattr(target_fd, 0, &attr))
		return errno == EINVAL ? fail_err(f, EINVAL, "remount", step->dst,
						  "nothing is mounted there")
				       : fail_sys(f, "mount_setattr", step->dst);
	if (step->fstype && reconfigure(step, target_fd, f))
		return -1;
	return step_set_recursive(target_fd, step, f);
}
