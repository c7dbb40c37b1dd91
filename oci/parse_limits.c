// SPDX-License-Identifier: Apache-2.0
/* "process.capabilities" and "process.rlimits". */
#include "parse.h"

#include <string.h>

#include "names.h"

/*
 * One set. config.md: a name that the kernel does not know is a warning, not an error.
 */
static int read_set(const struct field *field, const struct rule *rule, void *ret,
		    struct failure *f)
{
	struct oci_strings names;
	uint64_t set = 0;

	if (field_strings(field, rule, &names, f))
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct field element = {.up = field, .index = i, .document = field->document};
		int number = capability_find(names.items[i]);

		if (number >= 0)
			set |= (uint64_t)1 << number;
		else if (field_warn(&element, f, "unknown capability " SHOWN, names.items[i]))
			return -1;
	}
	*(uint64_t *)ret = set;
	return 0;
}

#define SET(name)                                                                                 \
	{                                                                                         \
		.key = #name, .read = read_set, .offset = offsetof(struct oci_capabilities, name) \
	}

static const struct rule capability_rows[] = {
	SET(bounding), SET(effective), SET(inheritable), SET(permitted), SET(ambient),
};
RULES(capability_rules, capability_rows);

/* Drops, with a warning, what the kernel would not grant with the other sets being as they are. */
static int keep_grantable(const struct field *field, const char *key, uint64_t granted,
			  const char *reason, uint64_t *set, struct failure *f)
{
	struct field member = {.up = field, .key = key, .document = field->document};
	uint64_t lost = *set & ~granted;

	for (unsigned i = 0; i < CAPABILITY__COUNT; i++) {
		if ((lost >> i & 1) &&
		    field_warn(&member, f, "%s is not granted: %s", capability_names[i], reason))
			return -1;
	}
	*set &= granted;
	return 0;
}

int parse_capabilities(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	struct oci_capabilities *caps = ret;

	(void)rule; /* the table says it */
	if (field_members(field, &capability_rules, caps, f))
		return -1;
	if (keep_grantable(field, "effective", caps->permitted, "it is not in permitted",
			   &caps->effective, f) ||
	    keep_grantable(field, "inheritable", caps->bounding, "it is not in bounding",
			   &caps->inheritable, f) ||
	    keep_grantable(field, "ambient", caps->permitted & caps->inheritable,
			   "it is not in permitted and inheritable", &caps->ambient, f))
		return -1;
	caps->present = true;
	return 0;
}

static int read_resource(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	const char *name;
	int number;

	if (field_string(field, rule, &name, f))
		return -1;
	number = rlimit_find(name);
	if (number < 0)
		return field_fail(field, f, "unknown resource limit " SHOWN, name);
	*(int *)ret = number;
	return 0;
}

#define MEMBER(name) offsetof(struct oci_rlimit, name)

static const struct rule rlimit_rows[] = {
	{.key = "type", .read = read_resource, .offset = MEMBER(resource), .is_required = true},
	{.key = "soft", .read = field_u64, .offset = MEMBER(soft), .is_required = true},
	{.key = "hard", .read = field_u64, .offset = MEMBER(hard), .is_required = true},
};
RULES(rlimit_rules, rlimit_rows);

static int read_rlimit(const struct field *field, void *ret, struct failure *f)
{
	struct oci_rlimit *limit = ret;

	if (field_members(field, &rlimit_rules, limit, f))
		return -1;
	if (limit->soft > limit->hard)
		return field_fail(field, f, "soft must not be greater than hard");
	return 0;
}

int parse_rlimits(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_rlimit), read_rlimit};
	struct oci_process *process = ret;
	unsigned seen = 0;

	(void)rule; /* the table says it */
	if (field_list(field, &list, &process->rlimits, &process->rlimit_count, f))
		return -1;
	for (size_t i = 0; i < process->rlimit_count; i++) {
		struct field element = {.up = field, .index = i};
		unsigned bit = 1u << process->rlimits[i].resource;

		if (seen & bit)
			return field_fail(&element, f, "%s is there twice",
					  rlimit_names[process->rlimits[i].resource]);
		seen |= bit;
	}
	return 0;
}
