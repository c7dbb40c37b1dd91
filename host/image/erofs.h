// SPDX-License-Identifier: Apache-2.0
/* erofs's structures on disk (little-endian, like every host that smk runs on), and the writer. */
#ifndef HOST_IMAGE_EROFS_H
#define HOST_IMAGE_EROFS_H

#include <assert.h>

#include "host/image/layer.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structures are written as they are");

#define EROFS_BLOCK    4096u
#define EROFS_SUPER_AT 1024
#define EROFS_MAGIC    0xe0f5e1e2u
#define EROFS_SLOT     32u /* inodes begin at multiples of it */

/* The layout of an inode's data. */
#define EROFS_PLAIN  0u
#define EROFS_INLINE 2u /* what does not fill a block stands behind the inode */

struct erofs_super {
	uint32_t magic;
	uint32_t checksum;
	uint32_t feature_compat;
	uint8_t block_bits;
	uint8_t ext_slots;
	uint16_t root_number;
	uint64_t inodes;
	uint64_t build_time;
	uint32_t build_time_nsec;
	uint32_t blocks;
	uint32_t inodes_block;
	uint32_t xattrs_block;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint8_t rest[44];
};
static_assert(sizeof(struct erofs_super) == 128, "as on disk");

/* The larger of the two forms, with a time and 32-bit owners. */
struct erofs_inode {
	uint16_t format; /* 1, and the layout shifted by 1 */
	uint16_t xattr_count;
	uint16_t mode;
	uint16_t reserved;
	uint64_t size;
	uint32_t place; /* first block, or the device */
	uint32_t number;
	uint32_t uid;
	uint32_t gid;
	uint64_t mtime;
	uint32_t mtime_nsec;
	uint32_t links;
	uint8_t rest[16];
};
static_assert(sizeof(struct erofs_inode) == 64, "as on disk");

/* Followed by the entries; the count in the inode is of words of 4 bytes, less two. */
struct erofs_xattr_header {
	uint32_t name_filter;
	uint8_t shared_count;
	uint8_t rest[7];
};
static_assert(sizeof(struct erofs_xattr_header) == 12, "as on disk");

struct erofs_xattr {
	uint8_t name_length;
	uint8_t prefix;
	uint16_t value_length;
};

struct __attribute__((packed)) erofs_dirent {
	uint64_t number;
	uint16_t name_at;
	uint8_t type;
	uint8_t reserved;
};
static_assert(sizeof(struct erofs_dirent) == 12, "as on disk");

struct layer_image {
	char *path;
	int fd;
	uint64_t position; /* of what the buffer begins with */
	size_t used;
	struct layer_inode *file; /* whose contents come */
	uint64_t file_begin;
	uint8_t buffer[256u << 10];
};

int erofs_write(struct layer_image *image, const void *bytes, size_t length,
		struct failure *f) FAIL_MUST_CHECK;
int erofs_flush(struct layer_image *image, struct failure *f) FAIL_MUST_CHECK;
/* Zeros up to a multiple of unit, at most a block. */
int erofs_align(struct layer_image *image, uint64_t unit, struct failure *f) FAIL_MUST_CHECK;
uint64_t erofs_tell(const struct layer_image *image);
/* Directories and inodes; *ret is the superblock for them. */
int erofs_write_tree(struct layer_image *image, const struct layer_tree *tree,
		     struct erofs_super *ret, struct failure *f) FAIL_MUST_CHECK;

#endif
