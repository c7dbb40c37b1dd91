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

#define DEFAULTS (sizeof(default_devices) / sizeof(default_devices[0]))

static int config_device(struct planner *planner, size_t index, struct step *ret, struct failure *f)
{
	const struct oci_device *device = &planner->spec->devices[index];

	*ret = (struct step){
		.kind = STEP_MKNOD,
		.field = planner_field(planner, "/linux/devices/", index),
		.dst = device->path,
		.mode = device->mode,
		.dev_major = device->major,
		.dev_minor = device->minor,
		.uid = device->uid,
		.gid = device->gid,
	};
	return ret->field ? 0 : fail_memory(f);
}

/* A node that PID 1 has to make, because in a user namespace nobody can; pipes anybody can make. */
static bool is_made_before(const struct planner *planner, const struct step *step)
{
	return planner_has(planner, OCI_NAMESPACE_USER) && step->kind == STEP_MKNOD &&
	       (step->mode & S_IFMT) != S_IFIFO;
}

/* Number of a node among those made before: the defaults, then the configuration's. */
static const char *work_path(struct planner *planner, size_t number)
{
	return arena_printf(planner->arena, "device/%03zu", number);
}

/* The step itself, or the bind of what was made before. */
static int add_device(struct planner *planner, const struct step *step, size_t number,
		      struct failure *f)
{
	struct step bind = {
		.kind = STEP_BIND, .flags = STEP_SRC_WORK, .field = step->field, .dst = step->dst};

	if (!is_made_before(planner, step))
		return planner_add(planner, step, f);
	bind.src = work_path(planner, number);
	return bind.src ? planner_add(planner, &bind, f) : fail_memory(f);
}

/* The ID outside of the user namespace; without maps (a joined one) it is left as it is. */
static int map_id(const struct oci_id_maps *maps, const char *field, uint32_t *id,
		  struct failure *f)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_map *map = &maps->items[i];

		if (*id >= map->container_id && *id - map->container_id < map->size) {
			*id = map->host_id + (*id - map->container_id);
			return 0;
		}
	}
	return maps->count ? fail_config(f, field, "its owner %u is not in the ID mappings", *id)
			   : 0;
}

static int make_before(struct planner *planner, struct step node, size_t number, struct failure *f)
{
	const struct oci_linux *linux_ = &planner->spec->linux_;

	if (!is_made_before(planner, &node))
		return 0;
	node.flags |= STEP_WORK;
	node.dst = work_path(planner, number);
	if (!node.dst)
		return fail_memory(f);
	if (map_id(&linux_->uid_maps, node.field, &node.uid, f) ||
	    map_id(&linux_->gid_maps, node.field, &node.gid, f))
		return -1;
	return planner_add(planner, &node, f);
}

int plan_work_devices(struct planner *planner, struct failure *f)
{
	struct step step;

	if (!planner_has(planner, OCI_NAMESPACE_USER)) /* no test can: it saves time only */
		return 0;
	for (size_t i = 0; i < DEFAULTS; i++) {
		if (!is_configured(planner->spec, default_devices[i].dst) &&
		    make_before(planner, default_devices[i], i, f))
			return -1;
	}
	for (size_t i = 0; i < planner->spec->device_count; i++) {
		if (config_device(planner, i, &step, f) ||
		    make_before(planner, step, DEFAULTS + i, f))
			return -1;
	}
	return 0;
}

int plan_default_devices(struct planner *planner, struct failure *f)
{
	for (size_t i = 0; i < DEFAULTS; i++) {
		if (!is_configured(planner->spec, default_devices[i].dst) &&
		    add_device(planner, &default_devices[i], i, f))
			return -1;
	}
	return 0;
}

int plan_config_devices(struct planner *planner, struct failure *f)
{
	struct step step;

	for (size_t i = 0; i < planner->spec->device_count; i++) {
		if (config_device(planner, i, &step, f) ||
		    add_device(planner, &step, DEFAULTS + i, f))
			return -1;
	}
	return 0;
}
