// SPDX-License-Identifier: Apache-2.0
/*
 * spec + sources -> plan.
 *
 * The order, and why it is this one:
 *   root     layers, upper, overlay, enter: from here on paths are the container's
 *   files    /etc/hosts and its like, while nothing of the configuration is mounted: so they land
 *            in the root and never in somebody's volume
 *   mounts   what every container gets, then the configuration's in its order; device nodes come
 *            right after what /dev is
 *   machine  names, loopback, the working directory
 *   seal     the root becomes read-only when all that had to be made in it is made
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

const struct oci_mount *planner_mount_at(const struct planner *planner, const char *destination)
{
	for (size_t i = planner->spec->mount_count; i > 0; i--) {
		if (strcmp(planner->spec->mounts[i - 1].destination, destination) == 0)
			return &planner->spec->mounts[i - 1];
	}
	return NULL;
}

static int plan_names(struct planner *planner, struct failure *f)
{
	struct step hostname = {
		.kind = STEP_HOSTNAME, .field = "/hostname", .src = planner->spec->hostname};
	struct step domainname = {
		.kind = STEP_DOMAINNAME, .field = "/domainname", .src = planner->spec->domainname};

	if (hostname.src && planner_add(planner, &hostname, f))
		return -1;
	return domainname.src ? planner_add(planner, &domainname, f) : 0;
}

static int plan_machine(struct planner *planner, struct failure *f)
{
	static const struct step loopback = {
		.kind = STEP_LOOPBACK, .flags = STEP_OPTIONAL, .field = "<builtin:loopback>"};
	struct step cwd = {.kind = STEP_MKDIR,
			   .field = "/process/cwd",
			   .dst = planner->spec->process.cwd,
			   .mode = 0755};

	if (plan_names(planner, f) || planner_add(planner, &loopback, f))
		return -1;
	return strcmp(cwd.dst, "/") != 0 ? planner_add(planner, &cwd, f) : 0;
}

static int plan_seal(struct planner *planner, struct failure *f)
{
	struct step readonly = {.kind = STEP_ROOT_READONLY, .field = "/root/readonly"};

	if (planner->spec->root.readonly)
		return planner_add(planner, &readonly, f);
	if (planner->sources->upper != UPPER_NONE)
		return 0;
	readonly.field = "<builtin:upper>";
	return planner_add(planner, &readonly, f);
}

int plan_build(const struct oci_spec *spec, const struct plan_sources *sources, struct plan *ret,
	       struct failure *f)
{
	struct planner planner = {.spec = spec, .sources = sources, .arena = spec->arena};

	if (plan_root(&planner, f) || plan_files(&planner, f) || plan_mounts(&planner, f) ||
	    plan_config_devices(&planner, f) || plan_machine(&planner, f) || plan_seal(&planner, f))
		return fail_at(f, STAGE_PLAN, NULL);
	*ret = (struct plan){planner.steps, planner.count};
	return 0;
}
