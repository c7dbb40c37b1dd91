// SPDX-License-Identifier: Apache-2.0
/* SHA-256: the portable block function and everything around it. */
#include "sha256.h"

#include <string.h>

const uint32_t sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate_right(uint32_t word, unsigned count)
{
	return word >> count | word << (32 - count);
}

static uint32_t load_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       (uint32_t)bytes[3];
}

static void store_be32(uint8_t *bytes, uint32_t word)
{
	bytes[0] = (uint8_t)(word >> 24);
	bytes[1] = (uint8_t)(word >> 16);
	bytes[2] = (uint8_t)(word >> 8);
	bytes[3] = (uint8_t)word;
}

static void expand(uint32_t words[64], const uint8_t *block)
{
	for (unsigned i = 0; i < 16; i++)
		words[i] = load_be32(block + 4 * i);
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = words[i - 15], b = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] +
			   (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) +
			   (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
	}
}

static void mix_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t words[64], s[8];

	expand(words, block);
	memcpy(s, state, sizeof(s));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t sum1 =
			rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25);
		uint32_t choice = s[6] ^ (s[4] & (s[5] ^ s[6]));
		uint32_t t1 = s[7] + sum1 + choice + sha256_constants[i] + words[i];
		uint32_t sum0 =
			rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22);
		uint32_t majority = (s[0] & s[1]) | (s[2] & (s[0] | s[1]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + sum0 + majority;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += s[i];
}

void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t count)
{
	for (; count; count--, data += SHA256_BLOCK_SIZE)
		mix_block(state, data);
}

void sha256_init(struct sha256 *hash)
{
	static const uint32_t initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(hash->state, initial, sizeof(initial));
	hash->length = 0;
	hash->blocks = sha256_blocks_cpu();
	if (!hash->blocks)
		hash->blocks = sha256_blocks_portable;
}

void sha256_update(struct sha256 *hash, const void *data, size_t length)
{
	const uint8_t *bytes = data;
	size_t have = hash->length % SHA256_BLOCK_SIZE;

	hash->length += length;
	if (have) {
		size_t take = SHA256_BLOCK_SIZE - have < length ? SHA256_BLOCK_SIZE - have : length;

		memcpy(hash->pending + have, bytes, take);
		if (have + take < SHA256_BLOCK_SIZE)
			return;
		hash->blocks(hash->state, hash->pending, 1);
		bytes += take;
		length -= take;
	}
	hash->blocks(hash->state, bytes, length / SHA256_BLOCK_SIZE);
	bytes += length - length % SHA256_BLOCK_SIZE;
	if (length % SHA256_BLOCK_SIZE)
		memcpy(hash->pending, bytes, length % SHA256_BLOCK_SIZE);
}

void sha256_finish(struct sha256 *hash, uint8_t ret_digest[SHA256_SIZE])
{
	static const uint8_t padding[SHA256_BLOCK_SIZE] = {0x80};
	uint64_t bits = hash->length * 8;
	size_t have = hash->length % SHA256_BLOCK_SIZE;
	uint8_t length[8];

	store_be32(length, (uint32_t)(bits >> 32));
	store_be32(length + 4, (uint32_t)bits);
	sha256_update(hash, padding, have < 56 ? 56 - have : 56 + SHA256_BLOCK_SIZE - have);
	sha256_update(hash, length, sizeof(length));
	for (unsigned i = 0; i < 8; i++)
		store_be32(ret_digest + 4 * i, hash->state[i]);
}

void sha256_finish_hex(struct sha256 *hash, char ret_hex[2 * SHA256_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_SIZE];

	sha256_finish(hash, digest);
	for (unsigned i = 0; i < SHA256_SIZE; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_hex[2 * SHA256_SIZE] = '\0';
}

void sha256_hex(const void *data, size_t length, char ret_hex[2 * SHA256_SIZE + 1])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, data, length);
	sha256_finish_hex(&hash, ret_hex);
}
