// SPDX-License-Identifier: Apache-2.0
/* A step as one line: its name, what it works on, its flags, and the field that asked for it. */
#include <linux/mount.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h> /* S_IF types only */

#include "plan.h"

struct line {
	char *text;
	size_t size;
	size_t length; /* what was written, or would have been */
};

static void add(struct line *line, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++, line->length++) {
		if (line->length + 1 < line->size)
			line->text[line->length] = bytes[i];
	}
}

static void add_text(struct line *line, const char *text)
{
	add(line, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void add_format(struct line *line, const char *fmt,
							     ...)
{
	char text[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add_text(line, text);
}

static bool is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+=:@%<>~";

	return text[0] && !text[strspn(text, plain)];
}

/* A word: as it is, or in quotes with escapes when it has odd characters. NULL is "-". */
static void add_word(struct line *line, const char *text)
{
	if (!text || is_plain(text)) {
		add_text(line, text ? text : "-");
		return;
	}
	add_text(line, "\"");
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '\n')
			add_text(line, "\\n");
		else if (byte == '\t')
			add_text(line, "\\t");
		else if (byte < 0x20 || byte == 0x7f)
			add_format(line, "\\x%02x", byte);
		else if (byte == '"' || byte == '\\')
			add_format(line, "\\%c", byte);
		else
			add(line, text, 1);
	}
	add_text(line, "\"");
}

static void add_column(struct line *line, const char *text)
{
	add_text(line, " ");
	add_word(line, text);
}

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
	add_text(line, *is_first ? " " : ",");
	add_word(line, item);
	*is_first = false;
}

/* Attributes, propagation and data as one comma list; "-" when there are none. */
static void add_options(struct line *line, const struct step *step)
{
	const char *spread = propagations[step->propagation][step->propagation_recursive];
	bool is_first = true;

	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		if ((step->attr_set & attrs[i].mask) == attrs[i].value)
			add_item(line, &is_first, attrs[i].name);
		else if (attrs[i].opposite && step->attr_clear & attrs[i].mask)
			add_item(line, &is_first, attrs[i].opposite);
	}
	if (step->attr_clear & MOUNT_ATTR__ATIME && !(step->attr_set & MOUNT_ATTR__ATIME))
		add_item(line, &is_first, "relatime");
	if (step->flags & STEP_SB_READONLY)
		add_item(line, &is_first, "sb-ro");
	if (spread)
		add_item(line, &is_first, spread);
	for (size_t i = 0; i < step->data.count; i++)
		add_item(line, &is_first, step->data.items[i]);
	if (is_first)
		add_text(line, " -");
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
	add_column(line, source_names[step->source]);
	add_column(line, step->src);
	add_column(line, step->fstype);
	add_column(line, step->dst);
	add_options(line, step);
}

static void print_overlay(struct line *line, const struct step *step)
{
	add_format(line, " %zu", step->count);
	add_column(line, step->src);
	add_column(line, step->dst);
	add_options(line, step);
}

static void print_mount(struct line *line, const struct step *step)
{
	add_column(line, step->fstype);
	add_column(line, step->src);
	add_column(line, step->dst);
	add_options(line, step);
}

static void print_bind(struct line *line, const struct step *step)
{
	add_column(line, step->src);
	add_column(line, step->dst);
	add_options(line, step);
}

static void print_pair(struct line *line, const struct step *step)
{
	add_column(line, step->src);
	add_column(line, step->dst);
}

static void print_mode(struct line *line, const struct step *step)
{
	add_column(line, step->dst);
	add_format(line, " %04o", step->mode & 07777);
}

static void print_node(struct line *line, const struct step *step)
{
	uint32_t type = step->mode & S_IFMT;

	print_mode(line, step);
	add_format(line, " %c %u:%u",
		   type == S_IFBLK   ? 'b'
		   : type == S_IFIFO ? 'p'
				     : 'c',
		   step->dev_major, step->dev_minor);
	if (step->uid || step->gid)
		add_format(line, " owner %u:%u", step->uid, step->gid);
}

static void print_file(struct line *line, const struct step *step)
{
	print_mode(line, step);
	add_column(line, step->src);
}

static void print_name(struct line *line, const struct step *step)
{
	add_column(line, step->src);
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
};
_Static_assert(sizeof(printers) / sizeof(printers[0]) == STEP__COUNT, "a printer for each step");

static const struct {
	enum step_flag flag;
	const char *name;
} flags[] = {
	{STEP_RECURSIVE, "recursive"},
	{STEP_SRC_CONTAINER, "from-container"},
	{STEP_IF_MISSING, "if-missing"},
	{STEP_OPTIONAL, "optional"},
};

size_t plan_print_step(const struct step *step, char *buffer, size_t size)
{
	struct line line = {.text = buffer, .size = size};

	add_text(&line, printers[step->kind].name);
	printers[step->kind].print(&line, step);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (step->flags & flags[i].flag)
			add_column(&line, flags[i].name);
	}
	add_column(&line, step->field);
	if (size)
		buffer[line.length < size ? line.length : size - 1] = '\0';
	return line.length;
}

const char *step_name(enum step_kind kind)
{
	return (unsigned)kind < STEP__COUNT ? printers[kind].name : "unknown";
}
