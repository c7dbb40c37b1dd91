// SPDX-License-Identifier: Apache-2.0
/*
 * The frame of an xz stream, read from its end: footer -> index -> blocks. The index says where
 * each block is and how long its content will be, and the sizes must add up to the file exactly.
 *
 *   | stream header 12 | block | block | ... | index | stream footer 12 |
 */
#include "xz.h"

#include <string.h>

#define INDEX_MIN 8 /* indicator, count, padding, CRC32 */
#define CRC_SIZE  4

/* liblzma 5.6.0 and 5.6.1 carried a back door; 5.4.0 is the first with the arm64 filter. */
_Static_assert(LZMA_VERSION >= 50040002U, "liblzma 5.4.0 or newer is needed");
_Static_assert(LZMA_VERSION != 50060002U && LZMA_VERSION != 50060012U, "refused liblzma version");

struct cursor {
	const uint8_t *bytes;
	size_t position;
	size_t end;
};

static int read_number(struct cursor *at, lzma_vli *ret)
{
	return lzma_vli_decode(ret, NULL, at->bytes, &at->position, at->end) == LZMA_OK ? 0 : -1;
}

static uint64_t padded(uint64_t length)
{
	return (length + 3) & ~UINT64_C(3);
}

static uint32_t load_le32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Header and footer must agree; the footer says how long the index is. */
static int parse_frame(const uint8_t *bytes, size_t length, lzma_check *ret_check,
		       size_t *ret_index_length)
{
	lzma_stream_flags header, footer;

	if (length < 2 * LZMA_STREAM_HEADER_SIZE + INDEX_MIN)
		return -1;
	if (lzma_stream_header_decode(&header, bytes) != LZMA_OK ||
	    lzma_stream_footer_decode(&footer, bytes + length - LZMA_STREAM_HEADER_SIZE) !=
		    LZMA_OK ||
	    lzma_stream_flags_compare(&header, &footer) != LZMA_OK)
		return -1;
	if (header.check == LZMA_CHECK_NONE || !lzma_check_is_supported(header.check))
		return -1;
	if (footer.backward_size > length - 2 * LZMA_STREAM_HEADER_SIZE)
		return -1;
	*ret_check = header.check;
	*ret_index_length = (size_t)footer.backward_size;
	return 0;
}

/* One record of the index becomes one row; the block must end before the index begins. */
static int parse_record(struct cursor *index, struct xz_stream *xz, size_t *offset,
			size_t index_offset)
{
	struct xz_block *block = &xz->blocks[xz->count];
	lzma_vli unpadded, raw;

	if (read_number(index, &unpadded) < 0 || read_number(index, &raw) < 0)
		return -1;
	if (padded(unpadded) > index_offset - *offset || raw > XZ_RAW_MAX - xz->raw_length)
		return -1;
	block->bytes = index->bytes - index_offset + *offset;
	block->unpadded = (size_t)unpadded;
	block->raw_offset = xz->raw_length;
	block->raw_length = (size_t)raw;
	*offset += (size_t)padded(unpadded);
	xz->raw_length += (size_t)raw;
	xz->count++;
	return 0;
}

static int parse_index(struct cursor *index, struct xz_stream *xz, size_t index_offset)
{
	size_t offset = LZMA_STREAM_HEADER_SIZE;
	lzma_vli count;

	if (load_le32(index->bytes + index->end) != lzma_crc32(index->bytes, index->end, 0))
		return -1;
	if (index->bytes[index->position++] != 0 || read_number(index, &count) < 0 ||
	    count > XZ_BLOCKS_MAX)
		return -1;
	while (xz->count < count)
		if (parse_record(index, xz, &offset, index_offset) < 0)
			return -1;
	if (padded(index->position) != index->end || offset != index_offset)
		return -1;
	while (index->position < index->end)
		if (index->bytes[index->position++] != 0)
			return -1;
	return 0;
}

enum smk_result xz_parse(const void *bytes, size_t length, struct xz_stream *ret)
{
	struct xz_stream xz = {0};
	size_t index_length, index_offset;
	struct cursor index;

	if (parse_frame(bytes, length, &xz.check, &index_length) < 0)
		return SMK_ERROR_DATA;
	index_offset = length - LZMA_STREAM_HEADER_SIZE - index_length;
	index.bytes = (const uint8_t *)bytes + index_offset;
	index.position = 0;
	index.end = index_length - CRC_SIZE;
	if (parse_index(&index, &xz, index_offset) < 0)
		return SMK_ERROR_DATA;
	*ret = xz;
	return SMK_OK;
}
