// SPDX-License-Identifier: Apache-2.0
/*
 * config.json -> struct oci_spec.
 *
 * How it works: document_load() turns text into a tree in the spec's arena; the tables below say,
 * for each property that is honoured, which function reads it and where to. A property without a
 * row goes to the table of fates (fate.c). The spec's strings are the tree's own, so nothing is
 * copied.
 *
 * Should: check every value as far as that is possible without a kernel, name the field of the
 * first that is wrong, and collect a warning for what is accepted but not applied. Must not: guess,
 * touch *ret on failure, or look at anything but the bytes.
 */
#include "parse.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "fate.h"

#define UTS_BYTES_MAX 64 /* __NEW_UTS_LEN */

static size_t skip_digits(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 1 && text[0] == '0' ? 0 : n; /* SemVer has no leading zeros */
}

/* MAJOR.MINOR.PATCH, then perhaps -PRERELEASE and +BUILD. */
static bool is_semver(const char *text)
{
	static const char identifier[] =
		"0123456789.-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (int part = 0; part < 3; part++) {
		size_t n = skip_digits(text);

		if (!n || (part < 2 && text[n] != '.'))
			return false;
		text += n + (part < 2);
	}
	/* A mark with nothing behind it is not passed over, and so stands where the end should. */
	for (const char *mark = "-+"; *mark; mark++) {
		size_t n = *text == *mark ? strspn(text + 1, identifier) : 0;

		text += n ? n + 1 : 0;
	}
	return !*text;
}

static int parse_version(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	const char *version;

	if (field_string(field, rule, &version, f))
		return -1;
	if (!is_semver(version))
		return field_fail(field, f, "must be a version like 1.2.0, not " SHOWN, version);
	if (strncmp(version, "1.", 2) != 0)
		return field_fail(field, f, "must be a version 1.x, not " SHOWN, version);
	*(const char **)ret = version;
	return 0;
}

/* A name for the kernel's utsname, which also becomes a line of /etc/hosts. */
static int parse_uts_name(const struct field *field, const struct rule *rule, void *ret,
			  struct failure *f)
{
	const char *name;

	if (field_string(field, rule, &name, f))
		return -1;
	if (!name[0])
		return 0; /* as if it were not there */
	if (strlen(name) > UTS_BYTES_MAX)
		return field_fail(field, f, "must be at most %d bytes", UTS_BYTES_MAX);
	for (const char *at = name; *at; at++) {
		if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
			return field_fail(field, f, "must have no blanks or control characters");
	}
	*(const char **)ret = name;
	return 0;
}

struct annotations {
	struct oci_annotation *items;
	size_t count;
};

static int read_annotation(const struct field *member, void *context, struct failure *f)
{
	struct annotations *annotations = context;
	struct oci_annotation *annotation = &annotations->items[annotations->count];

	if (!member->key[0])
		return field_fail(member->up, f, "must have no empty key");
	annotation->key = member->key;
	annotations->count++;
	return field_string(member, NULL, &annotation->value, f);
}

/* "USER[:GROUP]", neither part empty. */
static int check_user(const struct field *field, const struct oci_annotation *annotation,
		      struct failure *f)
{
	const struct field member = {
		.up = field, .key = annotation->key, .document = field->document};
	const char *text = annotation->value;
	size_t user = strcspn(text, ":");
	size_t group = text[user] ? strlen(text + user + 1) : 1;

	if (user && group && !strchr(text + user + (text[user] != '\0'), ':') &&
	    strlen(text) <= OCI_USER_BYTES_MAX)
		return 0;
	return field_fail(&member, f, "must be USER or USER:GROUP, not " SHOWN, text);
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Cleaned as destinations of mounts are, with which it is compared. */
static int read_volume(const struct field *field, struct oci_annotation *annotation,
		       struct failure *f)
{
	const struct field member = {
		.up = field, .key = annotation->key, .document = field->document};

	if (annotation->value[0] != '/')
		return field_fail(&member, f, "must be an absolute path, not " SHOWN,
				  annotation->value);
	annotation->value = field_clean_path(field->document->arena, annotation->value);
	return annotation->value ? 0 : fail_memory(f);
}

static int parse_annotations(const struct field *field, const struct rule *rule, void *ret,
			     struct failure *f)
{
	struct annotations annotations = {.count = 0};
	struct oci_spec *spec = ret;

