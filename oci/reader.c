// SPDX-License-Identifier: Apache-2.0
/*
 * JSON text into jansson's tree, by RFC 8259 and no further.
 *
 * Why not jansson's own reader: it takes 160 instructions a byte, which was three quarters of all
 * that init-oci spent on a configuration; it refuses integers above 2^63-1, which OCI has; it
 * accepts a NUL byte after a number; and it nests 2048 deep, which takes 192 KiB of stack.
 *
 * Numbers: jansson's integers are int64_t. An integer from 2^63 to 2^64-1 goes into the document's
 * table and stands in the tree as the real -n, n counting from 1; any other number that is no
 * int64_t as the real 1, for no field takes reals.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "number.h"
#include "utf8.h"

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

static json_t *read_value(struct reader *reader, struct failure *f);

/* Names the place: line and column, both from 1, columns in characters. */
static void *fail_text(const struct reader *reader, const char *place, const char *why,
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

static void *no_memory(struct failure *f)
{
	fail_memory(f);
	return NULL;
}

static void skip_blanks(struct reader *reader)
{
	const char *at = reader->at;

	while (at < reader->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	reader->at = at;
}

/* Takes the character if it comes next. */
static bool take(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
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
	fail_text(reader, place, code ? "not a character" : "a string cannot contain NUL", f);
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
		return fail_text(reader, reader->at - 1, "not an escape sequence", f);
	code = read_unicode(reader, f);
	return code < 0 ? NULL : put_utf8(to, code);
}

/* Passes over plain characters. The place of what is none: a quote, a backslash, an error. */
static const char *skip_plain(const char *at, const char *end)
{
	while (at < end) {
		unsigned char byte = (unsigned char)*at;
		size_t length = 1;

		if (byte == '"' || byte == '\\' || byte < 0x20)
			break;
		if (byte >= 0x80)
			length = utf8_length(at, (size_t)(end - at));
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

/* A string, from its opening quote. */
static int read_text(struct reader *reader, struct text *ret, struct failure *f)
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
	fail_text(reader, at,
		  at == reader->end           ? "the text ends within a string"
		  : (unsigned char)*at < 0x20 ? "a string cannot contain control characters"
					      : "not UTF-8",
		  f);
	return -1;
}

static json_t *read_string(struct reader *reader, struct failure *f)
{
	struct text text;
	json_t *string;

	if (read_text(reader, &text, f))
		return NULL;
	string = json_stringn_nocheck(text.bytes, text.length);
	return string ? string : no_memory(f);
}

static json_t *read_number(struct reader *reader, struct failure *f)
{
	struct number number = number_scan(reader->at, (size_t)(reader->end - reader->at));
	json_t *value = NULL;

	switch (number.kind) {
	case NUMBER_NONE:
		return fail_text(reader, reader->at, "not a number", f);
	case NUMBER_INT64:
		value = json_integer(number.small);
		break;
	case NUMBER_UINT64:
		if (!document_add_big(reader->document, number.big))
			value = json_real(-(double)reader->document->big_count);
		break;
	case NUMBER_OTHER:
		value = json_real(1);
		break;
	}
	reader->at += number.length;
	return value ? value : no_memory(f);
}

static json_t *read_literal(struct reader *reader, struct failure *f)
{
	static const char *const words[] = {"true", "false", "null"};
	json_t *const values[] = {json_true(), json_false(), json_null()};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(reader->end - reader->at) >= length &&
		    memcmp(reader->at, words[i], length) == 0) {
			reader->at += length;
			return values[i];
		}
	}
	return fail_text(reader, reader->at, "expected a value", f);
}

static json_t *read_array(struct reader *reader, struct failure *f)
{
	json_t *array = json_array();
	json_t *value;

	if (!array)
		return no_memory(f);
	if (take(reader, ']'))
		return array;
	do {
		value = read_value(reader, f);
		if (!value)
			return NULL;
		if (json_array_append_new(array, value))
			return no_memory(f);
	} while (take(reader, ','));
	if (!take(reader, ']'))
		return fail_text(reader, reader->at, "expected \",\" or \"]\"", f);
	return array;
}

static int read_member(struct reader *reader, json_t *object, struct failure *f)
{
	size_t count = json_object_size(object);
	const char *place;
	struct text key;
	json_t *value;

	skip_blanks(reader);
	place = reader->at;
	if (reader->at == reader->end || *reader->at != '"') {
		fail_text(reader, place, "expected a key in double quotes", f);
		return -1;
	}
	if (read_text(reader, &key, f))
		return -1;
	if (!take(reader, ':')) {
		fail_text(reader, reader->at, "expected \":\"", f);
		return -1;
	}
	value = read_value(reader, f);
	if (!value)
		return -1;
	if (json_object_setn_new_nocheck(object, key.bytes, key.length, value))
		return fail_memory(f);
	if (json_object_size(object) == count) {
		fail_text(reader, place, "this key is there twice", f);
		return -1;
	}
	return 0;
}

static json_t *read_object(struct reader *reader, struct failure *f)
{
	json_t *object = json_object();

	if (!object)
		return no_memory(f);
	if (take(reader, '}'))
		return object;
	do {
		if (read_member(reader, object, f))
			return NULL;
	} while (take(reader, ','));
	if (!take(reader, '}'))
		return fail_text(reader, reader->at, "expected \",\" or \"}\"", f);
	return object;
}

static json_t *read_nested(struct reader *reader, struct failure *f)
{
	bool is_object = *reader->at == '{';
	json_t *value;

	if (++reader->depth > DOCUMENT_DEPTH_MAX)
		return fail_text(reader, reader->at, "nested too deeply", f);
	reader->at++;
	value = is_object ? read_object(reader, f) : read_array(reader, f);
	reader->depth--;
	return value;
}

static json_t *read_value(struct reader *reader, struct failure *f)
{
	char c;

	skip_blanks(reader);
	if (reader->at == reader->end)
		return fail_text(reader, reader->at, "the text ends too early", f);
	c = *reader->at;
	if (c == '"')
		return read_string(reader, f);
	if (c == '{' || c == '[')
		return read_nested(reader, f);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(reader, f);
	return read_literal(reader, f);
}

json_t *document_read(struct document *document, const char *name, const char *bytes, size_t length,
		      struct failure *f)
{
	struct reader reader = {
		.document = document,
		.name = name,
		.begin = bytes,
		.at = bytes,
		.end = bytes + length,
	};
	json_t *root;

	skip_blanks(&reader);
	if (reader.at == reader.end || *reader.at != '{')
		return fail_text(&reader, reader.at, "expected an object", f);
	root = read_value(&reader, f);
	if (!root)
		return NULL;
	skip_blanks(&reader);
	if (reader.at != reader.end)
		return fail_text(&reader, reader.at, "expected the end of the text", f);
	return root;
}
