// SPDX-License-Identifier: Apache-2.0
/* "mounts": each entry, its options sorted into attributes, propagation and file system data. */
#include "parse.h"

#include <string.h>

#include "names.h"

#define OPTION_BYTES_MAX 255 /* of a key or a value: fsconfig(2)'s limit */

static int read_destination(const struct field *field, const struct rule *rule, void *ret,
			    struct failure *f)
{
	const char *path;
	char *clean;

	if (field_path(field, rule, &path, f))
		return -1;
	/* config.md: deprecated, but then taken as below "/". */
	if (path[0] != '/' && field_warn(field, f, "a relative path is deprecated"))
		return -1;
	clean = field_clean_path(field->document->arena, path);
	if (!clean)
		return fail_memory(f);
	*(const char **)ret = clean;
	return 0;
}

/* What is left for the file system: a flag, or a key and a value. */
static int check_data(const struct field *field, const char *option, struct failure *f)
{
	size_t key = strcspn(option, "=");

	if (!key)
		return field_fail(field, f, "a mount option must have a name");
	if (key > OPTION_BYTES_MAX || strlen(option) - key > OPTION_BYTES_MAX + 1)
		return field_fail(field, f,
				  "a mount option's name and value must be at most %d bytes",
				  OPTION_BYTES_MAX);
	return 0;
}

static void set_attr(struct oci_mount *mount, const struct option_name *name)
{
	mount->attr_set = (mount->attr_set & ~name->clear) | name->set;
	mount->attr_clear = (mount->attr_clear & ~name->set) | name->clear;
}

static void set_attr_recursive(struct oci_mount *mount, const struct option_name *name)
{
	mount->attr_set_recursive = (mount->attr_set_recursive & ~name->clear) | name->set;
	mount->attr_clear_recursive = (mount->attr_clear_recursive & ~name->set) | name->clear;
}

static int apply_option(const struct field *field, const struct option_name *name,
			struct oci_mount *mount, struct failure *f)
{
	switch (name->kind) {
	case OPTION_READONLY:
		mount->sb_readonly = name->set != 0;
		set_attr(mount, name);
		return 0;
	case OPTION_ATTR:
		set_attr(mount, name);
		return 0;
	case OPTION_RECURSIVE:
		set_attr_recursive(mount, name);
		return 0;
	case OPTION_IDMAP:
		mount->idmap = (enum oci_idmap)name->set;
		return 0;
	case OPTION_REMOUNT:
		mount->remount = true;
		return 0;
	case OPTION_TMPCOPYUP:
		mount->tmpcopyup = true;
		return 0;
	case OPTION_COPY_SYMLINK:
		mount->copy_symlink = true;
		return 0;
	case OPTION_BIND:
		mount->bind = true;
		mount->recursive = name->set != 0;
		return 0;
	case OPTION_PROPAGATION:
		mount->propagation = (enum oci_propagation)name->set;
		mount->propagation_recursive = name->clear != 0;
		return 0;
	case OPTION_SUPERBLOCK:
	case OPTION_DEFAULT:
		return 0;
	case OPTION_NO_EFFECT:
		break;
	}
	return field_warn(field, f, "mount option \"%s\" has no effect", name->name);
}

int parse_options(const struct field *field, const struct oci_strings *options,
		  struct oci_mount *mount, struct failure *f)
{
	struct oci_strings data = {.count = 0};

	data.items =
		arena_alloc(field->document->arena, (options->count + 1) * sizeof(*data.items));
	if (!data.items)
		return fail_memory(f);
	for (size_t i = 0; i < options->count; i++) {
		struct field element = {.up = field, .index = i, .document = field->document};
		const struct option_name *name = option_find(options->items[i]);

		if (name && apply_option(&element, name, mount, f))
			return -1;
		if (name && name->kind != OPTION_SUPERBLOCK)
			continue;
		if (check_data(&element, options->items[i], f))
			return -1;
		data.items[data.count++] = options->items[i];
	}
	data.items[data.count] = NULL;
	mount->data = data;
	return 0;
}

struct raw_mount {
	struct oci_mount mount;
	struct oci_strings options;
};

#define MEMBER(name) offsetof(struct raw_mount, name)

