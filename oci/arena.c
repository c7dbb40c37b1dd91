// SPDX-License-Identifier: Apache-2.0
/* The arena: chunks from malloc, filled from the front. */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define CHUNK_BYTES 0u /* each allocation on its own, so that the sanitizer sees its bounds */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHUNK_BYTES 0u
#endif
#endif
#ifndef CHUNK_BYTES
#define CHUNK_BYTES (64u << 10)
#endif

#define ALIGNMENT alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t size; /* of data */
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *chunks; /* the one being filled first */
	size_t max_bytes;
	size_t used;
};

struct arena *arena_create(size_t max_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->max_bytes = max_bytes;
	return arena;
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		explicit_bzero(chunk->data, chunk->used);
		free(chunk);
	}
	free(arena);
}

/* A chunk with room for size bytes; what the last one had left is given up. */
static struct chunk *add_chunk(struct arena *arena, size_t size)
{
	size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
	struct chunk *chunk = malloc(sizeof(*chunk) + room);

	if (!chunk)
		return NULL;
	chunk->size = room;
	chunk->used = 0;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	size_t padded;
	void *result;

	if (!size)
		size = 1; /* an object of no size has an address of its own too */
	if (size > arena->max_bytes)
		return NULL;
	padded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (padded > arena->max_bytes - arena->used)
		return NULL;
	if (!CHUNK_BYTES || !chunk || chunk->size - chunk->used < padded)
		chunk = add_chunk(arena, CHUNK_BYTES ? padded : size);
	if (!chunk)
		return NULL;
	result = chunk->data + chunk->used;
	chunk->used += CHUNK_BYTES ? padded : size;
	arena->used += padded;
	return result;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size)
{
	void *result;

	if (size && count > SIZE_MAX / size)
		return NULL;
	result = arena_alloc(arena, count * size);
	if (result)
		memset(result, 0, count * size);
	return result;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *result = arena_alloc(arena, size);

	return result ? memcpy(result, text, size) : NULL;
}

/* Most texts are short: they are formatted once, on the stack. */
char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	char text[128];
	char *result;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (length < 0)
		return NULL;
	if ((size_t)length < sizeof(text))
		return arena_strdup(arena, text);
	result = arena_alloc(arena, (size_t)length + 1);
	if (!result)
		return NULL;
	va_start(args, fmt);
	vsnprintf(result, (size_t)length + 1, fmt, args);
	va_end(args);
	return result;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
