// SPDX-License-Identifier: Apache-2.0
/*
 * The container's terminal: a new pair of the container's own devpts, its slave owned by the user
 * and bound to /dev/console.
 *
 * Must not follow a name in the image to a device. The multiplexer is opened inside the root and
 * must be on devpts; the slave comes from the master itself (TIOCGPTPEER), never from /dev/pts/N,
 * which the image may have made into something else (CVE-2025-52565); the console is bound by
 * descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/spawn.h"
#include "init/sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

#define MULTIPLEXER "/dev/pts/ptmx"
#define CONSOLE     "/dev/console"

static int open_master(int root_fd, struct failure *f)
{
	AUTO_FD fd = sys_open_resolve(root_fd, MULTIPLEXER, O_RDWR | O_NOCTTY | O_NONBLOCK, 0,
				      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	struct statfs fs;
	int unlock = 0;

	if (fd < 0)
		return fail_sys(f, "open", MULTIPLEXER);
	if (fstatfs(fd, &fs) < 0)
		return fail_sys(f, "fstatfs", MULTIPLEXER);
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return fail_err(f, ENOTTY, "open", MULTIPLEXER, "is not on a devpts");
	if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
		return fail_sys(f, "ioctl(TIOCSPTLCK)", MULTIPLEXER);
	return sys_take(&fd);
}

int pty_resize(int master_fd, uint16_t rows, uint16_t columns)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};

	return ioctl(master_fd, TIOCSWINSZ, &size);
}

/* The place for the console in the image, made when missing; never a symbolic link. */
static int open_console_place(int root_fd, struct failure *f)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
	AUTO_FD made_fd = sys_open_resolve(root_fd, CONSOLE, O_RDONLY | O_CREAT | O_EXCL | O_NOCTTY,
					   0620, resolve);
	int fd = sys_open_resolve(root_fd, CONSOLE, O_PATH, 0, resolve);

	return fd < 0 ? fail_sys(f, "open", CONSOLE) : fd;
}

static int bind_console(int root_fd, int slave_fd, struct failure *f)
{
	AUTO_FD place_fd = open_console_place(root_fd, f);
	AUTO_FD mount_fd = -1;

	if (place_fd < 0)
		return -1;
	mount_fd = sys_open_tree(slave_fd, "", OPEN_TREE_CLONE);
	if (mount_fd < 0)
		return fail_sys(f, "open_tree", CONSOLE);
	if (sys_attach(mount_fd, place_fd) < 0)
		return fail_sys(f, "move_mount", CONSOLE);
	return 0;
}

static int set_up(int master_fd, int slave_fd, const struct oci_process *process, struct failure *f)
{
	if (process->has_console_size &&
	    pty_resize(master_fd, process->console_rows, process->console_columns) < 0)
		return fail_sys(f, "ioctl(TIOCSWINSZ)", MULTIPLEXER);
	if (process->user.uid != 0 && fchown(slave_fd, process->user.uid, (gid_t)-1) < 0)
		return fail_sys(f, "fchown", CONSOLE);
	return 0;
}

int pty_open(int root_fd, const struct oci_process *process, int *ret_master_fd, int *ret_slave_fd,
	     struct failure *f)
{
	AUTO_FD master_fd = open_master(root_fd, f);
	AUTO_FD slave_fd = -1;

	if (master_fd < 0)
		return fail_at(f, STAGE_SPAWN, "/process/terminal");
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		fail_sys(f, "ioctl(TIOCGPTPEER)", MULTIPLEXER);
	if (slave_fd < 0 || set_up(master_fd, slave_fd, process, f) < 0 ||
	    bind_console(root_fd, slave_fd, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/terminal");
	*ret_master_fd = sys_take(&master_fd);
	*ret_slave_fd = sys_take(&slave_fd);
	return 0;
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int pty_send(int talk_fd, int master_fd, struct failure *f)
{
	char byte = 0;
	struct iovec part = {&byte, 1};
	union control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
					    .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS}};
	const struct msghdr message = {.msg_iov = &part,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.header), &master_fd, sizeof(master_fd));
	if (sendmsg(talk_fd, &message, MSG_NOSIGNAL) < 0)
		return fail_sys(f, "sendmsg", MULTIPLEXER);
	return 0;
}

int pty_receive(int talk_fd, int *ret_fd, struct failure *f)
{
	char byte;
	struct iovec part = {&byte, 1};
	union control control;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t got;

	do
		got = recvmsg(talk_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_sys(f, "recvmsg", MULTIPLEXER);
	*ret_fd = -1;
	if (got > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(&control.header), sizeof(*ret_fd));
	return 0;
}
