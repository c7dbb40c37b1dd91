// SPDX-License-Identifier: Apache-2.0
/* Strings of JSON text: escapes, UTF-8; and where in the text something is wrong. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reader.h"
#include "utf8.h"

void *reader_fail(const struct reader *reader, const char *place, const char *why,
		  struct failure *f)
{
	char where[64];
	size_t line = 1;
	size_t column = 1;

	for (const char *at = reader->begin; at < place; at++) {
		if (*at == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*at & 0xc0) != 0x80) {
			column++;
		}
	}
	snprintf(where, sizeof(where), "%s:%zu:%zu", reader->name, line, column);
	fail_err(f, 0, "", where, "%s", why);
	return NULL;
}

/* Four hexadecimal digits; -1: they are none. */
static int read_hex(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *found = memchr("0123456789abcdefABCDEF", at[i], 22);
		int digit;

		if (!found)
			return -1;
		digit = at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10;
		value = value * 16 + digit;
	}
	return value;
}

static char *put_utf8(char *to, int code)
{
	unsigned c = (unsigned)code;

	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* \uXXXX, or two of them for a surrogate pair, from after the "u". The code point; -1: wrong. */
static int read_unicode(struct reader *reader, struct failure *f)
{
	const char *place = reader->at - 2;
	int code = read_hex(reader->at, reader->end);
	int low;

	reader->at += code < 0 ? 0 : 4;
	if (code >= 0xd800 && code < 0xdc00) {
		bool is_pair = reader->end - reader->at >= 6 && reader->at[0] == '\\' &&
			       reader->at[1] == 'u';

		low = is_pair ? read_hex(reader->at + 2, reader->end) : -1;
		if (low >= 0xdc00 && low < 0xe000) {
			reader->at += 6;
			return 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
		}
	}
	if (code > 0 && (code < 0xd800 || code >= 0xe000))
		return code;
	reader_fail(reader, place, code ? "not a character" : "a string cannot contain NUL", f);
	return -1;
}

/* One escape sequence, from after the backslash. */
static char *read_escape(struct reader *reader, char *to, struct failure *f)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char c = reader->at < reader->end ? *reader->at++ : '\0';
	const char *letter = c ? strchr(letters, c) : NULL;
	int code;

	if (letter) {
		*to++ = values[letter - letters];
		return to;
	}
	if (c != 'u')
		return reader_fail(reader, reader->at - 1, "not an escape sequence", f);
	code = read_unicode(reader, f);
	return code < 0 ? NULL : put_utf8(to, code);
}

#define EACH_BYTE 0x0101010101010101u

/*
 * How many of the next eight bytes are plain ASCII before the first that is not. A subtraction
 * borrows into the top bit of a byte that is below what is taken away, and perhaps of bytes above
 * it: the lowest is exact. Machines are little-endian here.
 */
static size_t count_plain(const char *at)
{
	uint64_t bytes;
	uint64_t odd;

	memcpy(&bytes, at, sizeof(bytes));
	odd = bytes | (bytes - EACH_BYTE * 0x20) | ((bytes ^ EACH_BYTE * '"') - EACH_BYTE) |
	      ((bytes ^ EACH_BYTE * '\\') - EACH_BYTE);
	odd &= EACH_BYTE * 0x80;
	return odd ? (size_t)__builtin_ctzll(odd) / 8 : sizeof(bytes);
}

/* Passes over plain characters. The place of what is none: a quote, a backslash, an error. */
static const char *skip_plain(const char *at, const char *end)
{
	while (at < end) {
		size_t length = end - at >= 8 ? count_plain(at) : 0;
		unsigned char byte;

		at += length;
		if (length == 8)
			continue;
		byte = (unsigned char)*at;
		if (byte == '"' || byte == '\\' || byte < 0x20)
			break;
		length = byte >= 0x80 ? utf8_length(at, (size_t)(end - at)) : 1;
		if (!length)
			break;
		at += length;
	}
	return at;
}

/* The rest of a string that has escapes, decoded; from its first character. */
static int read_escaped(struct reader *reader, struct text *ret, struct failure *f)
{
	const char *close = reader->at;
	char *buffer;
	char *to;

	/* Decoding never lengthens: a buffer as long as the text up to its end will do. */
	while (close < reader->end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	buffer = arena_alloc(reader->document->arena, (size_t)(close - reader->at) + 1);
	if (!buffer)
		return fail_memory(f);
	for (to = buffer;;) {
		const char *from = reader->at;

		reader->at = skip_plain(from, reader->end);
		memcpy(to, from, (size_t)(reader->at - from));
		to += reader->at - from;
		if (reader->at == reader->end || *reader->at != '\\')
			break;
		reader->at++;
		to = read_escape(reader, to, f);
		if (!to)
			return -1;
	}
	*ret = (struct text){buffer, (size_t)(to - buffer)};
	return 0;
}

int reader_text(struct reader *reader, struct text *ret, struct failure *f)
{
	const char *from = ++reader->at;
	const char *at = skip_plain(from, reader->end);

	*ret = (struct text){from, (size_t)(at - from)};
	if (at < reader->end && *at == '\\') {
		if (read_escaped(reader, ret, f))
			return -1;
		at = reader->at;
	}
	reader->at = at;
	if (at < reader->end && *at == '"') {
		reader->at++;
		return 0;
	}
	reader_fail(reader, at,
		    at == reader->end           ? "the text ends within a string"
		    : (unsigned char)*at < 0x20 ? "a string cannot contain control characters"
						: "not UTF-8",
		    f);
	return -1;
}
