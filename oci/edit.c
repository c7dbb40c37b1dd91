// SPDX-License-Identifier: Apache-2.0
/*
 * Edits by splicing. A scanner that knows just enough JSON (strings with escapes, nesting) finds
 * the span of a member's value; the text before and after it is copied.
 */
#include "edit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span {
	size_t begin;
	size_t end;
};

struct text {
	const char *bytes;
	size_t length;
};

static bool is_at(const struct text *t, size_t at, char c)
{
	return at < t->length && t->bytes[at] == c;
}

static size_t skip_blanks(const struct text *t, size_t at)
{
	while (at < t->length && strchr(" \t\r\n", t->bytes[at]) && t->bytes[at])
		at++;
	return at;
}

/* at: the opening quote; returns the position after the closing one. */
static size_t skip_string(const struct text *t, size_t at)
{
	for (at++; at < t->length && t->bytes[at] != '"'; at++)
		if (t->bytes[at] == '\\')
			at++;
	return at < t->length ? at + 1 : t->length;
}

/* The position after the value that begins at `at`. */
static size_t skip_value(const struct text *t, size_t at)
{
	size_t depth = 0;

	while (at < t->length) {
		char c = t->bytes[at];

		if (!depth && strchr(",]} \t\r\n", c))
			return at;
		if (c == '"') {
			at = skip_string(t, at);
		} else {
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			at++;
		}
		if (!depth && strchr("\"}]", c))
			return at;
	}
	return t->length;
}

/*
 * Finds the next member (or element) of the container that is being read at *at, just after its
 * opening bracket or after the last value. Returns false at its end.
 */
static bool next_value(const struct text *t, size_t *at, bool is_object, struct span *ret_key,
		       struct span *ret_value)
{
	size_t here = skip_blanks(t, *at);

	if (is_at(t, here, ','))
		here = skip_blanks(t, here + 1);
	if (here >= t->length || t->bytes[here] == '}' || t->bytes[here] == ']')
		return false;
	if (is_object) {
		*ret_key = (struct span){here, skip_string(t, here)};
		here = skip_blanks(t, ret_key->end);
		if (!is_at(t, here, ':'))
			return false;
		here = skip_blanks(t, here + 1);
	}
	*ret_value = (struct span){here, skip_value(t, here)};
	*at = ret_value->end;
	return true;
}