static const struct rule mount_rows[] = {
	{.key = "destination",
	 .read = read_destination,
	 .offset = MEMBER(mount.destination),
	 .is_required = true},
	{.key = "type", .read = field_string, .offset = MEMBER(mount.type)},
	{.key = "source", .read = field_path, .offset = MEMBER(mount.source)},
	{.key = "options", .read = field_strings, .offset = MEMBER(options)},
	{.key = "uidMappings", .read = parse_id_maps, .offset = MEMBER(mount.uid_maps)},
	{.key = "gidMappings", .read = parse_id_maps, .offset = MEMBER(mount.gid_maps)},
};
RULES(mount_rules, mount_rows);

/* The file system has its options already: what mount(2) would pass over is said, more is refused. */
static int check_bind_data(const struct field *options, struct oci_mount *mount, struct failure *f)
{
	for (size_t i = 0; i < mount->data.count; i++) {
		const char *option = mount->data.items[i];

		if (!option_find(option))
			return field_fail(options, f, "a bind mount has no option " SHOWN, option);
		if (field_warn(options, f, "\"%s\" has no effect on a bind mount", option))
			return -1;
	}
	mount->data = (struct oci_strings){.count = 0};
	return 0;
}

/* What a bind needs and what it cannot have. */
static int check_bind(const struct field *field, const struct field *options,
		      struct oci_mount *mount, struct failure *f)
{
	struct field source = {.up = field, .key = "source", .document = field->document};

	if (!mount->source && !mount->remount)
		return field_fail(&source, f, "must be given for a bind mount");
	if (check_bind_data(options, mount, f))
		return -1;
	if (mount->source)
		mount->source = field_clean_path(field->document->arena, mount->source);
	mount->type = NULL;
	return mount->source || mount->remount ? 0 : fail_memory(f);
}

/* Both maps or none; and with a map the mount is an ID-mapped one. */
static int check_id_maps(const struct field *field, struct oci_mount *mount, struct failure *f)
{
	bool has_uids = mount->uid_maps.count;
	struct field missing = {.up = field, .key = has_uids ? "gidMappings" : "uidMappings"};

	if (has_uids != (mount->gid_maps.count > 0))
		return field_fail(&missing, f, "must be given with the other mapping");
	if (has_uids && mount->idmap == OCI_IDMAP_NONE)
		mount->idmap = OCI_IDMAP_ONE;
	return 0;
}

static int check_options(const struct field *options, const struct oci_mount *mount,
			 struct failure *f)
{
	bool is_tmpfs = mount->type && strcmp(mount->type, "tmpfs") == 0;

	if (mount->tmpcopyup && (mount->bind || !is_tmpfs))
		return field_fail(options, f, "tmpcopyup needs a tmpfs");
	if (mount->copy_symlink && !mount->bind)
		return field_fail(options, f, "copy-symlink needs a bind mount");
	if (mount->remount && mount->idmap != OCI_IDMAP_NONE)
		return field_fail(options, f, "a remount cannot map IDs");
	return 0;
}

static int read_mount(const struct field *field, void *ret, struct failure *f)
{
	struct field options = {.up = field, .key = "options", .document = field->document};
	struct field type = {.up = field, .key = "type"};
	struct raw_mount raw = {.mount.type = NULL};
	struct oci_mount *mount = &raw.mount;

	if (field_members(field, &mount_rules, &raw, f))
		return -1;
	mount->bind = mount->type && strcmp(mount->type, "bind") == 0;
	if (parse_options(&options, &raw.options, mount, f))
		return -1;
	if (mount->bind) {
		if (check_bind(field, &options, mount, f))
			return -1;
	} else if (!mount->type || !mount->type[0]) {
		if (!mount->remount)
			return field_fail(&type, f, "must be given, unless the mount is a bind");
		mount->type = "remount";
	}
	if (check_id_maps(field, mount, f) || check_options(&options, mount, f))
		return -1;
	*(struct oci_mount *)ret = *mount;
	return 0;
}

int parse_mounts(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_mount), read_mount};
	struct oci_spec *spec = ret;

	(void)rule; /* the table says it */
	return field_list(field, &list, &spec->mounts, &spec->mount_count, f);
}
