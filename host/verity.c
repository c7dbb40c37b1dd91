// SPDX-License-Identifier: Apache-2.0
/*
 * How it works: the digests of all data blocks are the first level; the digests of that level's
 * blocks the next, until one block is left, whose digest is the root. On the disk the highest level
 * comes first. A superblock as veritysetup(8) writes it makes the disk readable for others; init-oci
 * believes nothing of it, but the numbers in its configuration.
 */
#include "verity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sha256.h"

#define FAN_OUT       (VERITY_BLOCK / SHA256_SIZE)
#define LEVELS_MAX    16
#define SIGNAL_BLOCKS 1024 /* between two looks for a signal */

/* A level's digests, padded with zeros to whole blocks. */
struct level {
	uint8_t *bytes;
	uint64_t blocks;
};

/* veritysetup's superblock; the kernel does not read it. */
struct superblock {
	char signature[8];
	uint32_t version;
	uint32_t hash_type;
	uint8_t uuid[16];
	char algorithm[32];
	uint32_t data_block_size;
	uint32_t hash_block_size;
	uint64_t data_blocks;
	uint16_t salt_size;
	uint8_t rest[6 + 256 + 168];
};
_Static_assert(sizeof(struct superblock) == 512, "as on disk");

static int read_block(int fd, const char *path, uint64_t offset, uint8_t block[VERITY_BLOCK],
		      struct failure *f)
{
	size_t length = 0;

	while (length < VERITY_BLOCK) {
		ssize_t got =
			pread(fd, block + length, VERITY_BLOCK - length, (off_t)(offset + length));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail_sys(f, "read", path);
		length += (size_t)got;
	}
	return 0;
}

static struct level new_level(uint64_t digests)
{
	struct level level = {.blocks = (digests + FAN_OUT - 1) / FAN_OUT};

	level.bytes = must_alloc((size_t)level.blocks * VERITY_BLOCK);
	return level;
}

static void digest(const uint8_t block[VERITY_BLOCK], uint8_t ret[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, block, VERITY_BLOCK);
	sha256_finish(&hash, ret);
}

static int hash_data(int fd, const char *path, uint64_t blocks, struct level *ret,
		     struct failure *f)
{
	struct level level = new_level(blocks);
	uint8_t block[VERITY_BLOCK];

	for (uint64_t i = 0; i < blocks; i++) {
		if (i % SIGNAL_BLOCKS == 0 && signals_want_end()) {
			free(level.bytes);
			return fail_err(f, EINTR, "", path, "ended by a signal");
		}
		if (read_block(fd, path, i * VERITY_BLOCK, block, f)) {
			free(level.bytes);
			return -1;
		}
		digest(block, level.bytes + i * SHA256_SIZE);
	}
	*ret = level;
	return 0;
}

static struct level hash_level(const struct level *below)
{
	struct level level = new_level(below->blocks);

	for (uint64_t i = 0; i < below->blocks; i++)
		digest(below->bytes + i * VERITY_BLOCK, level.bytes + i * SHA256_SIZE);
	return level;
}

static int write_tree(int fd, const char *path, uint64_t data_blocks, const struct level *levels,
		      unsigned count, struct failure *f)
{
	uint64_t offset = data_blocks * VERITY_BLOCK;
	uint8_t block[VERITY_BLOCK] = {0};
	const struct superblock superblock = {
		.signature = "verity",
		.version = 1,
		.hash_type = 1,
		.uuid = {0x73, 0x6d, 0x6b}, /* veritysetup wants one; the same for the same layer */
		.algorithm = "sha256",
		.data_block_size = VERITY_BLOCK,
		.hash_block_size = VERITY_BLOCK,
		.data_blocks = data_blocks,
	};

	memcpy(block, &superblock, sizeof(superblock));
	if (file_write_at(fd, path, offset, block, sizeof(block), f))
		return -1;
	offset += VERITY_BLOCK;
	while (count--) {
		if (file_write_at(fd, path, offset, levels[count].bytes,
				  levels[count].blocks * VERITY_BLOCK, f))
			return -1;
		offset += levels[count].blocks * VERITY_BLOCK;
	}
	return 0;
}

/* The digest of the highest level's block; of the only block of data when there is no level. */
static int find_root(int fd, const char *path, const struct level *levels, unsigned count,
		     char ret[65], struct failure *f)
{
	uint8_t block[VERITY_BLOCK];

	if (count) {
		sha256_hex(levels[count - 1].bytes, VERITY_BLOCK, ret);
		return 0;
	}
	if (read_block(fd, path, 0, block, f))
		return -1;
	sha256_hex(block, sizeof(block), ret);
	return 0;
}

int verity_append(int fd, const char *path, struct verity *ret, struct failure *f)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct level levels[LEVELS_MAX] = {{0}};
	unsigned count = 0;
	int result;

	if (size < 0)
		return fail_sys(f, "lseek", path);
	if (!size || size % VERITY_BLOCK)
		return fail_err(f, 0, "verity", path, "its size is no multiple of %u",
				VERITY_BLOCK);
	ret->data_blocks = (uint64_t)size / VERITY_BLOCK;
	if (ret->data_blocks > 1) {
		if (hash_data(fd, path, ret->data_blocks, &levels[count++], f))
			return -1;
		for (; levels[count - 1].blocks > 1; count++)
			levels[count] = hash_level(&levels[count - 1]);
	}
	result = find_root(fd, path, levels, count, ret->root_hex, f);
	if (!result)
		result = write_tree(fd, path, ret->data_blocks, levels, count, f);
	while (count--)
		free(levels[count].bytes);
	return result;
}

int verity_hash_file(int fd, const char *path, char ret_hex[65], uint64_t *ret_size,
		     struct failure *f)
{
	AUTO_FREE uint8_t *buffer = must_alloc(1u << 20);
	struct sha256 hash;
	uint64_t size = 0;
	ssize_t got;

	sha256_init(&hash);
	while ((got = pread(fd, buffer, 1u << 20, (off_t)size)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_sys(f, "read", path);
		if (signals_want_end())
			return fail_err(f, EINTR, "", path, "ended by a signal");
		sha256_update(&hash, buffer, (size_t)got);
		size += (uint64_t)got;
	}
	sha256_finish_hex(&hash, ret_hex);
	*ret_size = size;
	return 0;
}
