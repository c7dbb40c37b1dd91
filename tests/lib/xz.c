// SPDX-License-Identifier: Apache-2.0
/*
 * xz ASSETS [FLIPS]: parser and decoder on the kernel in the directory ASSETS, in the real form. Damage of every
 * kind is refused; only a header that says the same in other words may decode, to the right bytes.
 */
#include "lib/xz.h"
#include "lib/sha256.h"
#include "tests/lib/files.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static unsigned char *packed, *raw;
static size_t packed_length, raw_length;
static unsigned flips = 5000;

/* Decodes what may be damaged. Allocations have the exact size, so that ASan sees one byte too far.
 */
static enum smk_result decode(const unsigned char *bytes, size_t length, unsigned threads,
			      bool *ret_is_right)
{
	struct xz_stream xz;
	enum smk_result result = xz_parse(bytes, length, &xz);
	unsigned char *out;

	*ret_is_right = false;
	if (result || xz.raw_length > 16 * MIB)
		return result ? result : SMK_ERROR_DATA;
	out = malloc(xz.raw_length ? xz.raw_length : 1);
	result = xz_decode(&xz, out, 64 * MIB, threads);
	*ret_is_right = xz.raw_length == raw_length && !memcmp(out, raw, raw_length);
	free(out);
	return result;
}

static void test_good(void)
{
	bool is_right;

	for (unsigned threads = 1; threads <= 20; threads++) {
		CHECK_INT(decode(packed, packed_length, threads, &is_right), SMK_OK);
		CHECK(is_right);
	}
}

static void test_blocks(void)
{
	struct xz_stream xz;
	size_t offset = 0;

	CHECK_INT(xz_parse(packed, packed_length, &xz), SMK_OK);
	CHECK(xz.count > 2);
	CHECK_INT(xz.raw_length, raw_length);
	for (size_t i = 0; i < xz.count; i++) {
		CHECK_INT(xz.blocks[i].raw_offset, offset);
		offset += xz.blocks[i].raw_length;
	}
	CHECK_INT(offset, raw_length);
}

static void check_damaged(const unsigned char *bytes, size_t length, bool may_be_right,
			  const char *what, size_t at)
{
	bool is_right;
	enum smk_result result = decode(bytes, length, 1 + (unsigned)at % 2, &is_right);

	if (result == SMK_ERROR_DATA || t_why[0])
		return;
	if (may_be_right && ((result == SMK_OK && is_right) || result == SMK_ERROR_MEMORY_LIMIT))
		return;
	snprintf(t_why, sizeof(t_why), "%s at %zu: result %d, bytes %s", what, at, (int)result,
		 is_right ? "right" : "wrong");
}

static void flip(unsigned char *bytes, size_t bit)
{
	bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
}

static void flip_range(unsigned char *bytes, size_t from, size_t to, size_t step)
{
	for (size_t bit = from; bit < to; bit += step) {
		flip(bytes, bit);
		check_damaged(bytes, packed_length, false, "flip of bit", bit);
		flip(bytes, bit);
	}
}

/* All bits of the frame (headers, index, footer), and bits spread evenly over the rest. */
static void test_flips(void)
{
	unsigned char *copy = malloc(packed_length);
	size_t bits = packed_length * 8, frame = 64 * 8;

	memcpy(copy, packed, packed_length);
	flip_range(copy, 0, frame, 1);
	flip_range(copy, frame, bits - frame, bits / flips + 1);
	flip_range(copy, bits - frame, bits, 1);
	free(copy);
}

/* Cut at every length near both ends, and at many between. */
static void test_truncated(void)
{
	for (size_t length = 0; length < packed_length;
	     length += length < 64 || length + 300 > packed_length ? 1 : packed_length / 500) {
		unsigned char *copy = malloc(length ? length : 1);
		bool is_right;

		memcpy(copy, packed, length);
		CHECK_INT(decode(copy, length, 2, &is_right), SMK_ERROR_DATA);
		free(copy);
	}
}

/* Beginnings too short for a frame, at the end of a page: liblzma is not built with ASan. */
static void test_short(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct xz_stream xz;

	CHECK(pages != MAP_FAILED && !mprotect(pages + page, page, PROT_NONE));
	for (size_t length = 0; length < 40; length++) {
		memcpy(pages + page - length, packed, length);
		CHECK_INT(xz_parse(pages + page - length, length, &xz), SMK_ERROR_DATA);
	}
	munmap(pages, 2 * page);
}

