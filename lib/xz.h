// SPDX-License-Identifier: Apache-2.0
/*
 * The embedded xz: one stream of a few blocks (scripts/xz-asset.sh), walked here and decoded block
 * by block with liblzma. Neither liblzma's index objects nor its threaded decoder are used: a table
 * of at most XZ_BLOCKS_MAX rows and single-block decoders are enough, and every length is checked
 * before a byte is decoded.
 */
#ifndef LIB_XZ_H
#define LIB_XZ_H

#include <lzma.h>
#include <stddef.h>
#include <stdint.h>

#include "result.h"

#define XZ_BLOCKS_MAX  64
#define XZ_THREADS_MAX 8
#define XZ_RAW_MAX     ((size_t)1 << 30) /* uncompressed */

struct xz_block {
	const uint8_t *bytes; /* block header */
	size_t unpadded;      /* header, compressed data and check, as the index has it */
	size_t raw_offset;    /* where its uncompressed bytes belong */
	size_t raw_length;
};

struct xz_stream {
	lzma_check check;
	size_t raw_length;
	size_t count;
	struct xz_block blocks[XZ_BLOCKS_MAX];
};

/*
 * Reads header, footer and index of exactly one stream; ret points into bytes. SMK_ERROR_DATA when
 * anything is not as it should be, including a stream without integrity checks.
 */
enum smk_result xz_parse(const void *bytes, size_t length, struct xz_stream *ret) MUST_CHECK;

/*
 * Decodes every block into out (xz->raw_length bytes), with up to `threads` threads as far as the
 * memory limit allows; the caller's thread is one of them, so that it also works when no other can
 * be started. On failure the content of out is undefined.
 */
enum smk_result xz_decode(const struct xz_stream *xz, void *out, size_t memory_limit,
			  unsigned threads) MUST_CHECK;

#endif
