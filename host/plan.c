// SPDX-License-Identifier: Apache-2.0
/* smk plan: the steps that the guest would carry out for a bundle, and all hooks, without booting it. */
#include "host.h"

#include <stdio.h>

#include "oci/names.h"
#include "oci/plan.h"
#include "oci/plan_line.h"

#define LINE_BYTES 8192

static void print_hook(const struct oci_hook *hook, const char *kind)
{
	char text[LINE_BYTES] = "";
	struct line line = {.text = text, .size = sizeof(text)};

	line_format(&line, "hook %s", kind);
	line_column(&line, hook->path);
	for (size_t i = 0; i < hook->args.count; i++)
		line_column(&line, hook->args.items[i]);
	if (hook->has_timeout)
		line_format(&line, " timeout=%u", hook->timeout_s);
	line_column(&line, hook->field);
	puts(text);
}

/* The kinds are in the order in which they run. */
static void print_hooks(const struct oci_hooks *hooks, enum oci_hook_kind first,
			enum oci_hook_kind last)
{
	for (int kind = (int)first; kind <= (int)last; kind++)
		for (size_t i = 0; i < hooks->counts[kind]; i++)
			print_hook(&hooks->items[kind][i], names_hooks.rows[kind].name);
}

static int print_plan(const struct bundle *bundle, struct failure *f)
{
	static const struct plan_layer layer = {SOURCE_BLOCK, "vda", "squashfs"};
	const struct plan_sources sources = {.layers = &layer, .layer_count = 1};
	const struct oci_hooks *hooks = &bundle->spec.hooks;
	struct plan plan;
	char line[LINE_BYTES];

	for (size_t i = 0; i < bundle->spec.warning_count; i++)
		say_warning("parse: %s: %s", bundle->spec.warnings[i].field,
			    bundle->spec.warnings[i].why);
	if (plan_build(&bundle->spec, &sources, &plan, f))
		return fail_at(f, STAGE_PLAN, NULL);
	print_hooks(hooks, OCI_HOOK_PRESTART, OCI_HOOK_CREATE_RUNTIME);
	for (size_t i = 0; i < plan.count; i++) {
		plan_print_step(&plan.steps[i], line, sizeof(line));
		puts(line);
	}
	print_hooks(hooks, OCI_HOOK_CREATE_CONTAINER, OCI_HOOK_POSTSTOP);
	return 0;
}

int command_plan(int argc, char *const *argv, struct failure *f)
{
	const struct strings no_env = {0};
	struct bundle bundle;
	int result;

	if (argc != 1)
		return fail_config(f, "", "plan needs one bundle: smk plan BUNDLE");
	if (bundle_open(argv[0], &no_env, &bundle, f))
		return -1;
	result = print_plan(&bundle, f);
	bundle_finish(&bundle);
	return result;
}
