// SPDX-License-Identifier: Apache-2.0
/* Readers of single values: booleans, integers, strings. */
#include <jansson.h>
#include <inttypes.h>
#include <string.h>

#include "field.h"
#include "names.h"

#define PATH_BYTES_MAX 4096 /* the kernel's PATH_MAX, with the NUL */

const char *field_text(const struct field *field)
{
	return json_string_value(field->value);
}

int field_bool(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	(void)rule; /* booleans have nothing to be told */
	if (field_expect(field, 'b', f))
		return -1;
	*(bool *)ret = json_is_true(field->value);
	return 0;
}

struct limits {
	int64_t min;
	uint64_t max;
};

static struct limits limits_of(const struct rule *rule, int64_t min, uint64_t max)
{
	if (rule->max)
		return (struct limits){rule->min, (uint64_t)rule->max};
	return (struct limits){min, max};
}

/* A value from 2^63 to 2^64-1 stands in the tree as the real -n (see reader.c). */
static bool big_value(const struct field *field, uint64_t *ret)
{
	double real = json_real_value(field->value);

	if (!json_is_real(field->value) || real >= 0)
		return false;
	*ret = field->document->big[(size_t)-real - 1];
	return true;
}

/* Reads an integer between the limits. Negative values keep their two's complement bits. */
static int read_integer(const struct field *field, struct limits limits, uint64_t *ret,
			struct failure *f)
{
	uint64_t value;

	if (field_expect(field, 'i', f))
		return -1;
	if (big_value(field, &value)) {
		if (value <= limits.max) {
			*ret = value;
			return 0;
		}
	} else if (json_is_integer(field->value)) {
		int64_t small = json_integer_value(field->value);

		if (small >= limits.min && (small < 0 || (uint64_t)small <= limits.max)) {
			*ret = (uint64_t)small;
			return 0;
		}
	}
	return field_fail(field, f, "must be an integer from %" PRId64 " to %" PRIu64, limits.min,
			  limits.max);
}

int field_u16(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	uint64_t value;

	if (read_integer(field, limits_of(rule, 0, UINT16_MAX), &value, f))
		return -1;
	*(uint16_t *)ret = (uint16_t)value;
	return 0;
}

int field_u32(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	uint64_t value;

	if (read_integer(field, limits_of(rule, 0, UINT32_MAX), &value, f))
		return -1;
	*(uint32_t *)ret = (uint32_t)value;
	return 0;
}

int field_u64(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	return read_integer(field, limits_of(rule, 0, UINT64_MAX), ret, f);
}

int field_int(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	uint64_t value;

	if (read_integer(field, limits_of(rule, INT32_MIN, INT32_MAX), &value, f))
		return -1;
	*(int *)ret = (int)(int64_t)value;
	return 0;
}

int field_i64(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	uint64_t value;

	if (read_integer(field, limits_of(rule, INT64_MIN, INT64_MAX), &value, f))
		return -1;
	*(int64_t *)ret = (int64_t)value;
	return 0;
}

static int find_name(const struct field *field, const char *name, const struct names *names,
		     uint32_t *ret, struct failure *f)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->rows[i].name, name) == 0) {
			*ret = names->rows[i].value;
			return 0;
		}
	}
	return field_fail(field, f, "unknown %s " SHOWN, names->what, name);
}

int field_name(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	const char *name;
	uint32_t value;

	if (field_string(field, rule, &name, f) || find_name(field, name, rule->names, &value, f))
		return -1;
	*(int *)ret = (int)value;
	return 0;
}

int field_flags(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_strings names;
	uint32_t flags = 0;

	if (field_strings(field, rule, &names, f))
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct field element = {.up = field, .index = i};
		uint32_t flag;

		if (find_name(&element, names.items[i], rule->names, &flag, f))
			return -1;
		flags |= flag;
	}
	*(uint32_t *)ret = flags;
	return 0;
}

/* The characters stay where the tree has them: both live as long as the arena. */
int field_string(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	(void)rule; /* any string will do */
	if (field_expect(field, 's', f))
		return -1;
	*(const char **)ret = json_string_value(field->value);
	return 0;
}

int field_path(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	const char *path;

	if (field_string(field, rule, &path, f))
		return -1;
	if (!path[0])
		return field_fail(field, f, "must not be empty");
	if (strlen(path) >= PATH_BYTES_MAX)
		return field_fail(field, f, "must be shorter than %d bytes", PATH_BYTES_MAX);
	*(const char **)ret = path;
	return 0;
}

int field_absolute_path(const struct field *field, const struct rule *rule, void *ret,
			struct failure *f)
{
	const char *path;

	if (field_path(field, rule, &path, f))
		return -1;
	if (path[0] != '/')
		return field_fail(field, f, "must be an absolute path, not " SHOWN, path);
	path = field_clean_path(field->document->arena, path);
	if (!path)
		return fail_memory(f);
	*(const char **)ret = path;
	return 0;
}

char *field_clean_path(struct arena *arena, const char *path)
{
	char *clean = arena_alloc(arena, strlen(path) + 2);
	size_t used = 0;

	if (!clean)
		return NULL;
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length && !(length == 1 && path[0] == '.')) {
			clean[used++] = '/';
			memcpy(clean + used, path, length);
			used += length;
		}
		path += length + strspn(path + length, "/");
	}
	if (!used)
		clean[used++] = '/';
	clean[used] = '\0';
	return clean;
}

int field_strings(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_strings strings;

	if (field_expect(field, 'a', f))
		return -1;
	strings.count = json_array_size(field->value);
	strings.items =
		arena_alloc(field->document->arena, (strings.count + 1) * sizeof(*strings.items));
	if (!strings.items)
		return fail_memory(f);
	for (size_t i = 0; i < strings.count; i++) {
		struct field element = {
			.up = field,
			.index = i,
			.value = json_array_get(field->value, i),
			.document = field->document,
		};

		if (field_string(&element, rule, &strings.items[i], f))
			return -1;
	}
	strings.items[strings.count] = NULL;
	*(struct oci_strings *)ret = strings;
	return 0;
}
