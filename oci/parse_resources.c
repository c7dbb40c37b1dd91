// SPDX-License-Identifier: Apache-2.0
/*
 * "linux.resources" for cgroup v2: what the specification says in the words of version 1 is turned
 * into version 2's files by the rules that crun has for it. Memory, CPU and block I/O have files of
 * their own.
 */
#include "parse_resources.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WRITES_AT_FIRST 16u

static struct oci_cgroup_write *add_write(struct resources *resources, struct arena *arena)
{
	if (resources->count == resources->room) {
		size_t room = resources->room ? 2 * resources->room : WRITES_AT_FIRST;
		struct oci_cgroup_write *grown = arena_alloc(arena, room * sizeof(*grown));

		if (!grown)
			return NULL;
		if (resources->count)
			memcpy(grown, resources->writes, resources->count * sizeof(*grown));
		resources->writes = grown;
		resources->room = room;
	}
	return &resources->writes[resources->count++];
}

/* A machine without swap has nothing to limit; reservations are newer than the limit itself. */
static bool may_be_missing(const char *file)
{
	return strcmp(file, "memory.swap.max") == 0 || strstr(file, ".rsvd.max");
}

static int write_text(struct resources *resources, const struct field *field, const char *file,
		      const char *text, bool is_optional)
{
	struct arena *arena = field->document->arena;
	struct oci_cgroup_write *write = add_write(resources, arena);
	const char *pointer = field_pointer_text(field);

	if (!write || !pointer || !text)
		return -1;
	*write = (struct oci_cgroup_write){
		.file = file, .text = text, .field = pointer, .optional = is_optional};
	return 0;
}

int resources_write(struct resources *resources, const struct field *field, const char *file,
		    const char *fmt, ...)
{
	char text[128];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* What may be of any length is written by the function below. */
	if (length < 0 || (size_t)length >= sizeof(text))
		return -1;
	return write_text(resources, field, file, arena_strdup(field->document->arena, text),
			  may_be_missing(file));
}

int resources_write_string(struct resources *resources, const struct field *field, const char *file,
			   const char *text)
{
	return write_text(resources, field, file, text, false);
}

int parse_limit(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const struct rule limit = {.min = -1, .max = INT64_MAX};

	(void)rule; /* the other one says it */
	return field_i64(field, &limit, ret, f);
}

const char *limit_text(int64_t limit, char buffer[24])
{
	if (limit < 0)
		return "max";
	snprintf(buffer, 24, "%" PRId64, limit);
	return buffer;
}

/* 0 asks for nothing, as engines write it who have no limit. */
static int read_pids_limit(const struct field *field, const struct rule *rule, void *ret,
			   struct failure *f)
{
	int64_t limit;
	char buffer[24];

	if (parse_limit(field, rule, &limit, f))
		return -1;
	if (!limit)
		return 0;
	return resources_write(ret, field, "pids.max", "%s", limit_text(limit, buffer))
		       ? fail_memory(f)
		       : 0;
}

static const struct rule pids_rows[] = {{.key = "limit", .read = read_pids_limit}};
RULES(pids_rules, pids_rows);

struct hugepage {
	const char *size;
	uint64_t limit;
};

static const struct rule hugepage_rows[] = {
	{.key = "pageSize",
	 .read = field_string,
	 .offset = offsetof(struct hugepage, size),
	 .is_required = true},
	{.key = "limit",
	 .read = field_u64,
	 .offset = offsetof(struct hugepage, limit),
	 .is_required = true},
};
RULES(hugepage_rules, hugepage_rows);

/* "64KB", "2MB", "1GB": it becomes part of a file's name. */
static bool is_page_size(const char *size)
{
	size_t digits = strspn(size, "0123456789");

	return digits && digits <= 8 && size[0] != '0' && size[digits] &&
	       strchr("KMG", size[digits]) && strcmp(size + digits + 1, "B") == 0;
}

static int read_hugepage(const struct field *field, void *ret, struct failure *f)
{
	struct field size = {.up = field, .key = "pageSize"};

	if (field_members(field, &hugepage_rules, ret, f))
		return -1;
	if (!is_page_size(((struct hugepage *)ret)->size))
		return field_fail(&size, f, "must be a size like 2MB");
	return 0;
}

/* Reservations and what is really used: both are limited. */
static int parse_hugepages(const struct field *field, const struct rule *rule, void *ret,
			   struct failure *f)
{
	static const struct field_list list = {sizeof(struct hugepage), read_hugepage};
	struct hugepage *pages;
	size_t count;

