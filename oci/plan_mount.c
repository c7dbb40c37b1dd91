// SPDX-License-Identifier: Apache-2.0
/*
 * Mounts: the file systems every container gets (runtime-spec config-linux.md, "Default
 * Filesystems", and those that every engine adds), unless the configuration mounts the same place
 * itself; and the configuration's, in its order.
 *
 * A default below another one comes when its parent is there: right after the configuration's mount
 * of the parent, or, when the parent is a default too, before all of the configuration's. Into a
 * bind nothing is put: it is somebody else's directory.
 */
#include <linux/mount.h>
#include <string.h>

#include "arena.h"
#include "document.h"
#include "planner.h"

#define COMMON (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

struct default_mount {
	const char *parent; /* of the rows above, or NULL */
	struct step step;
};

#define ROW(parent_, flags_, fstype_, source_, path_, attrs_, ...) \
	{                                                          \
		.parent = parent_, .step = {                       \
			.kind = STEP_MOUNT,                        \
			.flags = flags_,                           \
			.fstype = fstype_,                         \
			.src = source_,                            \
			.dst = path_,                              \
			.attr_set = attrs_,                        \
			.data = PLAN_STRINGS(__VA_ARGS__),         \
			.field = "<builtin:" path_ ">"             \
		}                                                  \
	}

