// SPDX-License-Identifier: Apache-2.0
/*
 * Which file system a disk holds, told by its magic, and whether all of it is there: erofs mounts an
 * image that was cut off, and its files then fail one by one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "init/discover.h"
#include "init/sys.h"

#define PROBE_BYTES 2048 /* all superblocks lie below */
#define SUPERBLOCK  1024 /* of erofs and ext4 */

static uint64_t little_endian(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 8 | bytes[count];
	return value;
}

/* How long the image is, from its superblock. */

static uint64_t squashfs_size(const unsigned char *disk)
{
	return little_endian(disk + 40, 8);
}

static uint64_t erofs_size(const unsigned char *disk)
{
	return little_endian(disk + SUPERBLOCK + 36, 4) << (disk[SUPERBLOCK + 12] & 31);
}

static uint64_t ext4_size(const unsigned char *disk)
{
	return little_endian(disk + SUPERBLOCK + 4, 4) << (10 + (disk[SUPERBLOCK + 24] & 15));
}

static const struct {
	const char *fstype;
	size_t offset;
	size_t length;
	unsigned char magic[4];
	uint64_t (*size)(const unsigned char *disk);
} magics[] = {
	{"squashfs", 0, 4, {'h', 's', 'q', 's'}, squashfs_size},
	{"erofs", SUPERBLOCK, 4, {0xe2, 0xe1, 0xf5, 0xe0}, erofs_size},
	{"ext4", SUPERBLOCK + 56, 2, {0x53, 0xef}, ext4_size},
};

struct probe {
	char path[DEVICE_NAME_MAX + 8];
	char disk[DEVICE_LABEL_MAX + 16]; /* how messages call it */
	unsigned char bytes[PROBE_BYTES];
	uint64_t size; /* of the disk */
};

static int fail_unknown(const struct probe *probe, struct failure *f)
{
	const unsigned char *bytes = probe->bytes;

	for (size_t i = 0; i < PROBE_BYTES; i++)
		if (bytes[i])
			return fail_err(
				f, 0, "detect file system", probe->path,
				"%s holds no squashfs, erofs or ext4: it begins with %02x %02x "
				"%02x %02x",
				probe->disk, bytes[0], bytes[1], bytes[2], bytes[3]);
	return fail_err(f, 0, "detect file system", probe->path,
			"%s holds no squashfs, erofs or ext4: it begins with zeros", probe->disk);
}

static int read_probe(int fd, struct probe *probe, struct failure *f)
{
	ssize_t length;

	if (ioctl(fd, BLKGETSIZE64, &probe->size))
		return fail_sys(f, "get the disk's size", probe->path);
	/* No readahead: the mount changes the block size and reads everything anew. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	length = sys_read_full(fd, probe->bytes, PROBE_BYTES);
	if (length < 0)
		return fail_sys(f, "read", probe->path);
	if (length < PROBE_BYTES)
		return fail_err(f, 0, "detect file system", probe->path,
				"%s is only %zd bytes long", probe->disk, length);
	return 0;
}

int discover_fstype(const struct early *early, const char *name, const char *label,
		    const char **ret, struct failure *f)
{
	struct probe probe;
	AUTO_FD fd = -1;

	snprintf(probe.path, sizeof(probe.path), "/dev/%s", name);
	snprintf(probe.disk, sizeof(probe.disk), "disk %s", label[0] ? label : name);
	if (machine_open(early, DEVICE_DISK, name, O_RDONLY, &fd, f) || read_probe(fd, &probe, f))
		return -1;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (memcmp(probe.bytes + magics[i].offset, magics[i].magic, magics[i].length))
			continue;
		if (magics[i].size(probe.bytes) > probe.size)
			return fail_err(f, 0, "detect file system", probe.path,
					"%s is cut off: its %s has %llu bytes, the disk %llu",
					probe.disk, magics[i].fstype,
					(unsigned long long)magics[i].size(probe.bytes),
					(unsigned long long)probe.size);
		*ret = magics[i].fstype;
		return 0;
	}
	return fail_unknown(&probe, f);
}
