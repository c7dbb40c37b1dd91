// SPDX-License-Identifier: Apache-2.0
/* A step as one line: its name, what it works on, its flags, and the field that asked for it. */
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h> /* S_IF types only */

#include "plan.h"
#include "plan_line.h"

static const struct {
	uint64_t mask;
	uint64_t value;
	const char *name;     /* in attr_set */
	const char *opposite; /* in attr_clear */
} attrs[] = {
	{MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY, "ro", "rw"},
	{MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSUID, "nosuid", "suid"},
	{MOUNT_ATTR_NODEV, MOUNT_ATTR_NODEV, "nodev", "dev"},
	{MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOEXEC, "noexec", "exec"},
	{MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME, "noatime", NULL},
	{MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME, "strictatime", NULL},
	{MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

static const char *const propagations[][2] = {
	[OCI_PROPAGATION_PRIVATE] = {"private", "rprivate"},
	[OCI_PROPAGATION_SHARED] = {"shared", "rshared"},
	[OCI_PROPAGATION_SLAVE] = {"slave", "rslave"},
	[OCI_PROPAGATION_UNBINDABLE] = {"unbindable", "runbindable"},
};

static void add_item(struct line *line, bool *is_first, const char *item)
{
	line_text(line, *is_first ? " " : ",");
	line_word(line, item);
	*is_first = false;
}

/* prefix "r" for those that hold for all mounts below too */
static void add_attrs(struct line *line, bool *is_first, const char *prefix, uint64_t set,
		      uint64_t clear)
{
	char name[24];

	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		const char *word = NULL;

		if ((set & attrs[i].mask) == attrs[i].value)
			word = attrs[i].name;
		else if (clear & attrs[i].mask)
			word = attrs[i].opposite;
		if (!word)
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, word);
		add_item(line, is_first, name);
	}
	if (clear & MOUNT_ATTR__ATIME && !(set & MOUNT_ATTR__ATIME)) {
		snprintf(name, sizeof(name), "%srelatime", prefix);
		add_item(line, is_first, name);
	}
}

static void add_maps(struct line *line, const char *key, const struct oci_id_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		line_format(line, "%s%s%u-%u-%u", i ? "" : ",", i ? "," : key,
			    maps->items[i].container_id, maps->items[i].host_id,
			    maps->items[i].size);
}

static void add_rare(struct line *line, bool *is_first, const struct step *step)
{
	add_attrs(line, is_first, "r", step->attr_set_recursive, step->attr_clear_recursive);
	if (step->idmap == OCI_IDMAP_NONE)
		return;
	add_item(line, is_first, step->idmap == OCI_IDMAP_RECURSIVE ? "ridmap" : "idmap");
	add_maps(line, "uids=", &step->uid_maps);
	add_maps(line, "gids=", &step->gid_maps);
}

/* Attributes, propagation and data as one comma list; "-" when there are none. */
static void add_options(struct line *line, const struct step *step)
{
	const char *spread = propagations[step->propagation][step->propagation_recursive];
	bool is_first = true;

	add_attrs(line, &is_first, "", step->attr_set, step->attr_clear);
	add_rare(line, &is_first, step);
	if (step->flags & STEP_SB_READONLY)
		add_item(line, &is_first, "sb-ro");
	if (spread)
		add_item(line, &is_first, spread);
	for (size_t i = 0; i < step->data.count; i++)
		add_item(line, &is_first, step->data.items[i]);
	if (is_first)
		line_text(line, " -");
}

static const char *const source_names[] = {
	[SOURCE_BLOCK] = "disk",
	[SOURCE_VIRTIOFS] = "virtiofs",
	[SOURCE_9P] = "9p",
	[SOURCE_BOOT_ROOT] = "boot-root",
};
_Static_assert(sizeof(source_names) / sizeof(source_names[0]) == SOURCE__COUNT,
	       "a name for each source");

static void print_layer(struct line *line, const struct step *step)
{
	line_column(line, source_names[step->source]);
	line_column(line, step->src);
	line_column(line, step->fstype);
	line_column(line, step->dst);
	add_options(line, step);
	if (step->verity_blocks) {
		line_format(line, " verity %llu", (unsigned long long)step->verity_blocks);
		line_column(line, step->verity_root);
	}
}

static void print_overlay(struct line *line, const struct step *step)
{
	line_format(line, " %zu", step->count);
	line_column(line, step->src);
	line_column(line, step->dst);
	add_options(line, step);
}

static void print_mount(struct line *line, const struct step *step)
{
	line_column(line, step->fstype);
	line_column(line, step->src);
	line_column(line, step->dst);
	add_options(line, step);
}

static void print_bind(struct line *line, const struct step *step)
{
	line_column(line, step->src);
	line_column(line, step->dst);
	add_options(line, step);
}

static void print_pair(struct line *line, const struct step *step)
{
	line_column(line, step->src);
	line_column(line, step->dst);
}

static void print_mode(struct line *line, const struct step *step)
{
	line_column(line, step->dst);
	line_format(line, " %04o", step->mode & 07777);
}

