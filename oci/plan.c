// SPDX-License-Identifier: Apache-2.0
/*
 * spec + sources -> plan.
 *
 * The order, and why it is this one:
 *   root     layers, upper, overlay
 *   machine  nodes to be bound, cgroup, network, kernel parameters, names: what belongs to no
 *            namespace of the container
 *   enter    from here on paths are the container's
 *   files    /etc/hosts and its like, while nothing of the configuration is mounted: so they land
 *            in the root and never in somebody's volume
 *   mounts   what every container gets, then the configuration's in its order; device nodes come
 *            right after what /dev is
 *   settings kernel parameters and names of the container's namespaces, the working directory
 *   seal     what is to be read-only or out of sight becomes so when all is made
 *
 * Should: decide everything, so that applying is a loop without questions.
 * Must not: look at anything but its arguments.
 */
#include "planner.h"

#include <string.h>

#include "arena.h"
#include "document.h"

#define STEPS_AT_FIRST 64u /* the default container has fewer */

int planner_add(struct planner *planner, const struct step *step, struct failure *f)
{
	if (planner->count == planner->room) {
		size_t room = planner->room ? 2 * planner->room : STEPS_AT_FIRST;
		struct step *grown = arena_alloc(planner->arena, room * sizeof(*grown));

		if (!grown)
			return fail_memory(f);
		if (planner->count)
			memcpy(grown, planner->steps, planner->count * sizeof(*grown));
		planner->steps = grown;
		planner->room = room;
	}
	planner->steps[planner->count++] = *step;
	return 0;
}

char *planner_field(struct planner *planner, const char *prefix, size_t number)
{
	size_t length = strlen(prefix);
	size_t digits = 1;
	char *field;

	for (size_t left = number; left >= 10; left /= 10)
		digits++;
	field = arena_alloc(planner->arena, length + digits + 1);
	if (!field)
		return NULL;
	memcpy(field, prefix, length);
	field[length + digits] = '\0';
	for (size_t i = digits; i > 0; i--, number /= 10)
		field[length + i - 1] = (char)('0' + number % 10);
	return field;
}

const struct oci_mount *planner_mount_at(const struct planner *planner, const char *destination)
{
	for (size_t i = planner->spec->mount_count; i > 0; i--) {
		const struct oci_mount *mount = &planner->spec->mounts[i - 1];

		if (!mount->remount && strcmp(mount->destination, destination) == 0)
			return mount;
	}
	return NULL;
}

bool planner_has(const struct planner *planner, enum oci_namespace_kind kind)
{
	return planner->spec->linux_.namespaces[kind].present;
}

static int plan_machine_side(struct planner *planner, struct failure *f)
{
	return plan_root(planner, f) || plan_work_devices(planner, f) || plan_machine(planner, f)
		       ? -1
		       : 0;
}

static int plan_container_side(struct planner *planner, struct failure *f)
{
	return plan_enter(planner, f) || plan_files(planner, f) || plan_mounts(planner, f) ||
			       plan_config_devices(planner, f) || plan_settings(planner, f) ||
			       plan_seal(planner, f)
		       ? -1
		       : 0;
}

int plan_build(const struct oci_spec *spec, const struct plan_sources *sources, struct plan *ret,
	       struct failure *f)
{
	struct planner planner = {.spec = spec, .sources = sources, .arena = spec->arena};

	size_t machine_count;

	if (plan_machine_side(&planner, f))
		return fail_at(f, STAGE_PLAN, NULL);
	machine_count = planner.count;
	if (plan_container_side(&planner, f))
		return fail_at(f, STAGE_PLAN, NULL);
	*ret = (struct plan){planner.steps, planner.count, machine_count};
	return 0;
}
