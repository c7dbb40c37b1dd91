// SPDX-License-Identifier: Apache-2.0
/* The "process" object: what runs, as whom, and within which limits. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "document.h"

#define NGROUPS_MAX     65536
#define ID_MAX          4294967294 /* (uid_t)-1 means "no change" to the kernel */
#define PERMISSIONS_MAX 0777

struct console_size {
	uint16_t height;
	uint16_t width;
};

static const struct rule console_rows[] = {
	{.key = "height",
	 .read = field_u16,
	 .offset = offsetof(struct console_size, height),
	 .is_required = true},
	{.key = "width",
	 .read = field_u16,
	 .offset = offsetof(struct console_size, width),
	 .is_required = true},
};
RULES(console_rules, console_rows);

static int parse_console(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	struct oci_process *process = ret;
	struct console_size size;

	if (field_members(field, rule->members, &size, f))
		return -1;
	process->has_console_size = true;
	process->console_rows = size.height;
	process->console_columns = size.width;
	return 0;
}

static int parse_args(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	struct oci_strings args;

	if (field_strings(field, rule, &args, f))
		return -1;
	if (!args.count)
		return field_fail(field, f, "must have at least one element");
	*(struct oci_strings *)ret = args;
	return 0;
}

struct variable {
	const char *text;
	size_t index;
};

/* By name, those of the same name by their order; "=" ends a name. */
static int variable_compare(const void *left, const void *right)
{
	const struct variable *a = left;
	const struct variable *b = right;
	size_t a_length = strcspn(a->text, "=");
	size_t b_length = strcspn(b->text, "=");
	int order = memcmp(a->text, b->text, a_length < b_length ? a_length : b_length);

	if (order)
		return order;
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool is_same_variable(const char *a, const char *b)
{
	size_t length = strcspn(a, "=") + 1;

	return strncmp(a, b, length) == 0;
}

/*
 * As under crun, a variable that is there again has its last value, at its first place. A program
 * that asks for it finds the first of several.
 */
static int merge_repeated(const struct field *field, struct oci_strings *env, struct failure *f)
{
	struct variable *sorted =
		arena_zalloc(field->document->arena, env->count + 1, sizeof(*sorted));
	size_t used = 0;

	if (!sorted)
		return fail_memory(f);
	for (size_t i = 0; i < env->count; i++)
		sorted[i] = (struct variable){env->items[i], i};
	qsort(sorted, env->count, sizeof(*sorted), variable_compare);
	for (size_t i = 0, first = 0; i < env->count; i++) {
		if (!is_same_variable(sorted[first].text, sorted[i].text))
			first = i;
		env->items[sorted[i].index] = NULL;
		env->items[sorted[first].index] = (char *)sorted[i].text;
	}
	for (size_t i = 0; i < env->count; i++) {
		if (env->items[i])
			env->items[used++] = env->items[i];
	}
	env->items[used] = NULL;
	env->count = used;
	return 0;
}

/* Values are not shown in messages: environments carry secrets. */
int parse_env(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_strings env;

	if (field_strings(field, rule, &env, f))
		return -1;
	for (size_t i = 0; i < env.count; i++) {
		struct field element = {.up = field, .index = i};
		const char *equals = strchr(env.items[i], '=');

		if (!equals)
			return field_fail(&element, f, "must be NAME=VALUE, has no \"=\"");
		if (equals == env.items[i])
			return field_fail(&element, f, "must be NAME=VALUE, has no name");
	}
	if (merge_repeated(field, &env, f))
		return -1;
	*(struct oci_strings *)ret = env;
	return 0;
}

static int read_gid(const struct field *field, void *ret, struct failure *f)
{
	static const struct rule rule = {.max = ID_MAX};

	return field_u32(field, &rule, ret, f);
}

static int parse_groups(const struct field *field, const struct rule *rule, void *ret,
			struct failure *f)
{
	static const struct field_list list = {sizeof(uint32_t), read_gid};
	struct oci_user *user = ret;
	size_t count;

	(void)rule; /* the list has its own */
	if (field_list(field, &list, &user->additional_gids, &count, f))
		return -1;
	/* The primary group becomes one of them. */
	if (count > NGROUPS_MAX - 1)
		return field_fail(field, f, "must have at most %d elements", NGROUPS_MAX - 1);
	user->additional_gid_count = count;
	return 0;
}

static const struct rule user_rows[] = {
	{.key = "uid",
	 .read = field_u32,
	 .offset = offsetof(struct oci_user, uid),
	 .is_required = true,
	 .max = ID_MAX},
	{.key = "gid",
	 .read = field_u32,
	 .offset = offsetof(struct oci_user, gid),
	 .is_required = true,
	 .max = ID_MAX},
	{.key = "umask",
	 .read = field_u32,
	 .offset = offsetof(struct oci_user, umask),
	 .present = offsetof(struct oci_user, has_umask),
	 .max = PERMISSIONS_MAX},
	{.key = "additionalGids", .read = parse_groups},
};
RULES(user_rules, user_rows);

#define MEMBER(name) offsetof(struct oci_process, name)

static const struct rule affinity_rows[] = {
	{.key = "initial", .read = parse_cpu_set, .offset = MEMBER(exec_cpus_initial)},
	{.key = "final", .read = parse_cpu_set, .offset = MEMBER(exec_cpus_final)},
};
RULES(affinity_rules, affinity_rows);

static const struct rule process_rows[] = {
	{.key = "terminal", .read = field_bool, .offset = MEMBER(terminal)},
	{.key = "consoleSize", .read = parse_console, .members = &console_rules},
	{.key = "args", .read = parse_args, .offset = MEMBER(args), .is_required = true},
	{.key = "env", .read = parse_env, .offset = MEMBER(env)},
	{.key = "cwd", .read = field_absolute_path, .offset = MEMBER(cwd), .is_required = true},
	{.key = "user", .read = field_object, .offset = MEMBER(user), .members = &user_rules},
	{.key = "capabilities", .read = parse_capabilities, .offset = MEMBER(caps)},
	{.key = "rlimits", .read = parse_rlimits},
	{.key = "noNewPrivileges", .read = field_bool, .offset = MEMBER(no_new_privileges)},
	{.key = "oomScoreAdj",
	 .read = field_int,
	 .offset = MEMBER(oom_score_adj),
	 .present = MEMBER(has_oom_score_adj),
	 .min = -1000,
	 .max = 1000},
	{.key = "scheduler", .read = parse_scheduler, .offset = MEMBER(scheduler)},
	{.key = "ioPriority", .read = parse_io_priority, .offset = MEMBER(io_priority)},
	{.key = "execCPUAffinity", .read = field_object, .members = &affinity_rules},
};
RULES(process_rules, process_rows);

static char *const no_strings[] = {NULL};

int parse_process(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_process *process = ret;

	(void)rule; /* the tables say it */
	if (field_members(field, &process_rules, process, f))
		return -1;
	if (!process->env.items)
		process->env.items = (char **)no_strings;
	return 0;
}
