// SPDX-License-Identifier: Apache-2.0
/*
 * The workload's view of the file system: the container's root, and the working directory.
 *
 * The child has a copy of PID 1's mounts: the boot root, on it the work tree, and in that, among
 * the layers, the container's root. It exchanges the work tree for the container's root and lets go of
 * it with all that is mounted in it, so that who may unmount the root and join the mount
 * namespace again finds nothing but the boot root as it was handed to us.
 */
#include <errno.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/spawn.h"
#include "init/sys.h"

static int set_propagation(int root_fd, uint64_t propagation, struct failure *f)
{
	const struct mount_attr attr = {.propagation = propagation};

	return sys_mount_setattr(root_fd, 0, &attr) ? fail_sys(f, "mount_setattr", "/") : 0;
}

int enter_root(int root_fd, const struct oci_linux *linux_, struct failure *f)
{
	/* On a shared mount no root is pivoted. */
	const bool is_shared = linux_->root_propagation == OCI_PROPAGATION_SHARED;

	if (fchdir(root_fd) < 0)
		return fail_sys(f, "fchdir", "/");
	if (is_shared && set_propagation(root_fd, MS_PRIVATE, f) < 0)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return fail_sys(f, "pivot_root", "/");
	/* Now on top of us. */
	if (sys_umount(".", MNT_DETACH))
		return fail_sys(f, "umount", "/");
	return is_shared ? set_propagation(root_fd, MS_SHARED, f) : 0;
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
