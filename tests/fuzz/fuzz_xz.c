// SPDX-License-Identifier: Apache-2.0
/*
 * The xz parser and decoder on hostile bytes, beside liblzma's own one-call decoder: what we
 * accept, it accepts too, with the same output. The first byte chooses whether the checksums of the
 * frame are repaired, so that what lies behind them is reached.
 */
#include "fuzz.h"
#include "lib/xz.h"

#define RAW_MAX      (1 << 20)
#define MEMORY_LIMIT (8 << 20)
#define FRAME        LZMA_STREAM_HEADER_SIZE

static void put_crc(uint8_t *at, const uint8_t *bytes, size_t length)
{
	uint32_t crc = lzma_crc32(bytes, length, 0);

	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(crc >> 8 * i);
}

static void repair(uint8_t *xz, size_t length)
{
	uint8_t *footer = xz + length - FRAME;
	size_t header = ((size_t)xz[FRAME] + 1) * 4;
	size_t index = ((size_t)footer[4] + 1) * 4; /* our indexes are short */

	memcpy(xz,
	       "\xfd"
	       "7zXZ",
	       6);
	memcpy(footer + 10, "YZ", 2);
	memcpy(footer + 8, xz + 6, 2);
	footer[5] = footer[6] = footer[7] = 0;
	if (header <= length - 2 * FRAME)
		put_crc(xz + FRAME + header - 4, xz + FRAME, header - 4);
	if (index <= length - 2 * FRAME)
		put_crc(footer - 4, footer - index, index - 4);
	put_crc(xz + 8, xz + 6, 2);
	put_crc(footer, footer + 4, 6);
}

static void compare(const uint8_t *xz, size_t length, const uint8_t *ours, size_t ours_length)
{
	uint8_t *theirs = malloc(RAW_MAX);
	uint64_t limit = UINT64_MAX;
	size_t in = 0, out = 0;

	if (lzma_stream_buffer_decode(&limit, 0, NULL, xz, &in, length, theirs, &out, RAW_MAX) !=
		    LZMA_OK ||
	    in != length || out != ours_length || memcmp(ours, theirs, out) != 0)
		abort();
	free(theirs);
}

static void decode(const uint8_t *bytes, size_t length, unsigned threads)
{
	struct xz_stream xz;
	uint8_t *out;

	if (xz_parse(bytes, length, &xz) != SMK_OK || xz.raw_length > RAW_MAX)
		return;
	out = malloc(xz.raw_length + 1);
	if (xz_decode(&xz, out, MEMORY_LIMIT, threads) == SMK_OK)
		compare(bytes, length, out, xz.raw_length);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 1)
		return 0;
	/* An allocation of the exact size, so that reading past it is seen. */
	copy = malloc(size - 1 ? size - 1 : 1);
	memcpy(copy, data + 1, size - 1);
	if (data[0] % 2 && size - 1 >= 2 * FRAME + 8)
		repair(copy, size - 1);
	decode(copy, size - 1, 1 + data[0] / 2 % 2);
	free(copy);
	return 0;
}
