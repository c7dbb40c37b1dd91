// SPDX-License-Identifier: Apache-2.0
/*
 * libsquashfs's lz4 with one thing put right: a block that does not get smaller is stored as it is.
 * Of itself lz4 makes short blocks longer, which the kernel reads, but squashfs-tools call damage.
 */
#include <stdlib.h>

#include "host/image/squashfs.h"

struct shrinking {
	sqfs_compressor_t base;
	sqfs_compressor_t *lz4;
};

static void destroy(sqfs_object_t *object)
{
	struct shrinking *shrinking = (struct shrinking *)object;

	sqfs_destroy(shrinking->lz4);
	free(shrinking);
}

static sqfs_object_t *copy(const sqfs_object_t *object)
{
	const struct shrinking *from = (const struct shrinking *)object;
	struct shrinking *to = must_alloc(sizeof(*to));

	*to = *from;
	to->lz4 = sqfs_copy(from->lz4);
	if (!to->lz4) {
		free(to);
		return NULL;
	}
	return (sqfs_object_t *)to;
}

static sqfs_compressor_t *lz4_of(const sqfs_compressor_t *compressor)
{
	return ((const struct shrinking *)compressor)->lz4;
}

static void get_configuration(const sqfs_compressor_t *compressor, sqfs_compressor_config_t *ret)
{
	lz4_of(compressor)->get_configuration(lz4_of(compressor), ret);
}

static int write_options(sqfs_compressor_t *compressor, sqfs_file_t *file)
{
	return lz4_of(compressor)->write_options(lz4_of(compressor), file);
}

static int read_options(sqfs_compressor_t *compressor, sqfs_file_t *file)
{
	return lz4_of(compressor)->read_options(lz4_of(compressor), file);
}

static sqfs_s32 do_block(sqfs_compressor_t *compressor, const sqfs_u8 *in, sqfs_u32 size,
			 sqfs_u8 *out, sqfs_u32 out_size)
{
	sqfs_compressor_t *lz4 = lz4_of(compressor);
	sqfs_s32 length = lz4->do_block(lz4, in, size, out, out_size);

	return length > 0 && (sqfs_u32)length >= size ? 0 : length;
}

int squashfs_lz4(sqfs_u32 block_size, sqfs_compressor_t **ret)
{
	struct shrinking *shrinking;
	sqfs_compressor_config_t config;
	sqfs_compressor_t *lz4;
	int error = sqfs_compressor_config_init(&config, SQFS_COMP_LZ4, block_size, 0);

	if (!error)
		error = sqfs_compressor_create(&config, &lz4);
	if (error)
		return error;
	shrinking = must_alloc(sizeof(*shrinking));
	*shrinking = (struct shrinking){
		.base = {.base = {.destroy = destroy, .copy = copy},
			 .get_configuration = get_configuration,
			 .write_options = write_options,
			 .read_options = read_options,
			 .do_block = do_block},
		.lz4 = lz4,
	};
	*ret = &shrinking->base;
	return 0;
}
