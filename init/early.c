// SPDX-License-Identifier: Apache-2.0
/*
 * early: a place to work in, /proc, /sys, a device directory and a console.
 *
 * Should: leave descriptors 0, 1 and 2 valid whatever the kernel gave us, before anything else can
 * fail, so that a failure can be printed. Must not: write to the VMM's root file system.
 *
 * The work tree is a tmpfs attached over the root that we were started from, be it an initramfs or a
 * file system of the VMM's (init=). Nothing here needs devtmpfs: a node is made for each device that is used.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/magic.h>

#include "init/fs.h"
#include "init/guest.h"
#include "init/sys.h"

/* Opens the best console there is. */
static int open_console(int work_fd)
{
	static const struct {
		const char *path;
		unsigned major;
		unsigned minor;
	} candidates[] = {{"dev/console", 5, 1}, {"dev/kmsg", 1, 11}, {"dev/null", 1, 3}};

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		dev_t dev = makedev(candidates[i].major, candidates[i].minor);
		int fd;

		if (mknodat(work_fd, candidates[i].path, S_IFCHR | 0600, dev) && errno != EEXIST)
			continue;
		fd = sys_open(work_fd, candidates[i].path, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* Holds the places of missing standard descriptors, so that no other file gets their numbers. */
static int hold_missing(bool is_missing[3], struct failure *f)
{
	for (int fd = 0; fd <= 2; fd++) {
		is_missing[fd] = fcntl(fd, F_GETFD) < 0;
		if (is_missing[fd] && open("/", O_PATH) != fd)
			return fail_sys(f, "open", "/");
	}
	return 0;
}

/* Descriptors 0, 1 and 2 are the console, and writing to it never blocks. */
static void setup_console(int work_fd, const bool is_missing[3])
{
	AUTO_FD console_fd = -1;
	int flags;

	if (is_missing[0] || is_missing[1] || is_missing[2])
		console_fd = open_console(work_fd);
	for (int fd = 0; fd <= 2 && console_fd >= 0; fd++)
		if (is_missing[fd])
			(void)dup2(console_fd, fd); /* what fails here cannot be said anywhere */
	flags = fcntl(2, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK))
		(void)fcntl(2, F_SETFL,
			    flags | O_NONBLOCK); /* a console that blocks still is one */
}

static int make_dir(int work_fd, const char *path, struct failure *f)
{
	return mkdirat(work_fd, path, 0755) && errno != EEXIST ? fail_sys(f, "mkdir", path) : 0;
}

/*
 * A tmpfs over the root, and PID 1 moves into it. On an initramfs, too: it cannot be unmounted, and so
 * a container's mount namespace always has it, with what is mounted there.
 */
static int cover_boot_root(int boot_root_fd, int *ret_work_fd, struct failure *f)
{
	static const char *const options[] = {"mode=755", NULL};
	static const struct fs_request request = {
		.fstype = "tmpfs", .source = "smk-work", .where = "/", .options = options};
	AUTO_FD work_fd = -1;

	if (fs_mount_request(&request, &work_fd, f))
		return -1;
	if (sys_attach(work_fd, boot_root_fd))
		return fail_sys(f, "move_mount", "/");
	if (fchdir(work_fd) || chroot("."))
		return fail_sys(f, "chroot", "/");
	*ret_work_fd = sys_take(&work_fd);
	return 0;
}

static int find_work_tree(struct early *early, struct failure *f)
{
	AUTO_FD boot_root_fd = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	struct statfs root;

	if (boot_root_fd < 0)
		return fail_sys(f, "open", "/");
	if (fstatfs(boot_root_fd, &root))
		return fail_sys(f, "statfs", "/");
	early->is_initramfs = root.f_type == RAMFS_MAGIC || root.f_type == TMPFS_MAGIC;
	if (cover_boot_root(boot_root_fd, &early->work_fd, f))
		return -1;
	early->boot_root_fd = sys_take(&boot_root_fd);
	return chdir("/") ? fail_sys(f, "chdir", "/") : 0;
}

/*
 * On an initramfs straight from the kernel nothing is mounted. What whoever started us has mounted
 * at `dir` of it is moved to the work tree's and used as it is.
 */
static int try_move(const struct early *early, const char *dir, int target_fd, bool *ret_is_moved,
		    struct failure *f)
{
	AUTO_FD fd = -1;

	*ret_is_moved = false;
	if (!early->is_initramfs)
		return 0;
	fd = sys_open(early->boot_root_fd, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail_sys(f, "open", dir);
	*ret_is_moved = !sys_attach(fd, target_fd);
	/* EINVAL: nothing is mounted on the directory. */
	return *ret_is_moved || errno == EINVAL ? 0 : fail_sys(f, "move_mount", dir);
}

/* One of the kernel's own file systems at work path `dir`. */
static int setup_kernel_fs(const struct early *early, const char *fstype, const char *dir,
			   int *ret_fd, struct failure *f)
{
	const struct fs_request request = {.fstype = fstype,
					   .source = fstype,
					   .where = dir,
					   .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						    MOUNT_ATTR_NOEXEC};
	AUTO_FD target_fd = -1;
	bool is_moved;
	int mount_fd;

	if (make_dir(early->work_fd, dir, f))
		return -1;
	target_fd = sys_open(early->work_fd, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (target_fd < 0)
		return fail_sys(f, "open", dir);
	if (try_move(early, dir, target_fd, &is_moved, f))
		return -1;
	if (is_moved) {
		*ret_fd = sys_open(early->work_fd, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		return *ret_fd < 0 ? fail_sys(f, "open", dir) : 0;
	}
	if (fs_mount_request(&request, &mount_fd, f))
		return -1;
	if (sys_attach(mount_fd, target_fd)) {
		sys_close(&mount_fd);
		return fail_sys(f, "move_mount", dir);
	}
	*ret_fd = mount_fd;
	return 0;
}

/*
 * A kernel without devtmpfs is no failure, and what whoever started us has mounted on /dev stays:
 * nodes are then made there.
 */
static int setup_devices(struct early *early, struct failure *f)
{
	static const struct fs_request request = {
		.fstype = "devtmpfs", .source = "dev", .where = "/dev"};
	struct failure ignored = {.stage = STAGE_NONE};
	AUTO_FD mount_fd = -1;
	AUTO_FD target_fd = sys_open(early->work_fd, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	bool is_moved;

	if (target_fd < 0)
		return fail_sys(f, "open", "/dev");
	if (try_move(early, "dev", target_fd, &is_moved, f))
		return -1;
	if (!is_moved && !fs_mount_request(&request, &mount_fd, &ignored))
		early->has_devtmpfs = !sys_attach(mount_fd, target_fd);
	return 0;
}

int early_setup(struct early *ret, struct failure *f)
{
	struct early early = {.boot_root_fd = -1, .work_fd = -1, .proc_fd = -1, .sys_fd = -1};

	bool is_missing[3];

	umask(0);
	if (hold_missing(is_missing, f))
		return -1;
	if (find_work_tree(&early, f) || make_dir(early.work_fd, "dev", f))
		return -1;
	if (setup_devices(&early, f))
		return -1;
	setup_console(early.work_fd, is_missing);
	if (setup_kernel_fs(&early, "proc", "proc", &early.proc_fd, f) ||
	    setup_kernel_fs(&early, "sysfs", "sys", &early.sys_fd, f))
		return -1;
	*ret = early;
	return 0;
}
