// SPDX-License-Identifier: Apache-2.0
/* Reading by tables: objects, lists, and what all readers share. Readers of values: value.c. */
#include "field.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Writes one reference token of RFC 6901 backwards, ending before `end`; its new start. */
static char *pointer_token(const struct field *field, char *start, char *end)
{
	char digits[24];
	const char *token = field->key;
	size_t length;

	if (!token) {
		snprintf(digits, sizeof(digits), "%zu", field->index);
		token = digits;
	}
	for (length = strlen(token); length && end - start >= 2; length--) {
		char c = token[length - 1];

		if (c == '~' || c == '/') {
			*--end = c == '~' ? '0' : '1';
			c = '~';
		}
		*--end = c;
	}
	if (!length && end > start)
		*--end = '/';
	return end;
}

void field_pointer(const struct field *field, char *buffer, size_t size)
{
	char *end = buffer + size - 1;
	char *begin = end;

	*end = '\0';
	for (; field->up && begin > buffer; field = field->up)
		begin = pointer_token(field, buffer, begin);
	memmove(buffer, begin, (size_t)(end - begin) + 1);
}

const char *field_pointer_text(const struct field *field)
{
	char pointer[256];

	field_pointer(field, pointer, sizeof(pointer));
	return arena_strdup(field->document->arena, pointer);
}

int field_fail(const struct field *field, struct failure *f, const char *fmt, ...)
{
	char pointer[256];
	char why[sizeof(f->why)];
	va_list args;

	field_pointer(field, pointer, sizeof(pointer));
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return fail_config(f, pointer, "%s", why);
}

int field_warn(const struct field *field, struct failure *f, const char *fmt, ...)
{
	struct document *document = field->document;
	struct note *note = arena_alloc(document->arena, sizeof(*note));
	char why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (!note)
		return fail_memory(f);
	note->field = field_pointer_text(field);
	note->why = arena_strdup(document->arena, why);
	if (!note->field || !note->why)
		return fail_memory(f);
	note->next = document->notes;
	document->notes = note;
	document->note_count++;
	return 0;
}

/* What JSON calls a value's type. */
static const char *const type_names[] = {
	[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
	[JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "a boolean",
	[JSON_FALSE] = "a boolean",  [JSON_NULL] = "null",
};

static const struct {
	char type;
	const char *words;
	unsigned json_types;
} types[] = {
	{'s', "a string", 1u << JSON_STRING},
	{'b', "a boolean", 1u << JSON_TRUE | 1u << JSON_FALSE},
	{'i', "an integer", 1u << JSON_INTEGER | 1u << JSON_REAL},
	{'a', "an array", 1u << JSON_ARRAY},
	{'o', "an object", 1u << JSON_OBJECT},
};

int field_expect(const struct field *field, char type, struct failure *f)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type != type)
			continue;
		if (types[i].json_types >> json_typeof(field->value) & 1)
			return 0;
		return field_fail(field, f, "must be %s, not %s", types[i].words,
				  type_names[json_typeof(field->value)]);
	}
	return field_fail(field, f, "has no known type");
}

bool field_is_empty(const struct field *field)
{
	const json_t *value = field->value;

	return (json_is_object(value) && !json_object_size(value)) ||
	       (json_is_array(value) && !json_array_size(value)) ||
	       (json_is_string(value) && !json_string_length(value));
}

size_t field_count(const struct field *field)
{
	return json_object_size(field->value);
}

int field_each(const struct field *field,
	       int (*read)(const struct field *member, void *context, struct failure *f),
	       void *context, struct failure *f)
{
	json_t *object = (json_t *)field->value; /* jansson's iterators take no const */

	if (field_expect(field, 'o', f))
		return -1;
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		struct field member = {
			.up = field,
			.key = json_object_iter_key(at),
			.value = json_object_iter_value(at),
			.document = field->document,
		};

		if (read(&member, context, f))
			return -1;
	}
	return 0;
}

struct members {
	const struct rules *rules;
	char *ret;
	uint64_t seen; /* bit n: rule n's member is there */
};

static int read_member(const struct field *member, void *context, struct failure *f)
{
	struct members *members = context;

	for (size_t i = 0; i < members->rules->count; i++) {
		const struct rule *rule = &members->rules->rows[i];

		if (strcmp(rule->key, member->key) != 0)
			continue;
		members->seen |= (uint64_t)1 << i;
		if (rule->read(member, rule, members->ret + rule->offset, f))
			return -1;
		if (rule->present)
			*(bool *)(void *)(members->ret + rule->present) = true;
		return 0;
	}
	return member->document->read_unknown ? member->document->read_unknown(member, f) : 0;
}

int field_members(const struct field *field, const struct rules *rules, void *ret,
		  struct failure *f)
{
	struct members members = {.rules = rules, .ret = ret};

	if (field_each(field, read_member, &members, f))
		return -1;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rows[i];
		struct field missing = {.up = field, .key = rule->key};

		if (rule->is_required && !(members.seen >> i & 1))
			return field_fail(&missing, f, "must be given");
	}
	return 0;
}

int field_object(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	return field_members(field, rule->members, ret, f);
}

int field_list(const struct field *field, const struct field_list *list, void *ret_items,
	       size_t *ret_count, struct failure *f)
{
	char *items;
	size_t count;

	if (field_expect(field, 'a', f))
		return -1;
	count = json_array_size(field->value);
	items = arena_zalloc(field->document->arena, count + 1, list->size);
	if (!items)
		return fail_memory(f);
	for (size_t i = 0; i < count; i++) {
		struct field element = {
			.up = field,
			.index = i,
			.value = json_array_get(field->value, i),
			.document = field->document,
		};

		if (list->read(&element, items + i * list->size, f))
			return -1;
	}
	*(void **)ret_items = items;
	*ret_count = count;
	return 0;
}
