// SPDX-License-Identifier: Apache-2.0
/*
 * The end of what apply() mounted, so that disks are clean for the next boot. Mounts are named by
 * our own descriptors and our own work tree: a path that the image or the workload controls is
 * never used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/guest.h"
#include "init/sys.h"

/* With every mount below; nobody uses them any more, so the file systems end when we let go. */
static void detach_root(int root_fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", root_fd);
	if (sys_umount(path, MNT_DETACH))
		console_warn("report: the container's root: umount: %s (errno %d)", strerror(errno),
			     errno);
}

/* Somebody still holds it: what matters is that nothing is written any more. */
static int make_readonly(int dir_fd, const char *path)
{
	AUTO_FD fs_fd = sys_fspick(dir_fd, path);

	if (fs_fd < 0 || sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL))
		return -1;
	return sys_fsconfig(fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL);
}

static void warn_dirty(const char *what)
{
	console_warn("report: %s: neither unmounted nor made read-only: %s (errno %d)", what,
		     strerror(errno), errno);
}

void apply_undo(const struct early *early, const struct container *container)
{
	int root_fd = container->root_fd;
	int upper_fd = container->upper_fd;
	bool has_upper = upper_fd >= 0;

	sync();
	if (root_fd >= 0)
		detach_root(root_fd);
	/* Only there when root.path is not "/", or something was bound. */
	(void)sys_umount("/root", MNT_DETACH);
	(void)sys_umount("/boot", MNT_DETACH);
	sys_close(&root_fd);
	sys_close(&upper_fd);
	if (has_upper && sys_umount("/upper", UMOUNT_NOFOLLOW) && make_readonly(AT_FDCWD, "/upper"))
		warn_dirty("/upper");
	/* PID 1 runs from the VMM's root file system: it cannot be unmounted. */
	if (!early->is_initramfs && make_readonly(early->boot_root_fd, ""))
		warn_dirty("the boot root");
}
