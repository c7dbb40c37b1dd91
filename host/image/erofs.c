// SPDX-License-Identifier: Apache-2.0
/*
 * A layer as an erofs image, uncompressed (Documentation/filesystems/erofs.rst in the kernel, and
 * fs/erofs/erofs_fs.h for the numbers). The distribution's mkfs.erofs reads only directories.
 *
 *   block 0    superblock at byte 1024
 *   then       contents of regular files, each from a block of its own, as the stream brings them
 *   then       whole blocks of directories
 *   then       inodes, each with its extended attributes and its tail: a link's target, or what of
 *              a directory does not fill a block
 *
 * An inode's number is its place in the last part, in units of 32 bytes. Places are given to all
 * first (erofs_tree.c), because directories are made of them.
 */
#include "host/image/erofs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int put(struct layer_image *image, const void *bytes, size_t length, struct failure *f)
{
	if (file_write_at(image->fd, image->path, image->position, bytes, length, f))
		return -1;
	image->position += length;
	return 0;
}

int erofs_flush(struct layer_image *image, struct failure *f)
{
	size_t length = image->used;

	image->used = 0;
	return length ? put(image, image->buffer, length, f) : 0;
}

int erofs_write(struct layer_image *image, const void *bytes, size_t length, struct failure *f)
{
	const uint8_t *at = bytes;

	while (length) {
		size_t part = sizeof(image->buffer) - image->used;

		if (part > length)
			part = length;
		memcpy(image->buffer + image->used, at, part);
		image->used += part;
		at += part;
		length -= part;
		if (image->used == sizeof(image->buffer) && erofs_flush(image, f))
			return -1;
	}
	return 0;
}

uint64_t erofs_tell(const struct layer_image *image)
{
	return image->position + image->used;
}

int erofs_align(struct layer_image *image, uint64_t unit, struct failure *f)
{
	static const uint8_t zeros[EROFS_BLOCK];
	uint64_t over = erofs_tell(image) % unit;

	return over ? erofs_write(image, zeros, (size_t)(unit - over), f) : 0;
}

static void erofs_destroy(struct layer_image *image)
{
	if (!image)
		return;
	cleanup_fd(&image->fd);
	free(image->path);
	free(image);
}

static int erofs_create(const char *path, struct layer_image **ret, struct failure *f)
{
	struct layer_image *image = must_alloc(sizeof(*image));

	image->path = must_copy(path);
	image->position = EROFS_BLOCK; /* the superblock comes last */
	image->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (image->fd < 0) {
		fail_sys(f, "create", path);
		erofs_destroy(image);
		return -1;
	}
	*ret = image;
	return 0;
}

static int erofs_begin(struct layer_image *image, struct layer_inode *inode, struct failure *f)
{
	(void)f;
	image->file = inode;
	image->file_begin = erofs_tell(image);
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return !length || (!bytes[0] && !memcmp(bytes, bytes + 1, length - 1));
}

/* Zeros are left out of the file on the host's disk; in the image they are there. */
static int erofs_append(struct layer_image *image, const void *bytes, size_t length,
			struct failure *f)
{
	if (length < EROFS_BLOCK || !is_zero(bytes, length))
		return erofs_write(image, bytes, length, f);
	if (erofs_flush(image, f))
		return -1;
	image->position += length;
	return 0;
}

static int erofs_end(struct layer_image *image, struct failure *f)
{
	image->file->place = image->file_begin / EROFS_BLOCK;
	return erofs_align(image, EROFS_BLOCK, f);
}

static int erofs_finish(struct layer_image *image, const struct layer_tree *tree, struct failure *f)
{
	struct erofs_super super;

	if (erofs_write_tree(image, tree, &super, f) || erofs_flush(image, f))
		return -1;
	if (ftruncate(image->fd, (off_t)image->position))
		return fail_sys(f, "truncate", image->path);
	image->position = EROFS_SUPER_AT;
	return put(image, &super, sizeof(super), f);
}

const struct layer_image_ops erofs_image = {
	.name = "erofs",
	.create = erofs_create,
	.begin = erofs_begin,
	.append = erofs_append,
	.end = erofs_end,
	.finish = erofs_finish,
	.destroy = erofs_destroy,
};
