// SPDX-License-Identifier: Apache-2.0
/*
 * An arena: memory that is only ever given back as a whole, with a limit on how much there may be.
 * Everything parsed from a configuration lives in one; it is overwritten before it is freed,
 * because configurations carry secrets.
 */
#ifndef OCI_ARENA_H
#define OCI_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* NULL: no memory. */
struct arena *arena_create(size_t max_bytes);
void arena_destroy(struct arena *arena); /* NULL is fine */

/* Memory aligned for anything; NULL when the limit is passed or the system has none. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same for count objects, all bytes zero. */
void *arena_zalloc(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far, padding included. */
size_t arena_used(const struct arena *arena);

#endif
