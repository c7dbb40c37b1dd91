// SPDX-License-Identifier: Apache-2.0
/*
 * The host's edits of any accepted config.json: the result is accepted, has what was put in, lacks what
 * was taken out, and says the same of everything else. What is not accepted is never edited.
 */
#include "fuzz.h"
#include "oci/edit.h"
#include "oci/oci.h"

static const char *const env[] = {"A=\"\\\n\x01", "B=", "\xc3\xa4=b"};
#define ENV_COUNT 3

static bool is_same(const struct oci_strings *a, const struct oci_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static void require_rest(const struct oci_spec *a, const struct oci_spec *b)
{
	require(strcmp(a->version, b->version) == 0 && strcmp(a->root.path, b->root.path) == 0);
	require(is_same(&a->process.args, &b->process.args));
	require(strcmp(a->process.cwd, b->process.cwd) == 0);
	require(a->device_count == b->device_count && a->annotation_count == b->annotation_count);
	require(a->linux_.seccomp.rule_count == b->linux_.seccomp.rule_count);
	require(a->process.rlimit_count == b->process.rlimit_count);
}

/* Takes the text over. */
static void parse(const struct oci_spec *before, char *text, size_t length, struct oci_spec *ret)
{
	struct failure f = {.stage = STAGE_NONE};

	require(oci_parse(text, length, 5, ret, &f) == 0);
	free(text);
	require_rest(before, ret);
}

static void edit_env(const struct oci_spec *before, const char *bytes, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	struct oci_spec after;
	size_t length;
	char *text;

	if (oci_edit_env(bytes, size, env, ENV_COUNT, &text, &length, &f)) {
		require_failure(&f);
		require(!before->has_process);
		return;
	}
	parse(before, text, length, &after);
	require(after.process.env.count == ENV_COUNT);
	for (size_t i = 0; i < ENV_COUNT; i++)
		require(strcmp(after.process.env.items[i], env[i]) == 0);
	require(after.mount_count == before->mount_count);
	oci_spec_finish(&after);
}

static void edit_console_size(const struct oci_spec *before, const char *bytes, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	struct oci_spec after;
	size_t length;
	char *text;

	if (oci_edit_console_size(bytes, size, 24, 80, &text, &length, &f)) {
		require_failure(&f);
		require(!before->has_process);
		return;
	}
	parse(before, text, length, &after);
	require(!after.process.has_console_size ||
		(after.process.console_rows == 24 && after.process.console_columns == 80));
	require(is_same(&after.process.env, &before->process.env));
	oci_spec_finish(&after);
}

static void edit_mounts(const struct oci_spec *before, const char *bytes, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	bool drop[64] = {false};
	size_t count = before->mount_count, kept = 0, length;
	struct oci_spec after;
	char *text;

	if (count > sizeof(drop))
		return;
	for (size_t i = 0; i < count; i++)
		drop[i] = bytes[(i * 31 + 7) % size] & 1;
	if (oci_edit_drop_mounts(bytes, size, drop, count, &text, &length, &f)) {
		require_failure(&f);
		require(before->mount_count == 0);
		return;
	}
	parse(before, text, length, &after);
	for (size_t i = 0; i < count; i++) {
		if (drop[i])
			continue;
		require(kept < after.mount_count);
		require(!strcmp(before->mounts[i].destination, after.mounts[kept].destination));
		require(is_same(&before->mounts[i].data, &after.mounts[kept++].data));
	}
	require(kept == after.mount_count && is_same(&after.process.env, &before->process.env));
	oci_spec_finish(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	char *bytes = exact_copy(data, size);
	struct oci_spec spec;

	if (oci_parse(bytes, size, 5, &spec, &f) == 0) {
		edit_env(&spec, bytes, size);
		edit_console_size(&spec, bytes, size);
		edit_mounts(&spec, bytes, size);
		oci_spec_finish(&spec);
	}
	free(bytes);
	return 0;
}
