// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4), with the processor's own instructions where it has them. */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE       32
#define SHA256_BLOCK_SIZE 64

/* Mixes count blocks of 64 bytes into state. */
typedef void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t count);

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t pending[SHA256_BLOCK_SIZE];
	sha256_blocks *blocks;
};

/* The round constants, shared by every implementation. */
extern const uint32_t sha256_constants[64];

/* The portable implementation; and the one of this processor, or NULL. */
void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t count);
sha256_blocks *sha256_blocks_cpu(void);

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *data, size_t length);
void sha256_finish(struct sha256 *hash, uint8_t ret_digest[SHA256_SIZE]);

/* The same as 64 lower-case digits and a NUL. */
void sha256_finish_hex(struct sha256 *hash, char ret_hex[2 * SHA256_SIZE + 1]);

/* The digest of a whole buffer. */
void sha256_hex(const void *data, size_t length, char ret_hex[2 * SHA256_SIZE + 1]);

#endif