static void print_node(struct line *line, const struct step *step)
{
	uint32_t type = step->mode & S_IFMT;

	print_mode(line, step);
	line_format(line, " %c %u:%u",
		    type == S_IFBLK   ? 'b'
		    : type == S_IFIFO ? 'p'
				      : 'c',
		    step->dev_major, step->dev_minor);
	if (step->uid || step->gid)
		line_format(line, " owner %u:%u", step->uid, step->gid);
}

static void print_file(struct line *line, const struct step *step)
{
	print_mode(line, step);
	line_column(line, step->src);
}

static void print_name(struct line *line, const struct step *step)
{
	line_column(line, step->src);
}

static void print_nothing(struct line *line, const struct step *step)
{
	(void)line; /* the name says it all */
	(void)step;
}

static void print_propagation(struct line *line, const struct step *step)
{
	add_options(line, step);
}

static void print_target(struct line *line, const struct step *step)
{
	line_column(line, step->dst);
}

static void print_remount(struct line *line, const struct step *step)
{
	line_column(line, step->fstype ? "file-system" : "mount");
	line_column(line, step->dst);
	add_options(line, step);
}

/* As crun's configuration writes them: "allow c 1:3 rwm", "*" for any number. */
static void print_rules(struct line *line, const struct step *step)
{
	for (size_t i = 0; step->rules && i < step->count; i++) {
		const struct oci_device_rule *rule = &step->rules[i];
		const int64_t numbers[] = {rule->major, rule->minor};

		line_format(line, "%s%s %c", i ? ", " : " ", rule->allow ? "allow" : "deny",
			    rule->type);
		for (size_t k = 0; k < 2; k++) {
			line_text(line, k ? ":" : " ");
			if (numbers[k] < 0)
				line_text(line, "*");
			else
				line_format(line, "%d", (int)numbers[k]);
		}
		line_format(line, " %s%s%s", rule->read ? "r" : "", rule->write ? "w" : "",
			    rule->mknod ? "m" : "");
	}
}

static void print_net_device(struct line *line, const struct step *step)
{
	print_pair(line, step);
	line_column(line, step->network);
}

static const struct {
	const char *name;
	void (*print)(struct line *line, const struct step *step);
} printers[] = {
	[STEP_LAYER] = {"layer", print_layer},
	[STEP_UPPER] = {"upper", print_mount},
	[STEP_OVERLAY] = {"overlay", print_overlay},
	[STEP_BIND_WORK] = {"bind-work", print_pair},
	[STEP_ENTER] = {"enter", print_pair},
	[STEP_MOUNT] = {"mount", print_mount},
	[STEP_BIND] = {"bind", print_bind},
	[STEP_MKDIR] = {"mkdir", print_mode},
	[STEP_SYMLINK] = {"symlink", print_pair},
	[STEP_MKNOD] = {"mknod", print_node},
	[STEP_FILE] = {"file", print_file},
	[STEP_HOSTNAME] = {"hostname", print_name},
	[STEP_DOMAINNAME] = {"domainname", print_name},
	[STEP_LOOPBACK] = {"loopback", print_nothing},
	[STEP_ROOT_READONLY] = {"root-readonly", print_nothing},
	[STEP_ROOT_PROPAGATION] = {"root-propagation", print_propagation},
	[STEP_NET_DEVICE] = {"net-device", print_net_device},
	[STEP_CGROUP] = {"cgroup", print_name},
	[STEP_CGROUP_WRITE] = {"cgroup-write", print_pair},
	[STEP_CGROUP_DEVICES] = {"cgroup-devices", print_rules},
	[STEP_SYSCTL] = {"sysctl", print_pair},
	[STEP_REMOUNT] = {"remount", print_remount},
	[STEP_READONLY_PATH] = {"readonly", print_target},
	[STEP_MASK] = {"mask", print_target},
};
_Static_assert(sizeof(printers) / sizeof(printers[0]) == STEP__COUNT, "a printer for each step");

static const struct {
	enum step_flag flag;
	const char *name;
} flags[] = {
	{STEP_RECURSIVE, "recursive"},       {STEP_SRC_CONTAINER, "from-container"},
	{STEP_SRC_WORK, "from-work"},        {STEP_WORK, "in-work"},
	{STEP_COPY_UP, "copy-up"},           {STEP_COPY_OWNER, "copy-owner"},
	{STEP_COPY_SYMLINK, "copy-symlink"}, {STEP_IF_MISSING, "if-missing"},
	{STEP_IF_STUB, "if-stub"},           {STEP_NO_LINK, "no-link"},
	{STEP_BY_MACHINE, "by-machine"},     {STEP_OPTIONAL, "optional"},
};

size_t plan_print_step(const struct step *step, char *buffer, size_t size)
{
	struct line line = {.text = buffer, .size = size};

	line_text(&line, printers[step->kind].name);
	printers[step->kind].print(&line, step);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (step->flags & flags[i].flag)
			line_column(&line, flags[i].name);
	}
	line_column(&line, step->field);
	if (size)
		buffer[line.length < size ? line.length : size - 1] = '\0';
	return line.length;
}

const char *step_name(enum step_kind kind)
{
	return (unsigned)kind < STEP__COUNT ? printers[kind].name : "unknown";
}
