// SPDX-License-Identifier: Apache-2.0
/* Reads the beginning of a disk, from which init/fstype.c tells its file system. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "init/discover.h"
#include "init/sys.h"

static int read_head(int fd, struct disk_head *head, struct failure *f)
{
	ssize_t length;

	if (ioctl(fd, BLKGETSIZE64, &head->size))
		return fail_sys(f, "get the disk's size", head->path);
	/* No readahead: the mount changes the block size and reads everything anew. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	length = sys_read_full(fd, head->bytes, DISK_HEAD_BYTES);
	if (length < 0)
		return fail_sys(f, "read", head->path);
	if (length < DISK_HEAD_BYTES)
		return fail_err(f, 0, "detect file system", head->path, "%s is only %zd bytes long",
				head->name, length);
	return 0;
}

int discover_fstype(const struct early *early, const char *name, const char *label,
		    const char **ret, struct failure *f)
{
	struct disk_head head;
	AUTO_FD fd = -1;

	snprintf(head.path, sizeof(head.path), "/dev/%s", name);
	snprintf(head.name, sizeof(head.name), "disk %s", label[0] ? label : name);
	if (machine_open(early, DEVICE_DISK, name, O_RDONLY, &fd, f) || read_head(fd, &head, f))
		return -1;
	return fstype_tell(&head, ret, f);
}
