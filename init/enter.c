// SPDX-License-Identifier: Apache-2.0
/*
 * The workload's view of the file system: the container's root, and the working directory.
 *
 * PID 1 has attached the container's root on top of init-oci's own root, and the child has a copy of
 * that in its mount namespace. What lies beneath (the work tree, the layers) has no name for one who
 * has entered: ".." of the new root stops there, also for who chroots again.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/spawn.h"

int enter_root(int root_fd, struct failure *f)
{
	if (fchdir(root_fd) < 0)
		return fail_sys(f, "fchdir", "/");
	if (chroot(".") < 0)
		return fail_sys(f, "chroot", "/");
	return 0;
}

/*
 * As the user, or as root when only root may: an image's directory for root is one that engines let
 * other users begin in. A directory that is not below the root has no absolute name (CVE-2024-21626).
 */
int cwd_enter(const char *cwd, bool is_there, struct failure *f)
{
	char name[4096];

	if (chdir(cwd) < 0 && !(is_there && errno == EACCES))
		fail_sys(f, "chdir", cwd);
	else if (syscall(SYS_getcwd, name, sizeof(name)) < 0)
		fail_sys(f, "getcwd", cwd);
	else if (name[0] != '/')
		fail_err(f, EXDEV, "getcwd", cwd, "is outside the container's root");
	else
		return 0;
	return fail_at(f, STAGE_SPAWN, "/process/cwd");
}
