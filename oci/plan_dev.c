// SPDX-License-Identifier: Apache-2.0
/* Device nodes and links: config-linux.md "Default Devices", runtime-linux.md "Dev symbolic links".
 */
#include <string.h>
#include <sys/stat.h> /* S_IF types only */

#include "arena.h"
#include "document.h"
#include "planner.h"

#define NODE(path, major, minor)                                                \
	{                                                                       \
		.kind = STEP_MKNOD, .field = "<builtin:" path ">", .dst = path, \
		.mode = S_IFCHR | 0666, .dev_major = major, .dev_minor = minor  \
	}
#define SYMLINK(path, target)                                                                   \
	{                                                                                       \
		.kind = STEP_SYMLINK, .field = "<builtin:" path ">", .src = target, .dst = path \
	}

/* clang-format off */
static const struct step default_devices[] = {
	NODE("/dev/null", 1, 3),
	NODE("/dev/zero", 1, 5),
	NODE("/dev/full", 1, 7),
	NODE("/dev/random", 1, 8),
	NODE("/dev/urandom", 1, 9),
	NODE("/dev/tty", 5, 0),
	SYMLINK("/dev/ptmx", "pts/ptmx"),
	SYMLINK("/dev/fd", "/proc/self/fd"),
	SYMLINK("/dev/stdin", "/proc/self/fd/0"),
	SYMLINK("/dev/stdout", "/proc/self/fd/1"),
	SYMLINK("/dev/stderr", "/proc/self/fd/2"),
	SYMLINK("/dev/core", "/proc/kcore"),
};
/* clang-format on */

static bool is_configured(const struct oci_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (strcmp(spec->devices[i].path, path) == 0)
			return true;
	}
	return false;
}

int plan_default_devices(struct planner *planner, struct failure *f)
{
	for (size_t i = 0; i < sizeof(default_devices) / sizeof(default_devices[0]); i++) {
		if (!is_configured(planner->spec, default_devices[i].dst) &&
		    planner_add(planner, &default_devices[i], f))
			return -1;
	}
	return 0;
}

int plan_config_devices(struct planner *planner, struct failure *f)
{
	for (size_t i = 0; i < planner->spec->device_count; i++) {
		const struct oci_device *device = &planner->spec->devices[i];
		struct step step = {
			.kind = STEP_MKNOD,
			.field = arena_printf(planner->arena, "/linux/devices/%zu", i),
			.dst = device->path,
			.mode = device->mode,
			.dev_major = device->major,
			.dev_minor = device->minor,
			.uid = device->uid,
			.gid = device->gid,
		};

		if (!step.field)
			return fail_memory(f);
		if (planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}