	(void)rule; /* the row has no limits */
	annotations.items = arena_zalloc(field->document->arena, field_count(field),
					 sizeof(*annotations.items));
	if (!annotations.items)
		return fail_memory(f);
	if (field_each(field, read_annotation, &annotations, f))
		return -1;
	for (size_t i = 0; i < annotations.count; i++) {
		spec->has_verity |= begins_with(annotations.items[i].key, OCI_ANNOTATION_VERITY);
		if (begins_with(annotations.items[i].key, OCI_ANNOTATION_VOLUME) &&
		    read_volume(field, &annotations.items[i], f))
			return -1;
		if (strcmp(annotations.items[i].key, OCI_ANNOTATION_USER) != 0)
			continue;
		if (check_user(field, &annotations.items[i], f))
			return -1;
		spec->user_name = annotations.items[i].value;
	}
	spec->annotations = annotations.items;
	spec->annotation_count = annotations.count;
	return 0;
}

static const struct rule root_rows[] = {
	{.key = "path",
	 .read = field_path,
	 .offset = offsetof(struct oci_root, path),
	 .is_required = true},
	{.key = "readonly", .read = field_bool, .offset = offsetof(struct oci_root, readonly)},
};
RULES(root_rules, root_rows);

/* ociVersion comes first: its absence is reported before anything else's. */
static const struct rule top_rows[] = {
	{.key = "ociVersion",
	 .read = parse_version,
	 .offset = offsetof(struct oci_spec, version),
	 .is_required = true},
	{.key = "root",
	 .read = field_object,
	 .offset = offsetof(struct oci_spec, root),
	 .is_required = true,
	 .members = &root_rules},
	{.key = "process",
	 .read = parse_process,
	 .offset = offsetof(struct oci_spec, process),
	 .present = offsetof(struct oci_spec, has_process),
	 .is_required = true},
	{.key = "hostname", .read = parse_uts_name, .offset = offsetof(struct oci_spec, hostname)},
	{.key = "domainname",
	 .read = parse_uts_name,
	 .offset = offsetof(struct oci_spec, domainname)},
	{.key = "mounts", .read = parse_mounts},
	{.key = "annotations", .read = parse_annotations},
	{.key = "hooks", .read = parse_hooks, .offset = offsetof(struct oci_spec, hooks)},
	{.key = "linux", .read = parse_linux},
};
const struct rules parse_top_rules = {top_rows, sizeof(top_rows) / sizeof(top_rows[0])};

/* The document's notes, oldest first. */
static int collect_warnings(const struct document *document, struct oci_spec *spec,
			    struct failure *f)
{
	const struct note *note = document->notes;

	spec->warnings =
		arena_zalloc(document->arena, document->note_count, sizeof(*spec->warnings));
	if (!spec->warnings)
		return fail_memory(f);
	spec->warning_count = document->note_count;
	for (size_t i = spec->warning_count; i > 0; i--, note = note->next)
		spec->warnings[i - 1] = (struct oci_warning){note->field, note->why};
	return 0;
}

/* An ID-mapped mount without maps of its own has the container's. */
static int finish_idmaps(struct oci_spec *spec, struct failure *f)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		struct oci_mount *mount = &spec->mounts[i];
		struct field top = {.up = NULL};
		struct field mounts = {.up = &top, .key = "mounts"};
		struct field element = {.up = &mounts, .index = i};
		struct field maps = {.up = &element, .key = "uidMappings"};

		if (mount->idmap == OCI_IDMAP_NONE || mount->uid_maps.count)
			continue;
		if (!spec->linux_.uid_maps.count)
			return field_fail(&maps, f,
					  "must be given: the container has no ID mappings");
		mount->uid_maps = spec->linux_.uid_maps;
		mount->gid_maps = spec->linux_.gid_maps;
	}
	return 0;
}

static int parse_into(struct oci_spec *spec, const char *bytes, size_t length, struct failure *f)
{
	struct document document;
	struct field top;

	if (document_load(&document, spec->arena, "config.json", bytes, length, f))
		return -1;
	document.read_unknown = fate_apply;
	top = (struct field){.value = document.root, .document = &document};
	if (field_members(&top, &parse_top_rules, spec, f) || finish_idmaps(spec, f))
		return -1;
	return collect_warnings(&document, spec, f);
}

int oci_parse_within(size_t heap_max_bytes, const char *bytes, size_t length, uint32_t hash_seed,
		     struct oci_spec *ret, struct failure *f)
{
	struct oci_spec spec = {.arena = NULL};

	if (length > OCI_CONFIG_MAX_BYTES) {
		fail_err(f, 0, "", "config.json", "must be at most %u bytes, not %zu",
			 OCI_CONFIG_MAX_BYTES, length);
		return fail_at(f, STAGE_PARSE, NULL);
	}
	json_object_seed(hash_seed ? hash_seed : 1);
	spec.arena = arena_create(heap_max_bytes);
	if (!spec.arena) {
		fail_memory(f);
		return fail_at(f, STAGE_PARSE, NULL);
	}
	if (parse_into(&spec, bytes, length, f)) {
		arena_destroy(spec.arena);
		return fail_at(f, STAGE_PARSE, NULL);
	}
	*ret = spec;
	return 0;
}

int oci_parse(const char *bytes, size_t length, uint32_t hash_seed, struct oci_spec *ret,
	      struct failure *f)
{
	return oci_parse_within(OCI_HEAP_MAX_BYTES, bytes, length, hash_seed, ret, f);
}

void oci_spec_finish(struct oci_spec *spec)
{
	arena_destroy(spec->arena);
	*spec = (struct oci_spec){.arena = NULL};
}
