// SPDX-License-Identifier: Apache-2.0
/* smk plan: the steps that the guest would carry out for a bundle, without booting it. */
#include "host.h"

#include <stdio.h>

#include "oci/plan.h"

static int print_plan(const struct bundle *bundle, struct failure *f)
{
	static const struct plan_layer layer = {SOURCE_BLOCK, "vda", "squashfs"};
	const struct plan_sources sources = {.layers = &layer, .layer_count = 1};
	struct plan plan;
	char line[8192];

	for (size_t i = 0; i < bundle->spec.warning_count; i++)
		say_warning("parse: %s: %s", bundle->spec.warnings[i].field,
			    bundle->spec.warnings[i].why);
	if (plan_build(&bundle->spec, &sources, &plan, f))
		return fail_at(f, STAGE_PLAN, NULL);
	for (size_t i = 0; i < plan.count; i++) {
		plan_print_step(&plan.steps[i], line, sizeof(line));
		puts(line);
	}
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