static void test_extended(void)
{
	unsigned char *copy = calloc(1, packed_length + 64);
	bool is_right;

	memcpy(copy, packed, packed_length);
	for (size_t more = 1; more <= 64; more++)
		CHECK_INT(decode(copy, packed_length + more, 2, &is_right), SMK_ERROR_DATA);
	free(copy);
}

/* Replaces the 32-bit CRC at `at` by that of length bytes from `from`. */
static void put_crc(unsigned char *bytes, size_t at, size_t from, size_t length)
{
	uint32_t crc = lzma_crc32(bytes + from, length, 0);

	for (unsigned i = 0; i < 4; i++)
		bytes[at + i] = (unsigned char)(crc >> 8 * i);
}

/* An index whose CRC is right but whose numbers are not: each byte set to each of some values. */
static void test_index(void)
{
	static const unsigned char values[] = {0, 1, 4, 5, 63, 64, 65, 0x7f, 0x80, 0xff};
	unsigned char *copy = malloc(packed_length);
	const unsigned char *footer = packed + packed_length - 12;
	size_t length = ((size_t)footer[4] + 1) * 4, start = packed_length - 12 - length;

	for (size_t at = 0; at < length - 4; at++)
		for (size_t v = 0; v < sizeof(values); v++) {
			memcpy(copy, packed, packed_length);
			if (copy[start + at] == values[v])
				continue;
			copy[start + at] = values[v];
			put_crc(copy, packed_length - 12 - 4, start, length - 4);
			check_damaged(copy, packed_length, false, "index byte", at);
		}
	free(copy);
}

/* The same for the header of the first block: a larger dictionary, for one, does no harm. */
static void test_block_header(void)
{
	unsigned char *copy = malloc(packed_length);
	size_t length = ((size_t)packed[12] + 1) * 4;

	for (size_t at = 0; at < length - 4; at++)
		for (unsigned value = 0; value < 256; value++) {
			memcpy(copy, packed, packed_length);
			copy[12 + at] = (unsigned char)value;
			put_crc(copy, 12 + length - 4, 12, length - 4);
			check_damaged(copy, packed_length, true, "block header byte", at);
		}
	free(copy);
}

/* A good stream without integrity checks is refused; the same with one is not. */
static void test_no_check(void)
{
	static const lzma_check checks[] = {LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64,
					    LZMA_CHECK_SHA256};

	for (int i = 0; i < 4; i++) {
		unsigned char bytes[256], out[5];
		size_t length = 0;
		struct xz_stream xz;
		enum smk_result result;

		CHECK(lzma_easy_buffer_encode(1, checks[i], NULL, (const unsigned char *)"hello", 5,
					      bytes, &length, sizeof(bytes)) == LZMA_OK);
		result = xz_parse(bytes, length, &xz);
		CHECK_INT(result, i == 0 ? SMK_ERROR_DATA : SMK_OK);
		if (i > 0)
			CHECK(xz_decode(&xz, out, 64 * MIB, 1) == SMK_OK &&
			      !memcmp(out, "hello", 5));
	}
}

/*
 * A frame around count zeroed blocks of 8 bytes, each said to hold `each` bytes: right in form only.
 * gap zero bytes precede the index, extra ones end its padding, which is filled with `filler`.
 */
struct frame {
	size_t count;
	uint64_t each;
	size_t gap, extra;
	unsigned char filler;
	bool wraps;              /* three blocks whose lengths are right modulo 2^64 only */
	lzma_check footer_check; /* 0: the header's */
};

static enum smk_result parse_frame(struct frame frame, struct xz_stream *ret)
{
	lzma_stream_flags flags = {.check = LZMA_CHECK_CRC64};
	size_t start = 12 + 8 * frame.count + frame.gap, at = start;
	unsigned char bytes[4096] = {0};

	bytes[at++] = 0;
	CHECK(lzma_vli_encode(frame.count, NULL, bytes, &at, start + 10) == LZMA_OK);
	for (size_t i = 0; i < frame.count; i++) {
		uint64_t length = !frame.wraps ? 8 : i < 2 ? (UINT64_C(1) << 63) - 4 : 32;

		CHECK(lzma_vli_encode(length, NULL, bytes, &at, at + 10) == LZMA_OK);
		CHECK(lzma_vli_encode(frame.each, NULL, bytes, &at, at + 10) == LZMA_OK);
	}
	while ((at - start) % 4)
		bytes[at++] = frame.filler;
	at += frame.extra;
	put_crc(bytes, at, start, at - start);
	at += 4;
	flags.backward_size = at - start;
	CHECK(lzma_stream_header_encode(&flags, bytes) == LZMA_OK);
	if (frame.footer_check)
		flags.check = frame.footer_check;
	CHECK(lzma_stream_footer_encode(&flags, bytes + at) == LZMA_OK);
	return xz_parse(bytes, at + 12, ret);
}