/* clang-format off */
static const struct default_mount default_mounts[] = {
	ROW(NULL, 0, "proc", "proc", "/proc", COMMON),
	ROW(NULL, 0, "sysfs", "sysfs", "/sys", COMMON | MOUNT_ATTR_RDONLY),
	ROW("/sys", STEP_OPTIONAL, "cgroup2", "cgroup", "/sys/fs/cgroup", COMMON | MOUNT_ATTR_RDONLY),
	ROW(NULL, 0, "tmpfs", "tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
	    "mode=755", "size=65536k"),
	ROW("/dev", 0, "devpts", "devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	    "ptmxmode=0666", "mode=0620", "gid=5"),
	ROW("/dev", 0, "tmpfs", "shm", "/dev/shm", COMMON, "mode=1777", "size=65536k"),
	ROW("/dev", STEP_OPTIONAL, "mqueue", "mqueue", "/dev/mqueue", COMMON),
};
/* clang-format on */
#define DEFAULT_MOUNTS (sizeof(default_mounts) / sizeof(default_mounts[0]))

/* The terminals' group: without that ID in a user namespace the mount would fail. */
#define TTY_GID 5u
static const struct oci_strings devpts_without_group = PLAN_STRINGS("ptmxmode=0666", "mode=0620");

static bool has_tty_group(const struct planner *planner)
{
	const struct oci_id_maps *maps = &planner->spec->linux_.gid_maps;

	for (size_t i = 0; i < maps->count; i++) {
		if (TTY_GID >= maps->items[i].container_id &&
		    TTY_GID - maps->items[i].container_id < maps->items[i].size)
			return true;
	}
	return !planner_has(planner, OCI_NAMESPACE_USER);
}

/*
 * File systems that are a namespace's: into a user namespace that does not own that one nobody but
 * the machine can bring them.
 */
static const struct {
	const char *fstype;
	enum oci_namespace_kind owner;
} owned_filesystems[] = {
	{"cgroup2", OCI_NAMESPACE_CGROUP},
	{"mqueue", OCI_NAMESPACE_IPC},
};

static int add_mount(struct planner *planner, struct step *step, struct failure *f)
{
	for (size_t i = 0; i < sizeof(owned_filesystems) / sizeof(owned_filesystems[0]); i++) {
		if (step->kind == STEP_MOUNT && step->idmap == OCI_IDMAP_NONE &&
		    planner_has(planner, OCI_NAMESPACE_USER) &&
		    strcmp(step->fstype, owned_filesystems[i].fstype) == 0 &&
		    !planner_has(planner, owned_filesystems[i].owner))
			step->flags |= STEP_BY_MACHINE;
	}
	return planner_add(planner, step, f);
}

static int add_default(struct planner *planner, const struct step *row, struct failure *f)
{
	struct step step = *row;

	if (strcmp(step.fstype, "devpts") == 0 && !has_tty_group(planner))
		step.data = devpts_without_group;
	return add_mount(planner, &step, f);
}

/* The defaults below parent (NULL: at the top) that the configuration does not mount. */
static int plan_defaults(struct planner *planner, const char *parent, struct failure *f)
{
	for (size_t i = 0; i < DEFAULT_MOUNTS; i++) {
		const struct default_mount *row = &default_mounts[i];
		const char *path = row->step.dst;

		if (!parent != !row->parent || (parent && strcmp(parent, row->parent) != 0))
			continue;
		if (planner_mount_at(planner, path))
			continue;
		if (add_default(planner, &row->step, f))
			return -1;
		if (strcmp(path, "/dev") == 0 && plan_default_devices(planner, f))
			return -1;
		if (!parent && plan_defaults(planner, path, f))
			return -1;
	}
	return 0;
}

static unsigned mount_flags(const struct oci_mount *mount, bool seals_late)
{
	unsigned flags = 0;

	if (mount->recursive)
		flags |= STEP_RECURSIVE;
	if (mount->sb_readonly && !mount->bind && !seals_late)
		flags |= STEP_SB_READONLY;
	if (mount->tmpcopyup)
		flags |= STEP_COPY_UP;
	if (mount->copy_symlink)
		flags |= STEP_COPY_SYMLINK;
	return flags;
}

static struct step mount_step(const struct oci_mount *mount, const char *field, bool seals_late)
{
	struct step step = {
		.kind = mount->remount ? STEP_REMOUNT
			: mount->bind  ? STEP_BIND
				       : STEP_MOUNT,
		.flags = mount_flags(mount, seals_late),
		.field = field,
		.src = mount->source ? mount->source : mount->type,
		.dst = mount->destination,
		.fstype = mount->type,
		.data = mount->data,
		.attr_set = mount->attr_set & ~(seals_late ? MOUNT_ATTR_RDONLY : 0u),
		.attr_clear = mount->attr_clear,
		.propagation = mount->propagation,
		.propagation_recursive = mount->propagation_recursive,
		.attr_set_recursive = mount->attr_set_recursive,
		.attr_clear_recursive = mount->attr_clear_recursive,
		.idmap = mount->idmap,
		.uid_maps = mount->uid_maps,
		.gid_maps = mount->gid_maps,
	};

	/* The guest has cgroup v2 only; the specification's name for both is "cgroup". */
	if (step.fstype && strcmp(step.fstype, "cgroup") == 0)
		step.fstype = "cgroup2";
	if (mount->remount && !mount->bind)
		step.fstype = "remount"; /* the file system too, whatever it is */
	return step;
}

static int plan_mount(struct planner *planner, size_t index, struct failure *f)
{
	const struct oci_mount *mount = &planner->spec->mounts[index];
	const char *field = planner_field(planner, "/mounts/", index);
	struct step step;

	if (!field)
		return fail_memory(f);
	if (strcmp(mount->destination, "/") == 0 && !mount->remount)
		return fail_config(f, field, "a mount cannot replace the root");
	step = mount_step(mount, field, planner_seals_late(planner, index));
	if (mount->tmpcopyup && planner_is_volume(planner, mount->destination))
		step.flags |= STEP_COPY_OWNER;
	if (add_mount(planner, &step, f))
		return -1;
	if (mount->bind || mount->remount || planner_mount_at(planner, mount->destination) != mount)
		return 0;
	if (strcmp(mount->destination, "/dev") == 0 && plan_default_devices(planner, f))
		return -1;
	return plan_defaults(planner, mount->destination, f);
}

int plan_mounts(struct planner *planner, struct failure *f)
{
	if (plan_defaults(planner, NULL, f))
		return -1;
	for (size_t i = 0; i < planner->spec->mount_count; i++) {
		if (plan_mount(planner, i, f))
			return -1;
	}
	return 0;
}
