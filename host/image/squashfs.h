// SPDX-License-Identifier: Apache-2.0
/* A squashfs image in the making: data (squashfs.c), then the tree (squashfs_tree.c). */
#ifndef HOST_IMAGE_SQUASHFS_H
#define HOST_IMAGE_SQUASHFS_H

#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>

#include "host/image/layer.h"

struct layer_image {
	char *path;
	sqfs_super_t super;
	sqfs_compressor_t *compressor;
	sqfs_file_t *file;
	sqfs_block_writer_t *writer;
	sqfs_frag_table_t *fragments;
	sqfs_block_processor_t *processor;
	sqfs_id_table_t *ids;
	sqfs_xattr_writer_t *xattrs;
	sqfs_meta_writer_t *inodes;
	sqfs_meta_writer_t *directories;
	sqfs_dir_writer_t *directory;
	uint32_t next_number;
};

/* error: libsquashfs's. */
int fail_sqfs(struct failure *f, const struct layer_image *image, const char *what, int error);
/* The compressor of all blocks; 0, or libsquashfs's error. */
int squashfs_lz4(sqfs_u32 block_size, sqfs_compressor_t **ret);
/* Inodes, directories and tables of the whole tree. */
int squashfs_write_tree(struct layer_image *image, const struct layer_tree *tree,
			struct failure *f) FAIL_MUST_CHECK;

#endif
