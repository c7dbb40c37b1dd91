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
#include <string.h>

#include "number.h"
#include "reader.h"

static json_t *read_value(struct reader *reader, struct failure *f);

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

static json_t *read_string(struct reader *reader, struct failure *f)
{
	struct text text;
	json_t *string;

	if (reader_text(reader, &text, f))
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
		return reader_fail(reader, reader->at, "not a number", f);
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
	return reader_fail(reader, reader->at, "expected a value", f);
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
		return reader_fail(reader, reader->at, "expected \",\" or \"]\"", f);
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
		reader_fail(reader, place, "expected a key in double quotes", f);
		return -1;
	}
	if (reader_text(reader, &key, f))
		return -1;
	if (!take(reader, ':')) {
		reader_fail(reader, reader->at, "expected \":\"", f);
		return -1;
	}
	value = read_value(reader, f);
	if (!value)
		return -1;
	if (json_object_setn_new_nocheck(object, key.bytes, key.length, value))
		return fail_memory(f);
	if (json_object_size(object) == count) {
		reader_fail(reader, place, "this key is there twice", f);
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
		return reader_fail(reader, reader->at, "expected \",\" or \"}\"", f);
	return object;
}

static json_t *read_nested(struct reader *reader, struct failure *f)
{
	bool is_object = *reader->at == '{';
	json_t *value;

	if (++reader->depth > DOCUMENT_DEPTH_MAX)
		return reader_fail(reader, reader->at, "nested too deeply", f);
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
		return reader_fail(reader, reader->at, "the text ends too early", f);
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
		return reader_fail(&reader, reader.at, "expected an object", f);
	root = read_value(&reader, f);
	if (!root)
		return NULL;
	skip_blanks(&reader);
	if (reader.at != reader.end)
		return reader_fail(&reader, reader.at, "expected the end of the text", f);
	return root;
}
