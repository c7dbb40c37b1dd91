// SPDX-License-Identifier: Apache-2.0
// Which file system a disk holds, told by its magic.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/discover.h"
#include "init/sys.h"

static const struct {
	const char *fstype;
	size_t offset;
	size_t length;
	unsigned char magic[4];
} magics[] = {
	{"squashfs", 0, 4, {'h', 's', 'q', 's'}},
	{"erofs", 1024, 4, {0xe2, 0xe1, 0xf5, 0xe0}},
	{"ext4", 1024 + 56, 2, {0x53, 0xef}},
};

#define PROBE_BYTES 2048 /* all magics lie below */

static int fail_unknown(const unsigned char *bytes, size_t length, const char *path,
			const char *label, struct failure *f)
{
	char disk[DEVICE_LABEL_MAX + 16] = "the disk";

	if (label[0])
		snprintf(disk, sizeof(disk), "disk %s", label);
	if (length < PROBE_BYTES)
		return fail_err(f, 0, "detect file system", path, "%s is only %zu bytes long", disk,
				length);
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return fail_err(
				f, 0, "detect file system", path,
				"%s holds no squashfs, erofs or ext4: it begins with %02x %02x "
				"%02x %02x",
				disk, bytes[0], bytes[1], bytes[2], bytes[3]);
	return fail_err(f, 0, "detect file system", path,
			"%s holds no squashfs, erofs or ext4: it begins with zeros", disk);
}

int discover_fstype(const struct early *early, const char *name, const char *label,
		    const char **ret, struct failure *f)
{
	unsigned char bytes[PROBE_BYTES];
	char path[DEVICE_NAME_MAX + 8];
	AUTO_FD fd = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "/dev/%s", name);
	if (machine_open(early, DEVICE_DISK, name, O_RDONLY, &fd, f))
		return -1;
	/* No readahead: the mount changes the block size and reads everything anew. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	length = sys_read_full(fd, bytes, sizeof(bytes));
	if (length < 0)
		return fail_sys(f, "read", path);
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (magics[i].offset + magics[i].length > (size_t)length ||
		    memcmp(bytes + magics[i].offset, magics[i].magic, magics[i].length))
			continue;
		*ret = magics[i].fstype;
		return 0;
	}
	return fail_unknown(bytes, (size_t)length, path, label, f);
}
