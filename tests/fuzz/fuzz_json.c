// SPDX-License-Identifier: Apache-2.0
/*
 * Our JSON reader beside jansson's: both accept the same texts and read the same values, but for what
 * reader.c says it does otherwise: the top is an object, nesting has a limit, NUL is refused, and
 * numbers of any size are numbers.
 */
#include <jansson.h>

#include "fuzz.h"
#include "oci/document.h"

static bool is_same(const json_t *ours, json_t *theirs);

static bool is_same_object(const json_t *ours, json_t *theirs)
{
	const char *key;
	json_t *value;
	size_t length;

	if (json_object_size(ours) != json_object_size(theirs))
		return false;
	json_object_keylen_foreach(theirs, key, length, value)
	{
		const json_t *mine = json_object_getn(ours, key, length);

		if (!mine || !is_same(mine, value))
			return false;
	}
	return true;
}

static bool is_same(const json_t *ours, json_t *theirs)
{
	if (json_typeof(ours) != json_typeof(theirs))
		return false;
	switch (json_typeof(ours)) {
	case JSON_OBJECT:
		return is_same_object(ours, theirs);
	case JSON_ARRAY:
		if (json_array_size(ours) != json_array_size(theirs))
			return false;
		for (size_t i = 0; i < json_array_size(ours); i++) {
			if (!is_same(json_array_get(ours, i), json_array_get(theirs, i)))
				return false;
		}
		return true;
	case JSON_STRING:
		return json_string_length(ours) == json_string_length(theirs) &&
		       strcmp(json_string_value(ours), json_string_value(theirs)) == 0;
	case JSON_INTEGER:
		return json_integer_value(ours) == json_integer_value(theirs);
	case JSON_REAL: /* ours keeps no value */
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct arena *arena = arena_create(64u << 20);
	struct failure f = {.stage = STAGE_NONE};
	struct document document;
	json_error_t error;
	json_t *theirs;
	int refused;

	if (!arena || memchr(data, 0, size)) {
		arena_destroy(arena);
		return 0;
	}
	refused = document_load(&document, arena, "text", text, size, &f);
	theirs = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!refused && theirs && !is_same(document.root, theirs))
		abort();
	if (!refused && !theirs && json_error_code(&error) != json_error_numeric_overflow)
		abort();
	if (refused && json_is_object(theirs) && strcmp(f.why, "nested too deeply") != 0)
		abort();
	json_decref(theirs);
	arena_destroy(arena);
	return 0;
}
