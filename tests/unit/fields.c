// SPDX-License-Identifier: Apache-2.0
/*
 * The specification's own list of properties (tests/cases/spec-fields.txt) against the table of
 * fates: each has a row, or is inside of a property that is refused or not applied as a whole; and
 * no row stands for something that the specification does not have.
 */
#include <stdlib.h>

#include <jansson.h>

#include "oci/fate.h"
#include "oci/field.h"
#include "tests/t.h"

#define LIST       "tests/cases/spec-fields.txt"
#define FIELDS_MAX 512

static char *fields[FIELDS_MAX];
static size_t field_total;

static void read_list(void)
{
	char line[256];
	FILE *file = fopen(LIST, "r");

	CHECK(file != NULL);
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '/' && field_total < FIELDS_MAX)
			fields[field_total++] = strdup(line);
	}
	if (file)
		fclose(file);
	CHECK(field_total > 230 && field_total < FIELDS_MAX);
}

static const struct fate_row *row_of(const char *pointer)
{
	for (size_t i = 0; i < fate_row_count; i++) {
		if (strcmp(fate_rows[i].path, pointer) == 0)
			return &fate_rows[i];
	}
	return NULL;
}

/* Its own row; or that of what it is in, when that is not honoured, by nobody. */
static bool has_fate(const char *pointer)
{
	char up[256];
	char *slash;

	if (row_of(pointer))
		return true;
	snprintf(up, sizeof(up), "%s", pointer);
	while ((slash = strrchr(up, '/')) && slash != up) {
		const struct fate_row *row;

		*slash = '\0';
		row = row_of(up);
		if (row && (row->fate == FATE_NOT_APPLIED || row->fate == FATE_REFUSED))
			return true;
	}
	return false;
}

static void every_field_has_a_fate(void)
{
	read_list();
	for (size_t i = 0; i < field_total; i++) {
		if (!has_fate(fields[i]))
			CHECK_STR(fields[i], "a field with a row in oci/fate.c");
	}
}

static void every_row_is_a_field(void)
{
	for (size_t i = 0; i < fate_row_count; i++) {
		bool is_found = false;

		for (size_t k = 0; k < field_total; k++)
			is_found = is_found || strcmp(fate_rows[i].path, fields[k]) == 0;
		if (!is_found)
			CHECK_STR(fate_rows[i].path, "a field in " LIST);
	}
	for (size_t k = 0; k < field_total; k++)
		free(fields[k]);
}

static void a_type_has_a_letter(void)
{
	struct field field = {.value = json_null()};
	struct failure f = {.stage = STAGE_NONE};

	CHECK_INT(field_expect(&field, 's', &f), -1);
	CHECK_STR(f.why, "must be a string, not null");
	f = (struct failure){.stage = STAGE_NONE};
	CHECK_INT(field_expect(&field, '?', &f), -1);
	CHECK_STR(f.why, "has no known type");
}

static const struct t_case cases[] = {
	{"a type has a letter", a_type_has_a_letter},
	{"every field has a fate", every_field_has_a_fate},
	{"every row is a field", every_row_is_a_field},
};
T_MAIN("fields", cases)
