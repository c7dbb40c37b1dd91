// SPDX-License-Identifier: Apache-2.0
/* Edits of a config.json's text. Linked with realloc() wrapped, to refuse memory. */
#include <stdlib.h>

#include "oci/edit.h"
#include "tests/t.h"

static int refused = -1; /* the call of realloc() that gets nothing, counted down */

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
	return refused-- == 0 ? NULL : __real_realloc(memory, size);
}

/* The text with a NUL at its end; its own memory is freed. */
static char *strndup_and_free(char *text, size_t length)
{
	char *copy = strndup(text, length);

	free(text);
	return copy;
}

static char *edited_env(const char *text, const char *const *items, size_t count)
{
	struct failure f = {0};
	char *result = NULL;
	size_t length = 0;

	if (oci_edit_env(text, strlen(text), items, count, &result, &length, &f))
		return strdup(f.why);
	return strndup_and_free(result, length);
}

static void check_env(const char *text, const char *want)
{
	static const char *const items[] = {"A=1", "B=\"q\"\\\t"};
	char *got = edited_env(text, items, 2);

	CHECK_STR(got, want);
	free(got);
}

#define NEW_ENV "[\"A=1\",\"B=\\\"q\\\"\\\\\\u0009\"]"

static void edit_env_replaces(void)
{
	check_env("{\"process\":{\"env\":[\"X=]\",\"Y=\\\"\"],\"cwd\":\"/\"}}",
		  "{\"process\":{\"env\":" NEW_ENV ",\"cwd\":\"/\"}}");
	check_env(" {\n\"process\" : { \"cwd\":\"/\", \"env\" :\t[ ] } }\n",
		  " {\n\"process\" : { \"cwd\":\"/\", \"env\" :\t" NEW_ENV " } }\n");
	check_env("{\"process\":{\"env\":null}}", "{\"process\":{\"env\":" NEW_ENV "}}");
}

static void edit_env_adds(void)
{
	check_env("{\"process\":{\"cwd\":\"/\"}}",
		  "{\"process\":{\"env\":" NEW_ENV ",\"cwd\":\"/\"}}");
	check_env("{\"process\":{ }}", "{\"process\":{\"env\":" NEW_ENV " }}");
}

/* The same name deeper, in a string or in another object is not the member. */
static void edit_env_finds_the_right_one(void)
{
	check_env(
		"{\"a\":{\"process\":{\"env\":1}},\"b\":\"process\\\":{\",\"n\":[[{}],-1.5e3,true],"
		"\"process\":{\"x\":{\"env\":[1]},\"env\":[2]}}",
		"{\"a\":{\"process\":{\"env\":1}},\"b\":\"process\\\":{\",\"n\":[[{}],-1.5e3,true],"
		"\"process\":{\"x\":{\"env\":[1]},\"env\":" NEW_ENV "}}");
}

static void edit_env_keeps_numbers(void)
{
	check_env("{\"n\":18446744073709551615,\"process\":{\"env\":[]},\"m\":1.50}",
		  "{\"n\":18446744073709551615,\"process\":{\"env\":" NEW_ENV "},\"m\":1.50}");
}

static void edit_env_needs_a_process(void)
{
	check_env("{\"ociVersion\":\"1.0.2\"}", "missing: nothing to change");
	check_env("[]", "missing: nothing to change");
	check_env("{\"process\":7}", "missing: nothing to change");
}

/* Texts that no parser accepted must not lead out of the buffer. */
static void edit_survives_any_prefix(void)
{
	static const char text[] =
		"{\"a\":[1,{\"b\":\"\\u0041\"}],\"process\":{\"env\":[\"A=\\\\\"],"
		"\"cwd\":\"/\"},\"mounts\":[{\"x\":[]},{\"y\":2}]}";
	static const char *const items[] = {"A=1"};
	const bool drop[] = {true, false};

	for (size_t length = 0; length < sizeof(text); length++) {
		char *copy = memcpy(malloc(length ? length : 1), text, length);
		struct failure f = {0};
		char *result;
		size_t size;

		if (!oci_edit_env(copy, length, items, 1, &result, &size, &f))
			free(result);
		if (!oci_edit_drop_mounts(copy, length, drop, 2, &result, &size, &f))
			free(result);
		if (!oci_edit_annotations(copy, length, items, items, 1, &result, &size, &f))
			free(result);
		free(copy);
	}
	CHECK(true);
}

static void check_drop(const char *text, bool first, bool second, const char *want)
{
	const bool drop[] = {first, second};
	struct failure f = {0};
	char *got = NULL;
	size_t length = 0;

	CHECK_INT(oci_edit_drop_mounts(text, strlen(text), drop, 2, &got, &length, &f), 0);
	CHECK_INT(length, strlen(want));
	CHECK(got && !memcmp(got, want, length));
	free(got);
}

