// SPDX-License-Identifier: Apache-2.0
/* The last steps: what is to be read-only or out of sight. */
#include <linux/mount.h>
#include <string.h>

#include "arena.h"
#include "document.h"
#include "planner.h"

#define CONSOLE "/dev/console"

/* Whether path is below, or is, top. */
static bool is_within(const char *path, const char *top)
{
	size_t length = strlen(top);

	return strncmp(path, top, length) == 0 && (path[length] == '/' || !path[length]);
}

/*
 * A tmpfs is empty, and so is /dev: what later steps make in it must be made before it becomes
 * read-only. One that a later mount covers is not found at the end: it stays as it is asked for.
 */
bool planner_seals_late(const struct planner *planner, size_t index)
{
	const struct oci_mount *mount = &planner->spec->mounts[index];
	bool is_candidate =
		!mount->bind && !mount->remount && (mount->attr_set & MOUNT_ATTR_RDONLY) &&
		(strcmp(mount->type, "tmpfs") == 0 || strcmp(mount->destination, "/dev") == 0);

	for (size_t i = index + 1; is_candidate && i < planner->spec->mount_count; i++) {
		if (is_within(mount->destination, planner->spec->mounts[i].destination))
			return false;
	}
	return is_candidate;
}

static int plan_late(struct planner *planner, struct failure *f)
{
	for (size_t i = 0; i < planner->spec->mount_count; i++) {
		const struct oci_mount *mount = &planner->spec->mounts[i];
		struct step step = {
			.kind = STEP_REMOUNT,
			.flags = mount->sb_readonly ? STEP_SB_READONLY : 0,
			.dst = mount->destination,
			.fstype = mount->sb_readonly ? "remount" : NULL,
			.attr_set = mount->attr_set,
		};

		if (!planner_seals_late(planner, i))
			continue;
		step.field = planner_field(planner, "/mounts/", i);
		if (!step.field)
			return fail_memory(f);
		if (planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}

static int plan_paths(struct planner *planner, enum step_kind kind, const char *prefix,
		      const struct oci_strings *paths, struct failure *f)
{
	for (size_t i = 0; i < paths->count; i++) {
		const struct step step = {
			.kind = kind,
			.field = planner_field(planner, prefix, i),
			.dst = paths->items[i],
		};

		if (!step.field)
			return fail_memory(f);
		if (planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}

static int plan_propagation(struct planner *planner, struct failure *f)
{
	const struct oci_linux *linux_ = &planner->spec->linux_;
	const struct step step = {
		.kind = STEP_ROOT_PROPAGATION,
		.field = "/linux/rootfsPropagation",
		.propagation = (enum oci_propagation)linux_->root_propagation,
		.propagation_recursive = linux_->root_propagation_recursive,
	};

	return step.propagation == OCI_PROPAGATION_NONE ? 0 : planner_add(planner, &step, f);
}

static int plan_root_readonly(struct planner *planner, struct failure *f)
{
	struct step readonly = {.kind = STEP_ROOT_READONLY, .field = "/root/readonly"};

	if (planner->spec->root.readonly)
		return planner_add(planner, &readonly, f);
	if (planner->sources->upper != UPPER_NONE)
		return 0;
	readonly.field = "<builtin:upper>";
	return planner_add(planner, &readonly, f);
}

static bool is_console_sealed(const struct planner *planner)
{
	const struct oci_strings *paths = &planner->spec->linux_.readonly_paths;

	for (size_t i = 0; i < planner->spec->mount_count; i++) {
		if (planner_seals_late(planner, i) &&
		    is_within(CONSOLE, planner->spec->mounts[i].destination))
			return true;
	}
	for (size_t i = 0; i < paths->count; i++) {
		if (is_within(CONSOLE, paths->items[i]))
			return true;
	}
	return false;
}

/* What the terminal goes on, while it can be made. Optional: the terminal's step judges the place. */
static int plan_console(struct planner *planner, struct failure *f)
{
	static const struct step console = {
		.kind = STEP_FILE,
		.flags = STEP_IF_MISSING | STEP_OPTIONAL,
		.field = "/process/terminal",
		.src = "",
		.dst = CONSOLE,
		.mode = 0620,
	};

	if (!planner->spec->process.terminal || !is_console_sealed(planner))
		return 0;
	return planner_add(planner, &console, f);
}

int plan_seal(struct planner *planner, struct failure *f)
{
	const struct oci_linux *linux_ = &planner->spec->linux_;

	if (plan_console(planner, f) || plan_late(planner, f) ||
	    plan_paths(planner, STEP_READONLY_PATH, "/linux/readonlyPaths/",
		       &linux_->readonly_paths, f) ||
	    plan_paths(planner, STEP_MASK, "/linux/maskedPaths/", &linux_->masked_paths, f) ||
	    plan_propagation(planner, f))
		return -1;
	return plan_root_readonly(planner, f);
}
