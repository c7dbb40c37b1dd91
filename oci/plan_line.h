// SPDX-License-Identifier: Apache-2.0
/* A line of text in a buffer that may be too small for it: its length is counted all the same. */
#ifndef OCI_PLAN_LINE_H
#define OCI_PLAN_LINE_H

#include <stddef.h>

struct line {
	char *text;
	size_t size;
	size_t length; /* what was written, or would have been */
};

void line_text(struct line *line, const char *text);
void line_format(struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A word: as it is, or in quotes with escapes when it has odd characters. NULL is "-". */
void line_word(struct line *line, const char *text);
/* The same after a blank. */
void line_column(struct line *line, const char *text);

#endif
