// SPDX-License-Identifier: Apache-2.0
/* The JSON writer. Any bytes become valid JSON: what is not UTF-8 is written as U+FFFD. */
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

static void put(struct writer *writer, const char *bytes, size_t length)
{
	size_t room = writer->size > writer->length ? writer->size - writer->length : 0;

	memcpy(writer->text + (room ? writer->length : 0), bytes, length < room ? length : room);
	writer->length += length;
}

static void put_quoted(struct writer *writer, const char *text)
{
	char escaped[8];

	put(writer, "\"", 1);
	while (*text) {
		unsigned char byte = (unsigned char)*text;
		size_t length = utf8_length(text, strnlen(text, 4));

		if (!length) {
			put(writer, "\\ufffd", 6);
			length = 1;
		} else if (byte == '"' || byte == '\\') {
			put(writer, "\\", 1);
			put(writer, text, 1);
		} else if (byte < 0x20 || byte == 0x7f) {
			snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
			put(writer, escaped, 6);
		} else {
			put(writer, text, length);
		}
		text += length;
	}
	put(writer, "\"", 1);
}

static void begin(struct writer *writer, const char *key)
{
	if (writer->has_previous)
		put(writer, ",", 1);
	writer->has_previous = true;
	if (key) {
		put_quoted(writer, key);
		put(writer, ":", 1);
	}
}

void write_open(struct writer *writer, const char *key, char bracket)
{
	begin(writer, key);
	put(writer, &bracket, 1);
	writer->has_previous = false;
}

void write_close(struct writer *writer, char bracket)
{
	put(writer, &bracket, 1);
	writer->has_previous = true;
}

void write_string(struct writer *writer, const char *key, const char *value)
{
	begin(writer, key);
	put_quoted(writer, value);
}

void write_int(struct writer *writer, const char *key, int64_t value)
{
	char digits[24];

	begin(writer, key);
	snprintf(digits, sizeof(digits), "%" PRId64, value);
	put(writer, digits, strlen(digits));
}

void write_uint(struct writer *writer, const char *key, uint64_t value)
{
	char digits[24];

	begin(writer, key);
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	put(writer, digits, strlen(digits));
}

void write_bool(struct writer *writer, const char *key, bool value)
{
	begin(writer, key);
	put(writer, value ? "true" : "false", value ? 4 : 5);
}

size_t write_finish(struct writer *writer)
{
	if (writer->size)
		writer->text[writer->length < writer->size ? writer->length : writer->size - 1] =
			'\0';
	return writer->length;
}
