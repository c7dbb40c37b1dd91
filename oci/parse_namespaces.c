// SPDX-License-Identifier: Apache-2.0
/* Namespaces, the ID maps of a user namespace, the offsets of a time namespace. */
#include <string.h>

#include "names.h"
#include "parse.h"

#define ID_MAPS_MAX     340 /* the kernel's UID_GID_MAP_MAX_EXTENTS */
#define NANOSECONDS_MAX 999999999

struct raw_namespace {
	int kind;
	struct oci_namespace namespace_;
};

/* "" is what engines write for a new one. */
static int read_path(const struct field *field, const struct rule *rule, void *ret,
		     struct failure *f)
{
	if (field_expect(field, 's', f))
		return -1;
	return field_is_empty(field) ? 0 : field_absolute_path(field, rule, ret, f);
}

static const struct rule namespace_rows[] = {
	{.key = "type",
	 .read = field_name,
	 .offset = offsetof(struct raw_namespace, kind),
	 .names = &names_namespaces,
	 .is_required = true},
	{.key = "path",
	 .read = read_path,
	 .offset = offsetof(struct raw_namespace, namespace_.path)},
};
RULES(namespace_rules, namespace_rows);

static int read_namespace(const struct field *field, void *ret, struct failure *f)
{
	struct raw_namespace *raw = ret;

	if (field_members(field, &namespace_rules, raw, f))
		return -1;
	raw->namespace_.present = true;
	raw->namespace_.field = field_pointer_text(field);
	return raw->namespace_.field ? 0 : fail_memory(f);
}

int parse_namespaces(const struct field *field, const struct rule *rule, void *ret,
		     struct failure *f)
{
	static const struct field_list list = {sizeof(struct raw_namespace), read_namespace};
	struct oci_linux *linux_ = ret;
	struct raw_namespace *raw;
	size_t count;

	(void)rule; /* the table says it */
	if (field_list(field, &list, &raw, &count, f))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct oci_namespace *namespace_ = &linux_->namespaces[raw[i].kind];
		struct field element = {.up = field, .index = i};

		if (namespace_->present)
			return field_fail(&element, f, "namespace \"%s\" is there twice",
					  names_namespaces.rows[raw[i].kind].name);
		*namespace_ = raw[i].namespace_;
	}
	return 0;
}

#define MEMBER(name) offsetof(struct oci_id_map, name)

static const struct rule map_rows[] = {
	{.key = "containerID",
	 .read = field_u32,
	 .offset = MEMBER(container_id),
	 .is_required = true},
	{.key = "hostID", .read = field_u32, .offset = MEMBER(host_id), .is_required = true},
	{.key = "size",
	 .read = field_u32,
	 .offset = MEMBER(size),
	 .is_required = true,
	 .min = 1,
	 .max = UINT32_MAX},
};
RULES(map_rules, map_rows);

static int read_map(const struct field *field, void *ret, struct failure *f)
{
	struct oci_id_map *map = ret;

	if (field_members(field, &map_rules, map, f))
		return -1;
	if (map->container_id > UINT32_MAX - map->size || map->host_id > UINT32_MAX - map->size)
		return field_fail(field, f, "must end at most at ID 4294967294");
	return 0;
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

int parse_id_maps(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_id_map), read_map};
	struct oci_id_maps *maps = ret;

	(void)rule; /* the table says it */
	if (field_list(field, &list, &maps->items, &maps->count, f))
		return -1;
	if (maps->count > ID_MAPS_MAX)
		return field_fail(field, f, "must have at most %d elements", ID_MAPS_MAX);
	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_map *map = &maps->items[i];

		for (size_t k = 0; k < i; k++) {
			const struct oci_id_map *other = &maps->items[k];
			struct field element = {.up = field, .index = i};

			if (overlap(map->container_id, map->size, other->container_id,
				    other->size) ||
			    overlap(map->host_id, map->size, other->host_id, other->size))
				return field_fail(&element, f, "overlaps element %zu", k);
		}
	}
	return 0;
}

static const struct rule offset_rows[] = {
	{.key = "secs", .read = field_i64, .offset = offsetof(struct oci_time_offset, secs)},
	{.key = "nanosecs",
	 .read = field_u32,
	 .offset = offsetof(struct oci_time_offset, nanosecs),
	 .max = NANOSECONDS_MAX},
};
RULES(offset_rules, offset_rows);

#define CLOCK(name_)                                                                              \
	{                                                                                         \
		.key = #name_, .read = field_object, .offset = offsetof(struct oci_linux, name_), \
		.present = offsetof(struct oci_linux, name_.present), .members = &offset_rules    \
	}

static const struct rule clock_rows[] = {CLOCK(monotonic), CLOCK(boottime)};
RULES(clock_rules, clock_rows);

static int read_clock(const struct field *member, void *context, struct failure *f)
{
	for (size_t i = 0; i < clock_rules.count; i++) {
		const struct rule *rule = &clock_rows[i];

		if (strcmp(rule->key, member->key) != 0)
			continue;
		if (rule->read(member, rule, (char *)context + rule->offset, f))
			return -1;
		*(bool *)(void *)((char *)context + rule->present) = true;
		return 0;
	}
	return field_fail(member, f, "unknown clock " SHOWN, member->key);
}

int parse_time_offsets(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	(void)rule; /* the table says it */
	return field_each(field, read_clock, ret, f);
}

static bool is_new(const struct oci_linux *linux_, enum oci_namespace_kind kind)
{
	return linux_->namespaces[kind].present && !linux_->namespaces[kind].path;
}

/* Without maps each ID is itself: the machine has no other user to stand for the container's. */
static int map_all(const struct field *field, struct oci_id_maps *maps, struct failure *f)
{
	maps->items = arena_zalloc(field->document->arena, 1, sizeof(*maps->items));
	if (!maps->items)
		return fail_memory(f);
	maps->items[0].size = UINT32_MAX;
	maps->count = 1;
	return field_warn(field, f, "every ID is itself in the new user namespace");
}

static int check_user(const struct field *field, struct oci_linux *linux_, struct failure *f)
{
	bool is_user = is_new(linux_, OCI_NAMESPACE_USER);
	struct field uids = {.up = field, .key = "uidMappings", .document = field->document};
	struct field gids = {.up = field, .key = "gidMappings", .document = field->document};
	bool has_uids = linux_->uid_maps.count;
	bool has_gids = linux_->gid_maps.count;

	if (!is_user && (has_uids || has_gids))
		return field_fail(has_uids ? &uids : &gids, f, "needs a new user namespace");
	if (has_uids != has_gids)
		return field_fail(has_uids ? &gids : &uids, f,
				  "must be given with the other mapping");
	if (!is_user || has_uids)
		return 0;
	return map_all(&uids, &linux_->uid_maps, f) || map_all(&gids, &linux_->gid_maps, f) ? -1
											    : 0;
}

int check_namespaces(const struct field *field, struct oci_linux *linux_, struct failure *f)
{
	struct field offsets = {.up = field, .key = "timeOffsets"};

	if ((linux_->monotonic.present || linux_->boottime.present) &&
	    !is_new(linux_, OCI_NAMESPACE_TIME))
		return field_fail(&offsets, f, "needs a new time namespace");
	return check_user(field, linux_, f);
}
