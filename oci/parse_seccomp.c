// SPDX-License-Identifier: Apache-2.0
/*
 * "linux.seccomp". Names of system calls stay names: init/ asks libseccomp for the numbers and
 * leaves out those that the architecture does not have, as every runtime does.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "names.h"
#include "parse.h"

#define ARG_INDEX_MAX 5

static bool takes_errno(uint32_t action)
{
	return action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
}

static int read_action(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	static const struct rule actions = {.names = &names_seccomp_actions};
	const char *name;

	if (field_string(field, rule, &name, f))
		return -1;
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return field_fail(field, f, "%s is not supported: nobody in the machine listens",
				  name);
	return field_name(field, &actions, ret, f);
}

/* The action with what it returns; EPERM when nothing is said. */
static int add_errno(const struct field *object, const char *key, bool is_given, uint32_t number,
		     uint32_t *action, struct failure *f)
{
	struct field field = {.up = object, .key = key};

	if (is_given && !takes_errno(*action))
		return field_fail(&field, f, "needs the action SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
	if (takes_errno(*action))
		*action |= is_given ? number : EPERM;
	return 0;
}

#define MEMBER(name) offsetof(struct oci_seccomp_arg, name)

static const struct rule arg_rows[] = {
	{.key = "index",
	 .read = field_u32,
	 .offset = MEMBER(index),
	 .max = ARG_INDEX_MAX,
	 .is_required = true},
	{.key = "value", .read = field_u64, .offset = MEMBER(value), .is_required = true},
	{.key = "valueTwo", .read = field_u64, .offset = MEMBER(value_two)},
	{.key = "op",
	 .read = field_name,
	 .offset = MEMBER(op),
	 .names = &names_seccomp_operators,
	 .is_required = true},
};
RULES(arg_rules, arg_rows);

static int read_arg(const struct field *field, void *ret, struct failure *f)
{
	return field_members(field, &arg_rules, ret, f);
}

static int parse_args(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_seccomp_arg), read_arg};
	struct oci_seccomp_rule *seccomp = ret;

	(void)rule; /* the table says it */
	return field_list(field, &list, &seccomp->args, &seccomp->arg_count, f);
}

struct raw_rule {
	struct oci_seccomp_rule rule;
	uint32_t errno_ret;
	bool has_errno;
};

static const struct rule rule_rows[] = {
	{.key = "names",
	 .read = field_strings,
	 .offset = offsetof(struct raw_rule, rule.names),
	 .is_required = true},
	{.key = "action",
	 .read = read_action,
	 .offset = offsetof(struct raw_rule, rule.action),
	 .is_required = true},
	{.key = "errnoRet",
	 .read = field_u32,
	 .offset = offsetof(struct raw_rule, errno_ret),
	 .present = offsetof(struct raw_rule, has_errno),
	 .max = SECCOMP_RET_DATA},
	{.key = "args", .read = parse_args, .offset = offsetof(struct raw_rule, rule)},
};
RULES(rule_rules, rule_rows);

static int read_rule(const struct field *field, void *ret, struct failure *f)
{
	struct raw_rule raw = {.has_errno = false};
	struct field names = {.up = field, .key = "names"};

	if (field_members(field, &rule_rules, &raw, f) ||
	    add_errno(field, "errnoRet", raw.has_errno, raw.errno_ret, &raw.rule.action, f))
		return -1;
	if (!raw.rule.names.count)
		return field_fail(&names, f, "must have at least one element");
	raw.rule.field = field_pointer_text(field);
	if (!raw.rule.field)
		return fail_memory(f);
	*(struct oci_seccomp_rule *)ret = raw.rule;
	return 0;
}

struct raw_seccomp {
	struct oci_seccomp seccomp;
	uint32_t errno_ret;
	bool has_errno;
};

static int parse_rules(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_seccomp_rule), read_rule};
	struct oci_seccomp *seccomp = ret;

	(void)rule; /* the table says it */
	return field_list(field, &list, &seccomp->rules, &seccomp->rule_count, f);
}

static int parse_archs(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	static const struct rule archs = {.names = &names_seccomp_archs};
	struct oci_seccomp *seccomp = ret;
	uint32_t found;

	(void)rule; /* the other one says it */
	if (field_flags(field, &archs, &found, f))
		return -1;
	seccomp->has_architectures = !field_is_empty(field);
	seccomp->has_aarch64 = field_is_empty(field) || found & NAMES_AARCH64;
	return 0;
}

/* Somebody outside of the machine cannot answer for a system call in it. */
static int refuse_listener(const struct field *field, const struct rule *rule, void *ret,
			   struct failure *f)
{
	const char *text;

	(void)ret; /* nothing is kept */
	if (field_string(field, rule, &text, f))
		return -1;
	return text[0] ? field_fail(field, f, "seccomp listeners are not supported") : 0;
}

#undef MEMBER
#define MEMBER(name) offsetof(struct raw_seccomp, name)

static const struct rule seccomp_rows[] = {
	{.key = "defaultAction",
	 .read = read_action,
	 .offset = MEMBER(seccomp.default_action),
	 .is_required = true},
	{.key = "defaultErrnoRet",
	 .read = field_u32,
	 .offset = MEMBER(errno_ret),
	 .present = MEMBER(has_errno),
	 .max = SECCOMP_RET_DATA},
	{.key = "architectures", .read = parse_archs, .offset = MEMBER(seccomp)},
	{.key = "flags",
	 .read = field_flags,
	 .offset = MEMBER(seccomp.flags),
	 .names = &names_seccomp_flags},
	{.key = "listenerPath", .read = refuse_listener},
	{.key = "listenerMetadata", .read = refuse_listener},
	{.key = "syscalls", .read = parse_rules, .offset = MEMBER(seccomp)},
};
RULES(seccomp_rules, seccomp_rows);

int parse_seccomp(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct raw_seccomp raw = {.seccomp = {.present = true, .has_aarch64 = true}};

	(void)rule; /* the table says it */
	if (field_members(field, &seccomp_rules, &raw, f) ||
	    add_errno(field, "defaultErrnoRet", raw.has_errno, raw.errno_ret,
		      &raw.seccomp.default_action, f))
		return -1;
	*(struct oci_seccomp *)ret = raw.seccomp;
	return 0;
}
