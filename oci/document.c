// SPDX-License-Identifier: Apache-2.0
/* Loading of JSON text with jansson, its memory taken from an arena. */
#include "document.h"

#include <jansson.h>
#include <stdio.h>

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

static json_t *load(struct arena *arena, const char *text, size_t length, json_error_t *error)
{
	json_malloc_t saved_malloc;
	json_free_t saved_free;
	json_t *root;

	json_get_alloc_funcs(&saved_malloc, &saved_free);
	loading = arena;
	json_set_alloc_funcs(load_alloc, load_free);
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, error);
	json_set_alloc_funcs(saved_malloc, saved_free);
	loading = NULL;
	return root;
}

/* jansson leaves the error empty when it was memory that it lacked. */
static int fail_syntax(const char *name, const json_error_t *error, struct failure *f)
{
	char place[64];

	if (!error->text[0] || json_error_code(error) == json_error_out_of_memory)
		return fail_memory(f);
	snprintf(place, sizeof(place), "%s:%d:%d", name, error->line, error->column);
	return fail_err(f, 0, "", place, "%s", error->text);
}

int document_load(struct document *ret, struct arena *arena, const char *name, const char *bytes,
		  size_t length, struct failure *f)
{
	struct document document = {.arena = arena};
	json_error_t error = {.line = 0};
	const char *text;
	json_t *root;

	if (lex_prepare(&document, name, bytes, length, &text, f))
		return -1;
	root = load(arena, text, length, &error);
	if (!root)
		return fail_syntax(name, &error, f);
	if (!json_is_object(root))
		return fail_err(f, 0, "", name, "must be an object, not an array");
	document.root = root;
	*ret = document;
	return 0;
}
