// SPDX-License-Identifier: Apache-2.0
/*
 * The arena. Linked with malloc() and free() wrapped: to refuse memory, and to see what it looks like
 * when it is given back.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "oci/arena.h"
#include "tests/t.h"

#define SECRET "correct horse battery staple"

static size_t watched; /* how many frees were looked at */
static bool saw_secret;
static bool is_refused;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return is_refused ? NULL : __real_malloc(size);
}

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	size_t size = memory ? malloc_usable_size(memory) : 0;

	watched++;
	if (size && memmem(memory, size, SECRET, sizeof(SECRET) - 1))
		saw_secret = true;
	__real_free(memory);
}

static void is_overwritten_before_it_is_freed(void)
{
	struct arena *arena = arena_create(1 << 20);

	CHECK(arena_printf(arena, "%s", SECRET) != NULL);
	for (int i = 0; i < 100; i++)
		CHECK(arena_alloc(arena, 5000) != NULL);
	CHECK(arena_printf(arena, "%s", SECRET) != NULL);
	watched = 0;
	saw_secret = false;
	arena_destroy(arena);
	CHECK(watched >= 2);
	CHECK(!saw_secret);
}

static void aligns_and_keeps_apart(void)
{
	struct arena *arena = arena_create(1 << 20);
	unsigned char *last = NULL;

	for (size_t size = 0; size < 300; size++) {
		unsigned char *got = arena_alloc(arena, size);

		CHECK(got != NULL && got != last);
		CHECK_INT((uintptr_t)got % _Alignof(max_align_t), 0);
		memset(got, (int)size, size);
		if (last && size > 1)
			CHECK_INT(last[size - 2], (unsigned char)(size - 1));
		last = got;
	}
	arena_destroy(arena);
}

static void has_a_limit(void)
{
	struct arena *arena = arena_create(4096);
	size_t got = 0;

	CHECK(arena_alloc(arena, 4097) == NULL);
	CHECK(arena_alloc(arena, SIZE_MAX) == NULL);
	while (arena_alloc(arena, 64))
		got++;
	CHECK_INT(got, 64);
	CHECK_INT(arena_used(arena), 4096);
	CHECK(arena_alloc(arena, 1) == NULL);
	arena_destroy(arena);
}

static void zalloc_is_zero_and_does_not_overflow(void)
{
	struct arena *arena = arena_create(SIZE_MAX);
	unsigned char *got = arena_zalloc(arena, 100, 3);
	size_t zeros = 0;

	for (size_t i = 0; got && i < 300; i++)
		zeros += got[i] == 0;
	CHECK_INT(zeros, 300);
	CHECK(arena_zalloc(arena, SIZE_MAX / 2, 3) == NULL);
	CHECK(arena_zalloc(arena, 0, 8) != NULL);
	arena_destroy(arena);
}

static void large_and_small_mix(void)
{
	struct arena *arena = arena_create(16 << 20);
	char *large = arena_alloc(arena, 3 << 20);
	char *small = arena_printf(arena, "%d", 42);

	CHECK(large != NULL);
	memset(large, 'x', 3 << 20);
	CHECK_STR(small, "42");
	arena_destroy(arena);
	arena_destroy(NULL);
}

static void a_refusal_is_no_memory(void)
{
	struct arena *arena = arena_create(16 << 20);

	is_refused = true;
	CHECK(!arena_alloc(arena, 1 << 20));
	CHECK(!arena_zalloc(arena, 1 << 18, 4));
	is_refused = false;
	CHECK_INT(arena_used(arena), 0);
	CHECK(arena_alloc(arena, 1 << 20) != NULL);
	arena_destroy(arena);
}

static void texts_of_any_length(void)
{
	struct arena *arena = arena_create(1 << 20);
	char long_text[300];

	for (size_t length = 100; length < sizeof(long_text); length++) {
		memset(long_text, 'x', length);
		long_text[length] = '\0';
		CHECK_STR(arena_printf(arena, "%s", long_text), long_text);
		CHECK_STR(arena_strdup(arena, long_text), long_text);
	}
	arena_destroy(arena);
	arena = arena_create(200);
	CHECK(!arena_printf(arena, "%s", long_text));
	CHECK(!arena_strdup(arena, long_text));
	arena_destroy(arena);
}

static const struct t_case cases[] = {
	{"is overwritten before it is freed", is_overwritten_before_it_is_freed},
	{"aligns and keeps apart", aligns_and_keeps_apart},
	{"has a limit", has_a_limit},
	{"zalloc is zero and does not overflow", zalloc_is_zero_and_does_not_overflow},
	{"large and small mix", large_and_small_mix},
	{"a refusal is no memory", a_refusal_is_no_memory},
	{"texts of any length", texts_of_any_length},
};
T_MAIN("arena", cases)