	(void)rule; /* the table says it */
	if (field_list(field, &list, &pages, &count, f))
		return -1;
	for (size_t i = 0; i < 2 * count; i++) {
		struct field element = {.up = field, .index = i / 2, .document = field->document};
		char *file = arena_printf(field->document->arena,
					  i % 2 ? "hugetlb.%s.rsvd.max" : "hugetlb.%s.max",
					  pages[i / 2].size);

		if (!file || resources_write(ret, &element, file, "%" PRIu64, pages[i / 2].limit))
			return fail_memory(f);
	}
	return 0;
}

struct rdma {
	uint32_t handles;
	uint32_t objects;
	bool has_handles;
	bool has_objects;
};

static const struct rule rdma_rows[] = {
	{.key = "hcaHandles",
	 .read = field_u32,
	 .offset = offsetof(struct rdma, handles),
	 .present = offsetof(struct rdma, has_handles)},
	{.key = "hcaObjects",
	 .read = field_u32,
	 .offset = offsetof(struct rdma, objects),
	 .present = offsetof(struct rdma, has_objects)},
};
RULES(rdma_rules, rdma_rows);

static int read_rdma(const struct field *member, void *context, struct failure *f)
{
	struct rdma rdma = {.has_handles = false};
	char handles[24];
	char objects[24];

	if (field_members(member, &rdma_rules, &rdma, f))
		return -1;
	if (!member->key[0] || strlen(member->key) > 63 || strpbrk(member->key, " \n\t"))
		return field_fail(member, f, "is not a device's name");
	if (!rdma.has_handles && !rdma.has_objects)
		return field_fail(member, f, "must have hcaHandles or hcaObjects");
	return resources_write(context, member, "rdma.max", "%s hca_handle=%s hca_object=%s",
			       member->key,
			       limit_text(rdma.has_handles ? (int64_t)rdma.handles : -1, handles),
			       limit_text(rdma.has_objects ? (int64_t)rdma.objects : -1, objects))
		       ? fail_memory(f)
		       : 0;
}

static int parse_rdma(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	(void)rule; /* nothing in it */
	return field_each(field, read_rdma, ret, f);
}

/* "memory.high": a controller's file. What holds processes is not the configuration's. */
static bool is_controller_file(const char *name)
{
	return strchr(name, '.') && name[0] != '.' && !strchr(name, '/') && !strstr(name, "..") &&
	       strncmp(name, "cgroup.", 7) != 0 && name[strlen(name) - 1] != '.';
}

/* The kernel takes one line a write. */
static int read_unified(const struct field *member, void *context, struct failure *f)
{
	const char *text;

	if (field_string(member, NULL, &text, f))
		return -1;
	if (!is_controller_file(member->key))
		return field_fail(member, f, "is not the name of a controller's file");
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (length && resources_write_string(context, member, member->key,
						     arena_printf(member->document->arena, "%.*s",
								  (int)length, text)))
			return fail_memory(f);
		text += length + (text[length] == '\n');
	}
	return 0;
}

static int parse_unified(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	struct resources *resources = ret;

	(void)rule; /* nothing in it */
	resources->unified_field = *field;
	resources->unified = &resources->unified_field;
	return field_expect(field, 'o', f);
}

static const struct rule resource_rows[] = {
	{.key = "devices", .read = parse_device_rules},
	{.key = "memory", .read = parse_memory},
	{.key = "cpu", .read = parse_cpu},
	{.key = "pids", .read = field_object, .members = &pids_rules},
	{.key = "blockIO", .read = parse_block_io},
	{.key = "hugepageLimits", .read = parse_hugepages},
	{.key = "rdma", .read = parse_rdma},
	{.key = "unified", .read = parse_unified},
};
RULES(resource_rules, resource_rows);

int parse_resources(const struct field *field, const struct rule *rule, void *ret,
		    struct failure *f)
{
	struct resources resources = {.count = 0};

	(void)rule; /* the table says it */
	if (field_members(field, &resource_rules, &resources, f))
		return -1;
	if (resources.unified && field_each(resources.unified, read_unified, &resources, f))
		return -1;
	*(struct oci_resources *)ret = (struct oci_resources){
		.present = resources.count || resources.device_count,
		.writes = resources.writes,
		.write_count = resources.count,
		.devices = resources.devices,
		.device_count = resources.device_count,
	};
	return 0;
}
