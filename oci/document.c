// SPDX-License-Identifier: Apache-2.0
/* Loading of JSON text: reader.c's work, with jansson's memory taken from the arena. */
#include "document.h"

#include <jansson.h>
#include <string.h>

/* jansson's allocator has no argument to pass it in: the one mutable global of oci/. */
static struct arena *loading;

static void *load_alloc(size_t size)
{
	return arena_alloc(loading, size);
}

/* The arena frees all at once. */
static void load_free(void *memory)
{
	(void)memory;
}

int fail_memory(struct failure *f)
{
	return fail_err(f, 0, "", "", "more memory is needed than it may use");
}

int document_add_big(struct document *document, uint64_t value)
{
	size_t count = document->big_count;

	if (!(count & (count - 1))) { /* the table is full at powers of two */
		uint64_t *grown =
			arena_alloc(document->arena, (count ? 2 * count : 1) * sizeof(*grown));

		if (!grown)
			return -1;
		if (count)
			memcpy(grown, document->big, count * sizeof(*grown));
		document->big = grown;
	}
	document->big[document->big_count++] = value;
	return 0;
}

int document_load(struct document *ret, struct arena *arena, const char *name, const char *bytes,
		  size_t length, struct failure *f)
{
	struct document document = {.arena = arena};
	json_malloc_t saved_malloc;
	json_free_t saved_free;

	json_get_alloc_funcs(&saved_malloc, &saved_free);
	loading = arena;
	json_set_alloc_funcs(load_alloc, load_free);
	document.root = document_read(&document, name, bytes, length, f);
	json_set_alloc_funcs(saved_malloc, saved_free);
	loading = NULL;
	if (!document.root)
		return -1;
	*ret = document;
	return 0;
}