static void edit_drops_mounts(void)
{
	static const char text[] = "{\"mounts\": [ {\"a\":[\"}\"]} , {\"b\":2} , 3 ],\"z\":1}";

	check_drop(text, true, false, "{\"mounts\": [{\"b\":2},3],\"z\":1}");
	check_drop(text, false, true, "{\"mounts\": [{\"a\":[\"}\"]},3],\"z\":1}");
	check_drop(text, true, true, "{\"mounts\": [3],\"z\":1}");
	check_drop("{\"mounts\":[]}", true, true, "{\"mounts\":[]}");
}

static void check_annotations(const char *text, size_t count, const char *want)
{
	static const char *const keys[] = {"a", "b\"c"}, *const values[] = {"1", "x\ny"};
	struct failure f = {0};
	char *got = NULL;
	size_t length = 0;

	if (oci_edit_annotations(text, strlen(text), keys, values, count, &got, &length, &f)) {
		CHECK_STR(f.field, "/annotations");
		CHECK_STR(f.why, want);
		return;
	}
	got = strndup_and_free(got, length);
	CHECK_STR(got, want);
	free(got);
}

#define NEW_ONES "\"a\":\"1\",\"b\\\"c\":\"x\\u000ay\""

static void edit_adds_annotations(void)
{
	check_annotations("{\"annotations\":{\"z\":\"}\"},\"y\":1}", 2,
			  "{\"annotations\":{" NEW_ONES ",\"z\":\"}\"},\"y\":1}");
	check_annotations(" {\"annotations\" : { } }", 2, " {\"annotations\" : {" NEW_ONES " } }");
	check_annotations("{\"y\":{\"annotations\":{}}}", 2,
			  "{\"annotations\":{" NEW_ONES "},\"y\":{\"annotations\":{}}}");
	check_annotations("{ }", 1, "{\"annotations\":{\"a\":\"1\"} }");
	check_annotations("{\"annotations\":{\"z\":\"\"}}", 0, "{\"annotations\":{\"z\":\"\"}}");
	check_annotations("{\"y\":1}", 0, "{\"annotations\":{},\"y\":1}");
	check_annotations("{\"annotations\":[]}", 1, "must be an object");
	check_annotations("", 1, "must be an object");
}

static void console_size_is_set(void)
{
	static const char text[] = "{\"process\":{\"consoleSize\":{\"width\":1},\"a\":2}}";
	static const char want[] =
		"{\"process\":{\"consoleSize\":{\"height\":24,\"width\":80},\"a\":2}}";
	struct failure f = {0};
	char *got = NULL;
	size_t length = 0;

	CHECK_INT(oci_edit_console_size(text, strlen(text), 24, 80, &got, &length, &f), 0);
	CHECK_INT(length, strlen(want));
	CHECK(got && !memcmp(got, want, length));
	free(got);
}

/* A frame that comes in single bytes, after it a whole one. */

static void edit_drops_mounts_that_are_there(void)
{
	const bool drop[] = {true};
	struct failure f = {0};
	char *got = NULL;
	size_t length = 0;

	CHECK_INT(oci_edit_drop_mounts("{}", 2, drop, 1, &got, &length, &f), -1);
	CHECK_STR(f.field, "/mounts");
	CHECK_STR(f.why, "missing: nothing to drop");
	CHECK(!got);
}

/* Each of the calls fails once, until none is made so often. */
static void edit_says_when_memory_is_short(void)
{
	static const char text[] = "{\"process\":{\"cwd\":\"/\"}}";
	static char item[600];
	const char *const items[] = {"A=1", item, item};
	int when = 0;

	memset(item, 'x', sizeof(item) - 1);
	for (int status = -1; status; when++) {
		struct failure f = {0};
		char *got = NULL;
		size_t length = 0;

		refused = when;
		status = oci_edit_env(text, sizeof(text) - 1, items, 3, &got, &length, &f);
		refused = -1;
		CHECK_INT(status, got ? 0 : -1);
		CHECK_STR(f.why, got ? "" : "out of memory");
		free(got);
	}
	CHECK_INT(when, 6);
}

static const struct t_case cases[] = {
	{"edit-env-replaces", edit_env_replaces},
	{"edit-env-adds", edit_env_adds},
	{"edit-env-finds-the-right-one", edit_env_finds_the_right_one},
	{"edit-env-keeps-numbers", edit_env_keeps_numbers},
	{"edit-env-needs-a-process", edit_env_needs_a_process},
	{"edit-survives-any-prefix", edit_survives_any_prefix},
	{"edit-drops-mounts", edit_drops_mounts},
	{"edit-drops-mounts-that-are-there", edit_drops_mounts_that_are_there},
	{"edit-says-when-memory-is-short", edit_says_when_memory_is_short},
	{"edit-adds-annotations", edit_adds_annotations},
	{"console-size-is-set", console_size_is_set},
};

T_MAIN("edit", cases)
