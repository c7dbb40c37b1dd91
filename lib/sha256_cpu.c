// SPDX-License-Identifier: Apache-2.0
/*
 * SHA-256 with the instructions of x86-64 (SHA-NI) and arm64 (SHA2), chosen at run time. Both work
 * on four rounds at a time and differ only in how they hold the eight state words: x86-64 wants
 * ABEF and CDGH, arm64 ABCD and EFGH.
 */
#include "sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* Four rounds; w[0] becomes the message words of four quads later. */
SHA_TARGET static inline void quad(__m128i s[2], __m128i *w0, const __m128i w[3],
				   const uint32_t *constants)
{
	__m128i sum = _mm_add_epi32(*w0, _mm_loadu_si128((const __m128i *)(const void *)constants));
	__m128i next = _mm_sha256msg1_epu32(*w0, w[0]);

	s[1] = _mm_sha256rnds2_epu32(s[1], s[0], sum);
	s[0] = _mm_sha256rnds2_epu32(s[0], s[1], _mm_shuffle_epi32(sum, 0x0e));
	next = _mm_add_epi32(next, _mm_alignr_epi8(w[2], w[1], 4));
	*w0 = _mm_sha256msg2_epu32(next, w[2]);
}

SHA_TARGET static void mix_block(__m128i s[2], const uint8_t *data)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i w[4];

	for (unsigned i = 0; i < 4; i++)
		w[i] = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), swap);
	for (unsigned i = 0; i < 64; i += 16) {
		const uint32_t *constants = sha256_constants + i;

		quad(s, &w[0], (const __m128i[]){w[1], w[2], w[3]}, constants);
		quad(s, &w[1], (const __m128i[]){w[2], w[3], w[0]}, constants + 4);
		quad(s, &w[2], (const __m128i[]){w[3], w[0], w[1]}, constants + 8);
		quad(s, &w[3], (const __m128i[]){w[0], w[1], w[2]}, constants + 12);
	}
}

SHA_TARGET static void blocks_x86_64(uint32_t state[8], const uint8_t *data, size_t count)
{
	__m128i *words = (__m128i *)(void *)state;
	__m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
	__m128i s[2] = {_mm_alignr_epi8(abcd, efgh, 8), _mm_blend_epi16(efgh, abcd, 0xf0)};

	for (; count; count--, data += SHA256_BLOCK_SIZE) {
		const __m128i before[2] = {s[0], s[1]};

		mix_block(s, data);
		s[0] = _mm_add_epi32(s[0], before[0]);
		s[1] = _mm_add_epi32(s[1], before[1]);
	}
	abcd = _mm_shuffle_epi32(s[0], 0x1b);
	efgh = _mm_shuffle_epi32(s[1], 0xb1);
	_mm_storeu_si128(words, _mm_blend_epi16(abcd, efgh, 0xf0));
	_mm_storeu_si128(words + 1, _mm_alignr_epi8(efgh, abcd, 8));
}

sha256_blocks *sha256_blocks_cpu(void)
{
	unsigned eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSSE3) || !(ecx & bit_SSE4_1))
		return NULL;
	if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & bit_SHA))
		return NULL;
	return blocks_x86_64;
}

/* clang has the intrinsics only where the whole program is built for them, as it is for every Mac. */
#elif defined(__aarch64__) && (defined(__ARM_FEATURE_SHA2) || !defined(__clang__))

#include <arm_neon.h>

#ifdef __clang__
#define SHA_TARGET
#else
#define SHA_TARGET __attribute__((target("+crypto")))
#endif

SHA_TARGET static inline void quad(uint32x4_t s[2], uint32x4_t *w0, const uint32x4_t w[3],
				   const uint32_t *constants)
{
	uint32x4_t sum = vaddq_u32(*w0, vld1q_u32(constants));
	uint32x4_t abcd = s[0];

	*w0 = vsha256su1q_u32(vsha256su0q_u32(*w0, w[0]), w[1], w[2]);
	s[0] = vsha256hq_u32(s[0], s[1], sum);
	s[1] = vsha256h2q_u32(s[1], abcd, sum);
}

SHA_TARGET static void mix_block(uint32x4_t s[2], const uint8_t *data)
{
	uint32x4_t w[4];

	for (unsigned i = 0; i < 4; i++)
		w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
	for (unsigned i = 0; i < 64; i += 16) {
		const uint32_t *constants = sha256_constants + i;

		quad(s, &w[0], (const uint32x4_t[]){w[1], w[2], w[3]}, constants);
		quad(s, &w[1], (const uint32x4_t[]){w[2], w[3], w[0]}, constants + 4);
		quad(s, &w[2], (const uint32x4_t[]){w[3], w[0], w[1]}, constants + 8);
		quad(s, &w[3], (const uint32x4_t[]){w[0], w[1], w[2]}, constants + 12);
	}
}

SHA_TARGET static void blocks_arm64(uint32_t state[8], const uint8_t *data, size_t count)
{
	uint32x4_t s[2] = {vld1q_u32(state), vld1q_u32(state + 4)};

	for (; count; count--, data += SHA256_BLOCK_SIZE) {
		const uint32x4_t before[2] = {s[0], s[1]};

		mix_block(s, data);
		s[0] = vaddq_u32(s[0], before[0]);
		s[1] = vaddq_u32(s[1], before[1]);
	}
	vst1q_u32(state, s[0]);
	vst1q_u32(state + 4, s[1]);
}

#ifdef __linux__
#include <asm/hwcap.h>
#include <sys/auxv.h>

sha256_blocks *sha256_blocks_cpu(void)
{
	return getauxval(AT_HWCAP) & HWCAP_SHA2 ? blocks_arm64 : NULL;
}
#else
/* Every arm64 Mac has the instructions. */
sha256_blocks *sha256_blocks_cpu(void)
{
	return blocks_arm64;
}
#endif

#else

sha256_blocks *sha256_blocks_cpu(void)
{
	return NULL;
}

#endif
