// SPDX-License-Identifier: Apache-2.0
// System calls the way init-oci needs them.
#include "init/sys.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void sys_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int sys_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int sys_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir_fd, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int sys_open_resolve(int dir_fd, const char *path, int flags, mode_t mode, uint64_t how_resolve)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.mode = mode,
		.resolve = how_resolve,
	};
	long fd;

	/* EAGAIN: something was renamed meanwhile and the kernel could not tell whether we escaped.
	 */
	do
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

ssize_t sys_read_full(int fd, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, (char *)buffer + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int sys_write_full(int fd, const void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t put = write(fd, (const char *)buffer + done, size - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		done += (size_t)put;
	}
	return 0;
}

ssize_t sys_read_text(int dir_fd, const char *path, char *buffer, size_t size)
{
	AUTO_FD fd = sys_open(dir_fd, path, O_RDONLY | O_NOCTTY, 0);
	ssize_t got;

	if (fd < 0)
		return -1;
	/* One read is the whole attribute: these files have no short reads. */
	do
		got = read(fd, buffer, size - 1);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	if (got > 0 && buffer[got - 1] == '\n')
		got--;
	buffer[got] = '\0';
	return got;
}

void sys_end_child(pid_t pid)
{
	if (kill(pid, SIGKILL) < 0)
		return;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int sys_fsopen(const char *fstype)
{
	return (int)syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC);
}

int sys_fsconfig(int fs_fd, unsigned command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs_fd, command, key, value, 0);
}

int sys_fsmount(int fs_fd, unsigned attrs)
{
	return (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attrs);
}

int sys_fspick(int dir_fd, const char *path)
{
	return (int)syscall(SYS_fspick, dir_fd, path,
			    FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH);
}

int sys_open_tree(int dir_fd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir_fd, path,
			    flags | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

int sys_attach(int mount_fd, int target_fd)
{
	return (int)syscall(SYS_move_mount, mount_fd, "", target_fd, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int sys_mount_setattr(int mount_fd, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, mount_fd, "", flags | AT_EMPTY_PATH, attr,
			    sizeof(*attr));
}

int sys_umount(const char *path, int flags)
{
	return (int)syscall(SYS_umount2, path, flags);
}

int64_t sys_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
