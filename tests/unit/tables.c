// SPDX-License-Identifier: Apache-2.0
/* The tables agree with each other, with the parser, and with the features document. */
#include <jansson.h>
#include <stdlib.h>

#include "oci/fate.h"
#include "oci/names.h"
#include "tests/t.h"

/* Where a pointer is an array's element, its parent's row has the type 'a'. */
static bool is_array(const char *pointer, size_t length)
{
	char parent[128];
	const struct fate_row *row;

	snprintf(parent, sizeof(parent), "%.*s", (int)length, pointer);
	row = fate_find(parent);
	return row && row->type == 'a';
}

/* JSON text in which only the pointer's place has a value. */
static void nest(const char *pointer, const char *value, char *text, size_t size)
{
	char tail[128] = "";
	size_t used = 0;
	const char *at = pointer;

	while (*at) {
		size_t length = strcspn(at + 1, "/");
		bool in_array = is_array(pointer, (size_t)(at - pointer));

		if (in_array)
			used += (size_t)snprintf(text + used, size - used, "[");
		else
			used += (size_t)snprintf(text + used, size - used,
						 "{\"%.*s\":", (int)length, at + 1);
		memmove(tail + 1, tail, strlen(tail) + 1);
		tail[0] = in_array ? ']' : '}';
		at += length + 1;
	}
	snprintf(text + used, size - used, "%s%s", value, tail);
}

/*
 * Each property of the table is one that the parser looks at: a wrong type there is an error there.
 * This is what catches a row without a rule, and a rule that was taken away.
 */
static void every_fate_is_enforced(void)
{
	for (size_t i = 0; i < fate_row_count; i++) {
		const struct fate_row *row = &fate_rows[i];
		struct failure f = {.stage = STAGE_NONE};
		struct oci_spec spec;
		char text[512];
		char want[128];
		size_t used = 0;

		nest(row->path, "null", text, sizeof(text));
		CHECK_INT(oci_parse(text, strlen(text), 5, &spec, &f), -1);
		for (const char *at = row->path; *at; at++) {
			bool is_element =
				*at == '*' && is_array(row->path, (size_t)(at - row->path) - 1);

			want[used++] = is_element ? '0' : *at;
		}
		want[used] = '\0';
		CHECK_STR(f.field, want);
		CHECK(strstr(f.why, "not null") != NULL);
	}
	CHECK(fate_row_count > 200);
}

static void no_property_has_two_fates(void)
{
	for (size_t i = 0; i < fate_row_count; i++) {
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(fate_rows[i].path, fate_rows[k].path) != 0);
	}
}

static void options_are_sorted_and_found(void)
{
	for (size_t i = 0; i < option_name_count; i++) {
		CHECK(option_find(option_names[i].name) == &option_names[i]);
		if (i)
			CHECK(strcmp(option_names[i - 1].name, option_names[i].name) < 0);
	}
	CHECK(!option_find(""));
	CHECK(!option_find("size=1"));
	CHECK(!option_find("zzz"));
	CHECK(!option_find("RO"));
}

static void names_are_found(void)
{
	for (int i = 0; i < CAPABILITY__COUNT; i++)
		CHECK_INT(capability_find(capability_names[i]), i);
	for (int i = 0; i < RLIMIT__COUNT; i++)
		CHECK_INT(rlimit_find(rlimit_names[i]), i);
	for (size_t i = 0; i < names_namespaces.count; i++)
		CHECK_INT(names_namespaces.rows[i].value, i);
	for (size_t i = 0; i < names_hooks.count; i++)
		CHECK_INT(names_hooks.rows[i].value, i);
	CHECK_INT(capability_find("CAP_SYS_ADMIN"), 21);
	CHECK_INT(capability_find("cap_sys_admin"), -1);
	CHECK_INT(rlimit_find("RLIMIT_NOFILE"), 7);
	CHECK_INT(rlimit_find("NOFILE"), -1);
}

/* A filter that waits for a listener cannot be loaded without one, and none can be had. */
static void check_flags(const json_t *seccomp)
{
	static const char waits[] = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
	const json_t *known = json_object_get(seccomp, "knownFlags");
	const json_t *supported = json_object_get(seccomp, "supportedFlags");
	size_t i;
	json_t *flag;

	CHECK_INT(json_array_size(known), names_seccomp_flags.count);
	CHECK_STR(json_string_value(json_array_get(known, json_array_size(known) - 1)), waits);
	CHECK_INT(json_array_size(supported), names_seccomp_flags.count - 1);
	json_array_foreach(supported, i, flag) CHECK(strcmp(json_string_value(flag), waits) != 0);
}

static const char *fate_of(const json_t *annotations, const char *path)
{
	char key[256];

	snprintf(key, sizeof(key), "dev.supermachine.fate%s", path);
	return json_string_value(json_object_get(annotations, key));
}

static void features(void)
{
	static const char *const words[FATE__COUNT] = {"honoured", "left to the host",
						       "not applied by this version", "refused"};
	char *text = oci_features_json();
	json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *options = json_object_get(root, "mountOptions");
	json_t *linux_ = json_object_get(root, "linux");
	json_t *annotations = json_object_get(root, "annotations");

	CHECK_STR(json_string_value(json_object_get(root, "ociVersionMin")), "1.0.0");
	CHECK_STR(json_string_value(json_object_get(root, "ociVersionMax")), "1.3.0");
	CHECK_INT(json_array_size(options), option_name_count);
	CHECK_INT(json_array_size(json_object_get(linux_, "capabilities")), CAPABILITY__COUNT);
	CHECK_INT(json_array_size(json_object_get(linux_, "namespaces")), 8);
	CHECK_INT(json_array_size(json_object_get(root, "hooks")), 6);
	CHECK(json_is_true(json_object_get(json_object_get(linux_, "seccomp"), "enabled")));
	CHECK_INT(json_array_size(json_object_get(json_object_get(linux_, "seccomp"), "archs")),
		  names_seccomp_archs.count);
	check_flags(json_object_get(linux_, "seccomp"));
	CHECK(json_is_false(json_object_get(json_object_get(linux_, "intelRdt"), "enabled")));
	CHECK_INT(json_object_size(annotations), fate_row_count + 1);
	CHECK(json_object_get(annotations, "dev.supermachine.version"));
	for (size_t i = 0; i < fate_row_count; i++)
		CHECK_STR(fate_of(annotations, fate_rows[i].path), words[fate_rows[i].fate]);
	json_decref(root);
	free(text);
}

static const struct t_case cases[] = {
	{"every fate is enforced", every_fate_is_enforced},
	{"no property has two fates", no_property_has_two_fates},
	{"options are sorted and found", options_are_sorted_and_found},
	{"names are found", names_are_found},
	{"features", features},
};
T_MAIN("tables", cases)
