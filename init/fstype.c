// SPDX-License-Identifier: Apache-2.0
/*
 * Which file system a disk holds, told by its magic, and whether all of it is there: erofs mounts an
 * image that was cut off, and its files then fail one by one. Pure; init/discover_fstype.c reads.
 */
#include <string.h>

#include "init/discover.h"

#define SUPERBLOCK 1024 /* of erofs and ext4 */

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

static int fail_unknown(const struct disk_head *head, struct failure *f)
{
	const unsigned char *bytes = head->bytes;

	for (size_t i = 0; i < DISK_HEAD_BYTES; i++)
		if (bytes[i])
			return fail_err(
				f, 0, "detect file system", head->path,
				"%s holds no squashfs, erofs or ext4: it begins with %02x %02x "
				"%02x %02x",
				head->name, bytes[0], bytes[1], bytes[2], bytes[3]);
	return fail_err(f, 0, "detect file system", head->path,
			"%s holds no squashfs, erofs or ext4: it begins with zeros", head->name);
}

int fstype_tell(const struct disk_head *head, const char **ret, struct failure *f)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (memcmp(head->bytes + magics[i].offset, magics[i].magic, magics[i].length))
			continue;
		uint64_t size = magics[i].size(head->bytes);

		if (size > head->size)
			return fail_err(f, 0, "detect file system", head->path,
					"%s is cut off: its %s has %llu bytes, the disk %llu",
					head->name, magics[i].fstype, (unsigned long long)size,
					(unsigned long long)head->size);
		*ret = magics[i].fstype;
		return 0;
	}
	return fail_unknown(head, f);
}
