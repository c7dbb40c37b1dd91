// SPDX-License-Identifier: Apache-2.0
/* SHA-256: published vectors, every way to cut the input, and the processor's against the portable
 * one. */
#include "lib/sha256.h"
#include "tests/t.h"

#include <stdlib.h>

/* FIPS 180-4 examples (NIST), and the empty message. */
static const struct {
	const char *text;
	size_t times;
	const char *hex;
} vectors[] = {
	{"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	 1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void test_vectors(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		char hex[2 * SHA256_SIZE + 1];
		struct sha256 hash;

		sha256_init(&hash);
		for (size_t n = 0; n < vectors[i].times; n++)
			sha256_update(&hash, vectors[i].text, strlen(vectors[i].text));
		sha256_finish_hex(&hash, hex);
		CHECK_STR(hex, vectors[i].hex);
	}
}

static void fill(unsigned char *bytes, size_t length)
{
	unsigned state = 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1103515245 + 12345;
		bytes[i] = (unsigned char)(state >> 16);
	}
}

static void test_cuts(void)
{
	unsigned char bytes[200];
	char whole[2 * SHA256_SIZE + 1], cut[2 * SHA256_SIZE + 1];

	fill(bytes, sizeof(bytes));
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		sha256_hex(bytes, length, whole);
		for (size_t at = 0; at <= length; at++) {
			struct sha256 hash;

			sha256_init(&hash);
			sha256_update(&hash, bytes, at);
			sha256_update(&hash, bytes + at, length - at);
			sha256_finish_hex(&hash, cut);
			CHECK_STR(cut, whole);
		}
	}
}

static void test_processor(void)
{
	sha256_blocks *blocks = sha256_blocks_cpu();
	static unsigned char bytes[64 * 33 + 1];

	fill(bytes, sizeof(bytes));
	for (size_t count = 0; blocks && count <= 33; count++) {
		uint32_t one[8] = {1, 2, 3, 4, 5, 6, 7, 8}, two[8] = {1, 2, 3, 4, 5, 6, 7, 8};

		/* from an odd address: neither may want alignment */
		blocks(one, bytes + 1, count);
		sha256_blocks_portable(two, bytes + 1, count);
		CHECK(!memcmp(one, two, sizeof(one)));
	}
	/* Where the test machine is known to have the instructions, they must have been found. */
	if (getenv("SMK_TEST_SHA_EXPECTED"))
		CHECK(blocks);
}

static const struct t_case cases[] = {
	{"vectors", test_vectors},
	{"cuts", test_cuts},
	{"processor", test_processor},
};

T_MAIN("lib/sha256", cases)