static void test_frames(void)
{
	static const struct {
		struct frame frame;
		enum smk_result result;
	} rows[] = {
		{{.count = 0}, SMK_OK},
		{{.count = XZ_BLOCKS_MAX, .each = 1}, SMK_OK},
		{{.count = XZ_BLOCKS_MAX + 1, .each = 1}, SMK_ERROR_DATA},
		{{.count = 2, .each = XZ_RAW_MAX / 2}, SMK_OK},
		{{.count = 2, .each = XZ_RAW_MAX / 2 + 1}, SMK_ERROR_DATA},
		{{.count = 4, .each = UINT64_C(1) << 62}, SMK_ERROR_DATA},
		{{.count = 3, .each = 1, .wraps = true}, SMK_ERROR_DATA},
		{{.count = 2, .each = 1, .gap = 4}, SMK_ERROR_DATA},
		{{.count = 2, .each = 1, .extra = 4}, SMK_ERROR_DATA},
		{{.count = 2, .each = 1, .filler = 1}, SMK_ERROR_DATA},
		{{.count = 2, .each = 1, .footer_check = LZMA_CHECK_CRC32}, SMK_ERROR_DATA},
	};
	struct xz_stream xz;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum smk_result result = parse_frame(rows[i].frame, &xz);

		CHECK_INT(result, rows[i].result);
		if (result)
			continue;
		CHECK_INT(xz.count, rows[i].frame.count);
		CHECK_INT(xz.raw_length, rows[i].frame.count * rows[i].frame.each);
	}
}

static void test_memory_limit(void)
{
	unsigned char *out = malloc(raw_length);
	struct xz_stream xz;
	size_t low = 0, high = 64 * MIB;

	CHECK_INT(xz_parse(packed, packed_length, &xz), SMK_OK);
	while (high - low > 1) {
		size_t limit = low + (high - low) / 2;
		enum smk_result result = xz_decode(&xz, out, limit, 4);

		CHECK(result == SMK_OK || result == SMK_ERROR_MEMORY_LIMIT);
		if (result)
			low = limit;
		else
			high = limit;
	}
	/* One block needs its dictionary (64 KiB here) and some of liblzma's own. */
	CHECK(high > 64 << 10 && high < MIB);
	free(out);
}

/* The link wraps pthread_create: it fails from the (threads_left + 1)-th call on. */
static int threads_left = 1000000, attempts;
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *argument)
{
	attempts++;
	if (threads_left <= 0)
		return EAGAIN;
	threads_left--;
	return __real_pthread_create(thread, attributes, run, argument);
}

/* With none or few of the threads to be had, the others decode everything. */
static void test_no_threads(void)
{
	bool is_right;

	for (int left = 0; left < 3; left++) {
		threads_left = left;
		attempts = 0;
		CHECK_INT(decode(packed, packed_length, 4, &is_right), SMK_OK);
		CHECK(is_right);
		CHECK_INT(attempts, left + 1);
	}
	threads_left = 1000000;
}

static const struct t_case cases[] = {
	{"good", test_good},
	{"blocks", test_blocks},
	{"flips", test_flips},
	{"truncated", test_truncated},
	{"short", test_short},
	{"extended", test_extended},
	{"index", test_index},
	{"block-header", test_block_header},
	{"no-check", test_no_check},
	{"frames", test_frames},
	{"memory-limit", test_memory_limit},
	{"no-threads", test_no_threads},
};

int main(int argc, char **argv)
{
	int code;

	if (argc < 2)
		return 2;
	if (argc > 2)
		flips = (unsigned)atoi(argv[2]);
	packed = (unsigned char *)files_read_in(argv[1], "kernel.xz", &packed_length);
	raw = (unsigned char *)files_read_in(argv[1], "kernel", &raw_length);
	code = t_run("lib/xz", cases, sizeof(cases) / sizeof(cases[0]));
	free(packed);
	free(raw);
	return code;
}
