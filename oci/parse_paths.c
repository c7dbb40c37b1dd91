// SPDX-License-Identifier: Apache-2.0
/* Paths and names of "linux": masked and read-only paths, sysctls, the cgroup, network devices. */
#include <string.h>

#include "names.h"
#include "parse.h"

#define INTERFACE_BYTES_MAX 15 /* IFNAMSIZ without the NUL */

static int read_path(const struct field *field, void *ret, struct failure *f)
{
	return field_absolute_path(field, NULL, ret, f);
}

int parse_paths(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const struct field_list list = {sizeof(char *), read_path};
	struct oci_strings *paths = ret;

	(void)rule; /* nothing in it */
	return field_list(field, &list, &paths->items, &paths->count, f);
}

/* Whether a path below some directory stays there: no part is empty, "." or "..". */
static bool stays_below(const char *path)
{
	for (;; path++) {
		size_t length = strcspn(path, "/");

		if (!length || (length <= 2 && strncmp(path, "..", length) == 0))
			return false;
		path += length;
		if (!*path)
			return true;
	}
}

/*
 * "net.ipv4.conf.eth0/100.forwarding": dots part, and a slash stands for a dot in a name; or the
 * other way round, when the first of both is a slash (sysctl.d).
 */
static char *sysctl_path(struct arena *arena, const char *key)
{
	char *path = arena_strdup(arena, key);
	bool is_dotted = key[strcspn(key, "./")] == '.';

	for (char *at = path; path && is_dotted && *at; at++) {
		if (*at == '.' || *at == '/')
			*at = *at == '.' ? '/' : '.';
	}
	return path;
}

struct sysctls {
	struct oci_sysctl *items;
	size_t count;
};

static int read_sysctl(const struct field *member, void *context, struct failure *f)
{
	struct sysctls *sysctls = context;
	struct oci_sysctl *sysctl = &sysctls->items[sysctls->count++];

	if (field_string(member, NULL, &sysctl->value, f))
		return -1;
	sysctl->key = member->key;
	sysctl->path = sysctl_path(member->document->arena, member->key);
	sysctl->field = field_pointer_text(member);
	if (!sysctl->path || !sysctl->field)
		return fail_memory(f);
	if (!stays_below(sysctl->path))
		return field_fail(member, f, "is not a kernel parameter's name");
	return 0;
}

int parse_sysctl(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_linux *linux_ = ret;
	struct sysctls sysctls = {.count = 0};

	(void)rule; /* nothing in it */
	sysctls.items =
		arena_zalloc(field->document->arena, field_count(field), sizeof(*sysctls.items));
	if (!sysctls.items)
		return fail_memory(f);
	if (field_each(field, read_sysctl, &sysctls, f))
		return -1;
	linux_->sysctls = sysctls.items;
	linux_->sysctl_count = sysctls.count;
	return 0;
}

int parse_root_propagation(const struct field *field, const struct rule *rule, void *ret,
			   struct failure *f)
{
	static const struct rule name = {.names = &names_propagations};
	struct oci_linux *linux_ = ret;
	int value;

	(void)rule; /* the other one says it */
	if (field_expect(field, 's', f))
		return -1;
	if (field_is_empty(field))
		return 0;
	if (field_name(field, &name, &value, f))
		return -1;
	linux_->root_propagation = value & ~(int)NAMES_RECURSIVE;
	linux_->root_propagation_recursive = (unsigned)value & NAMES_RECURSIVE;
	return 0;
}

/* "slice:prefix:name", as engines write it for systemd, is the scope that systemd would make. */
static char *systemd_path(struct arena *arena, const char *text)
{
	const char *first = strchr(text, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || strchr(second + 1, ':') || strchr(text, '/'))
		return arena_printf(arena, "%s", text);
	return arena_printf(arena, "%.*s/%.*s-%s.scope", (int)(first - text), text,
			    (int)(second - first - 1), first + 1, second + 1);
}

/* Ends up relative to the top of the hierarchy. */
int parse_cgroups_path(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	struct arena *arena = field->document->arena;
	const char *text;
	char *path;

	if (field_string(field, rule, &text, f))
		return -1;
	if (!text[0])
		return 0;
	path = systemd_path(arena, text);
	if (path)
		path = field_clean_path(arena, path);
	if (!path)
		return fail_memory(f);
	if (!stays_below(path + 1))
		return field_fail(field, f, "must name a cgroup below the top one");
	*(const char **)ret = path + 1;
	return 0;
}

static int check_interface(const struct field *field, const char *name, struct failure *f)
{
	if (!name[0] || strlen(name) > INTERFACE_BYTES_MAX || strchr(name, '/') ||
	    strpbrk(name, " \t\n\r\f\v:") || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return field_fail(field, f, "is not a network device's name");
	return 0;
}

struct net_devices {
	struct oci_net_device *items;
	size_t count;
};

static int read_device_name(const struct field *field, const struct rule *rule, void *ret,
			    struct failure *f)
{
	const char *name;

	if (field_string(field, rule, &name, f))
		return -1;
	if (!name[0])
		return 0;
	if (check_interface(field, name, f))
		return -1;
	*(const char **)ret = name;
	return 0;
}

static const struct rule net_rows[] = {
	{.key = "name",
	 .read = read_device_name,
	 .offset = offsetof(struct oci_net_device, rename)},
};
RULES(net_rules, net_rows);

static int read_net_device(const struct field *member, void *context, struct failure *f)
{
	struct net_devices *devices = context;
	struct oci_net_device *device = &devices->items[devices->count++];

	device->name = member->key;
	device->field = field_pointer_text(member);
	if (!device->field)
		return fail_memory(f);
	if (check_interface(member, member->key, f))
		return -1;
	return field_members(member, &net_rules, device, f);
}

int parse_net_devices(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	struct oci_linux *linux_ = ret;
	struct net_devices devices = {.count = 0};

	(void)rule; /* nothing in it */
	devices.items =
		arena_zalloc(field->document->arena, field_count(field), sizeof(*devices.items));
	if (!devices.items)
		return fail_memory(f);
	if (field_each(field, read_net_device, &devices, f))
		return -1;
	linux_->net_devices = devices.items;
	linux_->net_device_count = devices.count;
	return 0;
}
