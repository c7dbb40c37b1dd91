// SPDX-License-Identifier: Apache-2.0
/*
 * A JSON writer into a caller's buffer. It needs no memory and cannot fail: what does not fit is
 * counted, so that the caller learns the size it takes. Commas are its own business.
 */
#ifndef OCI_WRITER_H
#define OCI_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	char *text;
	size_t size;
	size_t length;     /* what was written, or would have been with room enough */
	bool has_previous; /* the next value needs a comma before it */
};

/* A key is NULL for elements of arrays and for the document itself. */
void write_open(struct writer *writer, const char *key, char bracket);
void write_close(struct writer *writer, char bracket);
void write_string(struct writer *writer, const char *key, const char *value);
void write_int(struct writer *writer, const char *key, int64_t value);
void write_uint(struct writer *writer, const char *key, uint64_t value);
void write_bool(struct writer *writer, const char *key, bool value);
/* Ends the text with a NUL (cutting it when there is no room); returns the length it needs. */
size_t write_finish(struct writer *writer);

#endif
