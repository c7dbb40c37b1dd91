// SPDX-License-Identifier: Apache-2.0
/* Words into a buffer of limited size. */
#include "plan_line.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void add(struct line *line, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++, line->length++) {
		if (line->length + 1 < line->size)
			line->text[line->length] = bytes[i];
	}
}

void line_text(struct line *line, const char *text)
{
	add(line, text, strlen(text));
}

void line_format(struct line *line, const char *fmt, ...)
{
	char text[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	line_text(line, text);
}

static bool is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+=:@%<>~";

	return text[0] && !text[strspn(text, plain)];
}

/* A word: as it is, or in quotes with escapes when it has odd characters. NULL is "-". */
void line_word(struct line *line, const char *text)
{
	if (!text || is_plain(text)) {
		line_text(line, text ? text : "-");
		return;
	}
	line_text(line, "\"");
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '\n')
			line_text(line, "\\n");
		else if (byte == '\t')
			line_text(line, "\\t");
		else if (byte < 0x20 || byte == 0x7f)
			line_format(line, "\\x%02x", byte);
		else if (byte == '"' || byte == '\\')
			line_format(line, "\\%c", byte);
		else
			add(line, text, 1);
	}
	line_text(line, "\"");
}

void line_column(struct line *line, const char *text)
{
	line_text(line, " ");
	line_word(line, text);
}
