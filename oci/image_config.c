// SPDX-License-Identifier: Apache-2.0
/* An image's configuration, and what `docker save` writes about its images. */
#include <string.h>

#include "image_read.h"

static int read_pair(const struct field *member, void *context, struct failure *f)
{
	struct oci_pairs *pairs = context;
	struct oci_pair *pair = &pairs->items[pairs->count++];

	pair->key = member->key;
	return json_is_object(member->value) ? 0 : field_string(member, NULL, &pair->value, f);
}

static int read_pairs(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	struct oci_pairs pairs = {.count = 0};

	(void)rule; /* the row has no limits */
	if (field_expect(field, 'o', f))
		return -1;
	pairs.items =
		arena_zalloc(field->document->arena, field_count(field) + 1, sizeof(*pairs.items));
	if (!pairs.items)
		return fail_memory(f);
	if (field_each(field, read_pair, &pairs, f))
		return -1;
	*(struct oci_pairs *)ret = pairs;
	return 0;
}

NULLABLE(maybe_string, field_string)
NULLABLE(maybe_strings, field_strings)
NULLABLE(maybe_pairs, read_pairs)
NULLABLE(maybe_object, field_object)

/* ---- the image's configuration -------------------------------------------------------------- */

static int read_digest_element(const struct field *field, void *ret, struct failure *f)
{
	return image_digest(field, NULL, ret, f);
}

static int read_diff_ids(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	static const struct field_list list = {sizeof(const char *), read_digest_element};
	struct oci_strings *strings = ret;

	(void)rule;
	return field_list(field, &list, &strings->items, &strings->count, f);
}

static int read_rootfs_type(const struct field *field, const struct rule *rule, void *ret,
			    struct failure *f)
{
	const char *type;

	(void)ret;
	if (field_string(field, rule, &type, f))
		return -1;
	return strcmp(type, "layers") ? field_fail(field, f, "must be \"layers\", not " SHOWN, type)
				      : 0;
}

static const struct rule rootfs_rows[] = {
	{.key = "type", .read = read_rootfs_type, .is_required = true},
	NEEDED(struct oci_image_config, "diff_ids", read_diff_ids, diff_ids),
};
RULES(rootfs_rules, rootfs_rows);

static const struct rule config_rows[] = {
	ROW(struct oci_image_config, "User", maybe_string, user),
	ROW(struct oci_image_config, "WorkingDir", maybe_string, working_dir),
	ROW(struct oci_image_config, "StopSignal", maybe_string, stop_signal),
	ROW(struct oci_image_config, "Entrypoint", maybe_strings, entrypoint),
	ROW(struct oci_image_config, "Cmd", maybe_strings, cmd),
	ROW(struct oci_image_config, "Env", maybe_strings, env),
	ROW(struct oci_image_config, "ExposedPorts", maybe_pairs, exposed_ports),
	ROW(struct oci_image_config, "Volumes", maybe_pairs, volumes),
	ROW(struct oci_image_config, "Labels", maybe_pairs, labels),
};
RULES(config_rules, config_rows);

static const struct rule image_rows[] = {
	NEEDED(struct oci_image_config, "os", field_string, platform.os),
	NEEDED(struct oci_image_config, "architecture", field_string, platform.architecture),
	ROW(struct oci_image_config, "variant", maybe_string, platform.variant),
	ROW(struct oci_image_config, "author", maybe_string, author),
	ROW(struct oci_image_config, "created", maybe_string, created),
	{.key = "config", .read = maybe_object, .members = &config_rules},
	{.key = "rootfs", .read = field_object, .is_required = true, .members = &rootfs_rules},
};
RULES(image_rules, image_rows);

/* ---- docker save ---------------------------------------------------------------------------- */

static const struct rule saved_rows[] = {
	NEEDED(struct oci_saved_image, "Config", field_path, config),
	ROW(struct oci_saved_image, "RepoTags", maybe_strings, tags),
	NEEDED(struct oci_saved_image, "Layers", field_strings, layers),
};
RULES(saved_rules, saved_rows);

static int read_saved_image(const struct field *field, void *ret, struct failure *f)
{
	return field_members(field, &saved_rules, ret, f);
}

int oci_image_config_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
			   struct oci_image_config *ret, struct failure *f)
{
	const struct image_source source = {arena, name, bytes, length};
	struct oci_image_config config = {.user = NULL};

	if (image_read_object(&source, &image_rules, &config, f))
		return -1;
	*ret = config;
	return 0;
}

/* Any value: our reader wants an object at the top, so one is put around it. */
static int load_value(const struct image_source *source, struct document *document,
		      struct field *ret, struct failure *f)
{
	static const char before[] = "{\"\":", after[] = "}";
	size_t whole = strlen(before) + source->length + strlen(after);
	char *text = arena_alloc(source->arena, whole);
	struct image_source wrapped = {source->arena, source->name, text, whole};
	struct field top;

	if (!text)
		return fail_memory(f);
	memcpy(text, before, strlen(before));
	memcpy(text + strlen(before), source->bytes, source->length);
	memcpy(text + strlen(before) + source->length, after, strlen(after));
	if (image_load(&wrapped, document, &top, f))
		return -1;
	if (field_count(&top) != 1)
		return fail_err(f, 0, "", source->name, "must be one value");
	*ret = (struct field){
		.key = "",
		.value = json_object_get(document->root, ""),
		.document = document,
	};
	return 0;
}

int oci_saved_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
		    struct oci_saved *ret, struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_saved_image), read_saved_image};
	const struct image_source source = {arena, name, bytes, length};
	struct oci_saved saved;
	struct document document;
	struct field images;

	if (load_value(&source, &document, &images, f))
		return -1;
	if (field_list(&images, &list, &saved.images, &saved.count, f))
		return image_fail(f, name);
	*ret = saved;
	return 0;
}

int oci_strings_parse(struct arena *arena, const char *name, const char *text,
		      struct oci_strings *ret, struct failure *f)
{
	const struct image_source source = {arena, name, text, strlen(text)};
	struct document document;
	struct field field;

	if (load_value(&source, &document, &field, f))
		return -1;
	return field_strings(&field, NULL, ret, f) ? image_fail(f, name) : 0;
}
