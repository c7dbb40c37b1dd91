// SPDX-License-Identifier: Apache-2.0
/* The JSON reader's state, shared by its two files: values (reader.c) and strings (reader_text.c). */
#ifndef OCI_READER_H
#define OCI_READER_H

#include "document.h"

struct reader {
	struct document *document;
	const char *name;
	const char *begin;
	const char *at;
	const char *end;
	unsigned depth;
};

struct text {
	const char *bytes;
	size_t length;
};

/* Records the failure with the place's line and column, both from 1, columns in characters. NULL. */
void *reader_fail(const struct reader *reader, const char *place, const char *why,
		  struct failure *f);

/* Reads a string, from its opening quote, into *ret: into the text itself, or into the arena. */
int reader_text(struct reader *reader, struct text *ret, struct failure *f) FAIL_MUST_CHECK;

#endif