/* The value of a member of the object whose brace stands at `object`. */
static bool find_member(const struct text *t, size_t object, const char *name, struct span *ret)
{
	size_t at = object + 1;
	size_t length = strlen(name);
	struct span key;
	struct span value;

	if (!is_at(t, object, '{'))
		return false;
	while (next_value(t, &at, true, &key, &value)) {
		if (key.end - key.begin == length + 2 &&
		    !memcmp(t->bytes + key.begin + 1, name, length)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* ---- building the new text ------------------------------------------------------------------ */

struct builder {
	char *bytes;
	size_t length;
	size_t capacity;
	bool is_failed;
};

static void add(struct builder *b, const char *bytes, size_t length)
{
	if (b->is_failed)
		return;
	if (b->capacity - b->length < length) {
		size_t capacity = 2 * (b->length + length) + 256;
		char *grown = realloc(b->bytes, capacity);

		if (!grown) {
			b->is_failed = true;
			return;
		}
		b->bytes = grown;
		b->capacity = capacity;
	}
	memcpy(b->bytes + b->length, bytes, length);
	b->length += length;
}

static void add_quoted(struct builder *b, const char *text)
{
	static const char digits[] = "0123456789abcdef";

	add(b, "\"", 1);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char escaped[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

		if (c == '"' || c == '\\')
			add(b, "\\", 1);
		if (c < 0x20)
			add(b, escaped, sizeof(escaped));
		else
			add(b, text, 1);
	}
	add(b, "\"", 1);
}

static int finish(struct builder *b, char **ret_text, size_t *ret_length, struct failure *f)
{
	if (b->is_failed) {
		free(b->bytes);
		return fail_config(f, "", "out of memory");
	}
	*ret_text = b->bytes;
	*ret_length = b->length;
	return 0;
}

/* The text with the value of a member of "process" replaced, or the member put first. */
static int set_process_member(const struct text *t, const char *name, const struct builder *value,
			      char **ret_text, size_t *ret_length, struct failure *f)
{
	struct builder b = {.is_failed = value->is_failed};
	struct span process;
	struct span old;
	bool is_present;

	if (!find_member(t, skip_blanks(t, 0), "process", &process) ||
	    !is_at(t, process.begin, '{'))
		return fail_config(f, "/process", "missing: nothing to change");
	is_present = find_member(t, process.begin, name, &old);
	if (!is_present)
		old = (struct span){process.begin + 1, process.begin + 1};
	add(&b, t->bytes, old.begin);
	if (!is_present) {
		add_quoted(&b, name);
		add(&b, ":", 1);
	}
	add(&b, value->bytes, value->length);
	if (!is_present && !is_at(t, skip_blanks(t, old.end), '}'))
		add(&b, ",", 1);
	add(&b, t->bytes + old.end, t->length - old.end);
	return finish(&b, ret_text, ret_length, f);
}

int oci_edit_env(const char *text, size_t length, const char *const *items, size_t count,
		 char **ret_text, size_t *ret_length, struct failure *f)
{
	const struct text t = {text, length};
	struct builder value = {0};
	int result;

	add(&value, "[", 1);
	for (size_t i = 0; i < count; i++) {
		add(&value, ",", i > 0);
		add_quoted(&value, items[i]);
	}
	add(&value, "]", 1);
	result = set_process_member(&t, "env", &value, ret_text, ret_length, f);
	free(value.bytes);
	return result;
}

int oci_edit_console_size(const char *text, size_t length, unsigned rows, unsigned columns,
			  char **ret_text, size_t *ret_length, struct failure *f)
{
	const struct text t = {text, length};
	struct builder value = {0};
	char size[64];
	int result;

	add(&value, size,
	    (size_t)snprintf(size, sizeof(size), "{\"height\":%u,\"width\":%u}", rows, columns));
	result = set_process_member(&t, "consoleSize", &value, ret_text, ret_length, f);
	free(value.bytes);
	return result;
}

int oci_edit_drop_mounts(const char *text, size_t length, const bool *drop, size_t count,
			 char **ret_text, size_t *ret_length, struct failure *f)
{
	const struct text t = {text, length};
	struct builder b = {0};
	struct span mounts;
	struct span value;
	struct span unused;
	size_t kept = 0;
	size_t at;

	if (!find_member(&t, skip_blanks(&t, 0), "mounts", &mounts))
		return fail_config(f, "/mounts", "missing: nothing to drop");
	add(&b, text, mounts.begin);
	add(&b, "[", 1);
	at = mounts.begin + 1;
	for (size_t i = 0; next_value(&t, &at, false, &unused, &value); i++) {
		if (i < count && drop[i])
			continue;
		add(&b, ",", kept++ > 0);
		add(&b, text + value.begin, value.end - value.begin);
	}
	add(&b, "]", 1);
	add(&b, text + mounts.end, length - mounts.end);
	return finish(&b, ret_text, ret_length, f);
}

int oci_edit_annotations(const char *text, size_t length, const char *const *keys,
			 const char *const *values, size_t count, char **ret_text,
			 size_t *ret_length, struct failure *f)
{
	const struct text t = {text, length};
	const size_t top = skip_blanks(&t, 0);
	struct builder b = {0};
	struct span old;
	bool is_present = find_member(&t, top, "annotations", &old);
	size_t at = is_present ? old.begin + 1 : top + 1;

	if (!is_at(&t, at - 1, '{'))
		return fail_config(f, "/annotations", "must be an object");
	add(&b, text, at);
	if (!is_present)
		add(&b, "\"annotations\":{", strlen("\"annotations\":{"));
	for (size_t i = 0; i < count; i++) {
		add(&b, ",", i > 0);
		add_quoted(&b, keys[i]);
		add(&b, ":", 1);
		add_quoted(&b, values[i]);
	}
	if (!is_present)
		add(&b, "}", 1);
	add(&b, ",", !is_at(&t, skip_blanks(&t, at), '}') && (count || !is_present));
	add(&b, text + at, length - at);
	return finish(&b, ret_text, ret_length, f);
}
