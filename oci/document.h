// SPDX-License-Identifier: Apache-2.0
/*
 * A JSON text as a tree in an arena. All input to oci/ comes through document_load(): jansson's
 * tree and hash tables, filled by a reader of our own (reader.c says why), within limits of memory
 * and nesting.
 */
#ifndef OCI_DOCUMENT_H
#define OCI_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "oci.h"

struct json_t;
struct field;

#define DOCUMENT_DEPTH_MAX 128u

struct note {
	struct note *next;
	const char *field;
	const char *why;
};

struct document {
	/* What becomes of a member that no rule reads; NULL: it is ignored. */
	int (*read_unknown)(const struct field *member, struct failure *f);
	struct arena *arena;       /* the caller's */
	const struct json_t *root; /* an object */
	uint64_t *big;             /* integers above 2^63-1, in their order in the text */
	size_t big_count;
	struct note *notes; /* warnings, newest first */
	size_t note_count;
};

/*
 * name: what the text is called in error messages ("config.json"). The tree lives as long as the
 * arena and is never freed by itself. Not reentrant: jansson's allocator is process-wide.
 */
int document_load(struct document *ret, struct arena *arena, const char *name, const char *bytes,
		  size_t length, struct failure *f) FAIL_MUST_CHECK;

/* The reader: the root object, or NULL. */
struct json_t *document_read(struct document *document, const char *name, const char *bytes,
			     size_t length, struct failure *f);
/* Remembers an integer above 2^63-1; -1: no memory. */
int document_add_big(struct document *document, uint64_t value) FAIL_MUST_CHECK;

int fail_memory(struct failure *f);

#endif
