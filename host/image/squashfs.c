// SPDX-License-Identifier: Apache-2.0
/*
 * A layer as a squashfs image, by libsquashfs. Data blocks are compressed by its threads while the
 * stream is read; inodes and directories follow, children first, when the tree is whole.
 *
 * The same tree gives the same bytes: no time of writing, no numbers from the machine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/image/squashfs.h"

#define BLOCK_SIZE  (128u << 10)
#define DEVICE_SIZE 4096
#define BACKLOG     32 /* blocks in work */

/* libsquashfs's numbers that mean something to a user. */
int fail_sqfs(struct failure *f, const struct layer_image *image, const char *what, int error)
{
	switch (error) {
	case SQFS_ERROR_ALLOC:
		return fail_err(f, ENOMEM, what, image->path, "squashfs");
	case SQFS_ERROR_IO:
		return fail_err(f, errno, what, image->path, "squashfs");
	case SQFS_ERROR_COMPRESSOR:
		return fail_err(f, 0, what, image->path, "squashfs: the compressor failed");
	default:
		return fail_err(f, 0, what, image->path, "squashfs: error %d of libsquashfs",
				error);
	}
}

static void destroy(struct layer_image *image)
{
	void *const objects[] = {image->directory, image->directories, image->inodes,
				 image->xattrs,    image->ids,         image->processor,
				 image->fragments, image->writer,      image->file,
				 image->compressor};

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (objects[i])
			sqfs_destroy(objects[i]);
	free(image->path);
	free(image);
}

/* A file may be half written: what the library has of it goes with its end only. */
static void squashfs_destroy(struct layer_image *image)
{
	if (!image)
		return;
	sqfs_block_processor_end_file(image->processor);
	sqfs_block_processor_finish(image->processor);
	destroy(image);
}

static int create_objects(struct layer_image *image, struct failure *f)
{
	sqfs_block_processor_desc_t desc = {
		.size = sizeof(desc),
		.max_block_size = BLOCK_SIZE,
		.num_workers = (sqfs_u32)sysconf(_SC_NPROCESSORS_ONLN),
		.max_backlog = BACKLOG,
	};
	int error;

	image->writer = sqfs_block_writer_create(image->file, DEVICE_SIZE, 0);
	image->fragments = sqfs_frag_table_create(0);
	image->ids = sqfs_id_table_create(0);
	image->xattrs = sqfs_xattr_writer_create(0);
	image->inodes = sqfs_meta_writer_create(image->file, image->compressor, 0);
	image->directories = sqfs_meta_writer_create(image->file, image->compressor,
						     SQFS_META_WRITER_KEEP_IN_MEMORY);
	if (!image->writer || !image->fragments || !image->ids || !image->xattrs ||
	    !image->inodes || !image->directories)
		return fail_sqfs(f, image, "create", SQFS_ERROR_ALLOC);
	image->directory = sqfs_dir_writer_create(image->directories, 0);
	if (!image->directory)
		return fail_sqfs(f, image, "create", SQFS_ERROR_ALLOC);
	desc.cmp = image->compressor;
	desc.wr = image->writer;
	desc.tbl = image->fragments;
	error = sqfs_block_processor_create_ex(&desc, &image->processor);
	return error ? fail_sqfs(f, image, "create", error) : 0;
}

static int open_image(struct layer_image *image, struct failure *f)
{
	int error = squashfs_lz4(BLOCK_SIZE, &image->compressor);

	if (error)
		return fail_sqfs(f, image, "lz4", error);
	image->file = sqfs_open_file(image->path, SQFS_FILE_OPEN_OVERWRITE);
	if (!image->file)
		return fail_sys(f, "create", image->path);
	error = sqfs_super_init(&image->super, BLOCK_SIZE, 0, SQFS_COMP_LZ4);
	if (!error)
		error = sqfs_super_write(&image->super, image->file);
	if (!error) {
		error = image->compressor->write_options(image->compressor, image->file);
		if (error > 0) {
			image->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
			error = 0;
		}
	}
	return error ? fail_sqfs(f, image, "write", error) : create_objects(image, f);
}

static int squashfs_create(const char *path, struct layer_image **ret, struct failure *f)
{
	struct layer_image *image = must_alloc(sizeof(*image));

	image->path = must_copy(path);
	if (open_image(image, f)) {
		destroy(image);
		return -1;
	}
	*ret = image;
	return 0;
}

static int squashfs_begin(struct layer_image *image, struct layer_inode *inode, struct failure *f)
{
	int error = sqfs_block_processor_begin_file(image->processor,
						    (sqfs_inode_generic_t **)&inode->data, NULL,
						    SQFS_BLK_DONT_FRAGMENT);

	return error ? fail_sqfs(f, image, "write", error) : 0;
}

static int squashfs_append(struct layer_image *image, const void *bytes, size_t length,
			   struct failure *f)
{
	int error = sqfs_block_processor_append(image->processor, bytes, length);

	return error ? fail_sqfs(f, image, "write", error) : 0;
}

static int squashfs_end(struct layer_image *image, struct failure *f)
{
	int error = sqfs_block_processor_end_file(image->processor);

	return error ? fail_sqfs(f, image, "write", error) : 0;
}

/* A block device is read in whole pages. */
static int pad(struct layer_image *image, struct failure *f)
{
	uint64_t size = image->file->get_size(image->file);

	if (truncate(image->path, (off_t)((size + DEVICE_SIZE - 1) & ~(uint64_t)(DEVICE_SIZE - 1))))
		return fail_sys(f, "truncate", image->path);
	return 0;
}

static int squashfs_finish(struct layer_image *image, const struct layer_tree *tree,
			   struct failure *f)
{
	int error = sqfs_block_processor_finish(image->processor);

	if (error)
		return fail_sqfs(f, image, "write", error);
	return squashfs_write_tree(image, tree, f) || pad(image, f) ? -1 : 0;
}

const struct layer_image_ops squashfs_image = {
	.name = "squashfs",
	.create = squashfs_create,
	.begin = squashfs_begin,
	.append = squashfs_append,
	.end = squashfs_end,
	.finish = squashfs_finish,
	.destroy = squashfs_destroy,
};
