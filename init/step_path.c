// SPDX-License-Identifier: Apache-2.0
/*
 * Paths that the workload may only read, or not see at all. A path that does not exist needs
 * neither; links are followed inside the root, so that what is hidden is what they lead to.
 *
 * What hides a file is never the image's /dev/null, which may be a link to what should be hidden
 * (CVE-2025-31133), but init-oci's own, and only if it is the device 1:3.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "init/apply.h"
#include "init/fs.h"
#include "init/sys.h"

/* 1: there is such a path; 0: there is none. */
static int open_present(const struct apply_state *state, const struct step *step, int *ret_fd,
			struct stat *ret_status, struct failure *f)
{
	AUTO_FD fd = -1;

	if (target_find(state->root_fd, step->dst, &fd, f))
		return -1;
	if (fd < 0)
		return 0;
	if (fstat(fd, ret_status))
		return fail_sys(f, "stat", step->dst);
	*ret_fd = sys_take(&fd);
	return 1;
}

int step_readonly_path(struct apply_state *state, const struct step *step, struct failure *f)
{
	const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	AUTO_FD target_fd = -1;
	AUTO_FD mount_fd = -1;
	struct stat status;
	int found = open_present(state, step, &target_fd, &status, f);

	if (found <= 0)
		return found;
	mount_fd = sys_open_tree(target_fd, "", OPEN_TREE_CLONE | AT_RECURSIVE);
	if (mount_fd < 0)
		return fail_sys(f, "open_tree", step->dst);
	if (sys_mount_setattr(mount_fd, AT_RECURSIVE, &attr))
		return fail_sys(f, "mount_setattr", step->dst);
	return step_attach(state, step, mount_fd, target_fd, f);
}

/* Our own node, in our own directory of devices. */
static int open_null(const struct step *step, int *ret_mount_fd, struct failure *f)
{
	static const char path[] = "/dev/null";
	AUTO_FD fd = sys_open(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	struct stat status;

	if (fd < 0 && errno == ENOENT && !mknod(path, S_IFCHR | 0666, makedev(1, 3)))
		fd = sys_open(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 || fstat(fd, &status))
		return fail_sys(f, "open", path);
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		return fail_err(f, ENODEV, "open", path, "is not the null device");
	*ret_mount_fd = sys_open_tree(fd, "", OPEN_TREE_CLONE);
	return *ret_mount_fd < 0 ? fail_sys(f, "open_tree", step->dst) : 0;
}

/* One empty directory hides them all: the first is a new file system, the others its mount again. */
static int open_empty(struct apply_state *state, const struct step *step, int *ret_mount_fd,
		      struct failure *f)
{
	static const char *const options[] = {"mode=755", "nr_inodes=2", "size=4k", NULL};
	const struct fs_request request = {.fstype = "tmpfs",
					   .source = "tmpfs",
					   .where = step->dst,
					   .is_readonly = true,
					   .attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
					   .options = options};

	if (state->mask_fd < 0)
		return fs_mount_request(&request, ret_mount_fd, f);
	*ret_mount_fd = sys_open_tree(state->mask_fd, "", OPEN_TREE_CLONE);
	return *ret_mount_fd < 0 ? fail_sys(f, "open_tree", step->dst) : 0;
}

int step_mask(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD target_fd = -1;
	AUTO_FD mount_fd = -1;
	struct stat status;
	int found = open_present(state, step, &target_fd, &status, f);
	bool is_dir = found > 0 && S_ISDIR(status.st_mode);

	if (found <= 0)
		return found;
	if (is_dir ? open_empty(state, step, &mount_fd, f) : open_null(step, &mount_fd, f))
		return -1;
	if (step_attach(state, step, mount_fd, target_fd, f))
		return -1;
	if (is_dir && state->mask_fd < 0)
		state->mask_fd = sys_take(&mount_fd);
	return 0;
}
