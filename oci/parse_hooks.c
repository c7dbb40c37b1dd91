// SPDX-License-Identifier: Apache-2.0
/* "hooks": programs to run at six moments (config.md, "POSIX-platform Hooks"). */
#include <string.h>

#include "names.h"
#include "parse.h"

#define MEMBER(name) offsetof(struct oci_hook, name)

static const struct rule hook_rows[] = {
	{.key = "path", .read = field_absolute_path, .offset = MEMBER(path), .is_required = true},
	{.key = "args", .read = field_strings, .offset = MEMBER(args)},
	{.key = "env", .read = parse_env, .offset = MEMBER(env)},
	{.key = "timeout",
	 .read = field_u32,
	 .offset = MEMBER(timeout_s),
	 .present = MEMBER(has_timeout),
	 .min = 1,
	 .max = INT32_MAX},
};
RULES(hook_rules, hook_rows);

static char *const no_strings[] = {NULL};

/* Without args the program gets its path as its name. */
static int read_hook(const struct field *field, void *ret, struct failure *f)
{
	struct oci_hook *hook = ret;

	if (field_members(field, &hook_rules, hook, f))
		return -1;
	if (!hook->env.items)
		hook->env.items = (char **)no_strings;
	if (!hook->args.count) {
		hook->args.items =
			arena_zalloc(field->document->arena, 2, sizeof(*hook->args.items));
		if (!hook->args.items)
			return fail_memory(f);
		hook->args.items[0] = (char *)hook->path;
		hook->args.count = 1;
	}
	hook->field = field_pointer_text(field);
	return hook->field ? 0 : fail_memory(f);
}

static int read_moment(const struct field *member, void *context, struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_hook), read_hook};
	struct oci_hooks *hooks = context;

	for (size_t i = 0; i < names_hooks.count; i++) {
		uint32_t kind = names_hooks.rows[i].value;

		if (strcmp(names_hooks.rows[i].name, member->key) == 0)
			return field_list(member, &list, &hooks->items[kind], &hooks->counts[kind],
					  f);
	}
	return 0;
}

int parse_hooks(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	(void)rule; /* the names say it */
	return field_each(field, read_moment, ret, f);
}
