// SPDX-License-Identifier: Apache-2.0
/* The "linux" object: namespaces are checked, devices are read, the rest is up to the fates. */
#include "parse.h"

#include <string.h>
#include <sys/stat.h> /* S_IF types only */

#include "fate.h"
#include "names.h"

#define ID_MAX          4294967294 /* (uid_t)-1 means "no change" to the kernel */
#define PERMISSIONS_MAX 07777u
#define MAJOR_MAX       4095 /* the kernel's dev_t: 12 bits and 20 bits */
#define MINOR_MAX       1048575

static int read_namespace_type(const struct field *field, const struct rule *rule, void *ret,
			       struct failure *f)
{
	const char *name;
	int number;

	if (field_string(field, rule, &name, f))
		return -1;
	number = namespace_find(name);
	if (number < 0)
		return field_fail(field, f, "unknown namespace " SHOWN, name);
	if (!namespace_names[number].is_machine)
		return field_fail(field, f, "%s namespaces are not supported", name);
	*(int *)ret = number;
	return 0;
}

static const struct rule namespace_rows[] = {
	{.key = "type", .read = read_namespace_type, .is_required = true},
};
RULES(namespace_rules, namespace_rows);

static int read_namespace(const struct field *field, void *ret, struct failure *f)
{
	return field_members(field, &namespace_rules, ret, f);
}

/* A new namespace of each kind but user and time is what the virtual machine is. */
static int parse_namespaces(const struct field *field, const struct rule *rule, void *ret,
			    struct failure *f)
{
	static const struct field_list list = {sizeof(int), read_namespace};
	unsigned seen = 0;
	size_t count;
	int *numbers;

	(void)rule; /* nothing is kept */
	(void)ret;
	if (field_list(field, &list, &numbers, &count, f))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct field element = {.up = field, .index = i};

		if (seen >> numbers[i] & 1)
			return field_fail(&element, f, "namespace \"%s\" is there twice",
					  namespace_names[numbers[i]].name);
		seen |= 1u << numbers[i];
	}
	return 0;
}

struct raw_device {
	struct oci_device device;
	const char *type;
	bool has_major;
	bool has_minor;
	bool has_mode;
};

static int read_device_path(const struct field *field, const struct rule *rule, void *ret,
			    struct failure *f)
{
	const char *path;

	if (field_path(field, rule, &path, f))
		return -1;
	if (path[0] != '/')
		return field_fail(field, f, "must be an absolute path, not " SHOWN, path);
	for (const char *at = path; (at = strstr(at, "/..")); at += 3) {
		if (at[3] == '/' || !at[3])
			return field_fail(field, f, "must not contain \"..\"");
	}
	path = field_clean_path(field->document->arena, path);
	if (!path)
		return fail_memory(f);
	*(const char **)ret = path;
	return 0;
}

#define MEMBER(name) offsetof(struct raw_device, name)

static const struct rule device_rows[] = {
	{.key = "type", .read = field_string, .offset = MEMBER(type), .is_required = true},
	{.key = "path",
	 .read = read_device_path,
	 .offset = MEMBER(device.path),
	 .is_required = true},
	{.key = "major",
	 .read = field_u32,
	 .offset = MEMBER(device.major),
	 .present = MEMBER(has_major),
	 .max = MAJOR_MAX},
	{.key = "minor",
	 .read = field_u32,
	 .offset = MEMBER(device.minor),
	 .present = MEMBER(has_minor),
	 .max = MINOR_MAX},
	{.key = "fileMode",
	 .read = field_u32,
	 .offset = MEMBER(device.mode),
	 .present = MEMBER(has_mode)},
	{.key = "uid", .read = field_u32, .offset = MEMBER(device.uid), .max = ID_MAX},
	{.key = "gid", .read = field_u32, .offset = MEMBER(device.gid), .max = ID_MAX},
};
RULES(device_rules, device_rows);

static const struct {
	char letter;
	uint32_t mode;
} device_types[] = {{'c', S_IFCHR}, {'u', S_IFCHR}, {'b', S_IFBLK}, {'p', S_IFIFO}};

/* The S_IF type of a device type's letter; 0: no such type. */
static uint32_t device_mode(const char *type)
{
	for (size_t i = 0; i < sizeof(device_types) / sizeof(device_types[0]); i++) {
		if (type[0] == device_types[i].letter && !type[1])
			return device_types[i].mode;
	}
	return 0;
}

static int read_device(const struct field *field, void *ret, struct failure *f)
{
	struct raw_device raw = {.device.path = NULL};
	struct field type = {.up = field, .key = "type"};
	struct field mode = {.up = field, .key = "fileMode"};
	struct field number = {.up = field};
	uint32_t kind;

	if (field_members(field, &device_rules, &raw, f))
		return -1;
	kind = device_mode(raw.type);
	if (!kind)
		return field_fail(&type, f, "must be c, b, u or p, not " SHOWN, raw.type);
	number.key = raw.has_major ? "minor" : "major";
	if (kind != S_IFIFO && !(raw.has_major && raw.has_minor))
		return field_fail(&number, f, "must be given for a device");
	/* Tools copy st_mode: the node's own type may be in it. */
	if (raw.device.mode > PERMISSIONS_MAX && (raw.device.mode & ~PERMISSIONS_MAX) != kind)
		return field_fail(&mode, f, "must be permissions, at most %u", PERMISSIONS_MAX);
	raw.device.mode = kind | (raw.has_mode ? raw.device.mode & PERMISSIONS_MAX : 0666);
	*(struct oci_device *)ret = raw.device;
	return 0;
}

static int parse_devices(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_device), read_device};
	struct oci_spec *spec = ret;

	(void)rule; /* the table says it */
	return field_list(field, &list, &spec->devices, &spec->device_count, f);
}

/* Each kernel parameter has its own fate. */
static int read_sysctl(const struct field *member, void *context, struct failure *f)
{
	(void)context;
	return fate_apply(member, f);
}

static int parse_sysctl(const struct field *field, const struct rule *rule, void *ret,
			struct failure *f)
{
	(void)rule; /* nothing is kept */
	(void)ret;
	return field_each(field, read_sysctl, NULL, f);
}

static const struct rule linux_rows[] = {
	{.key = "namespaces", .read = parse_namespaces},
	{.key = "devices", .read = parse_devices},
	{.key = "sysctl", .read = parse_sysctl},
};
RULES(linux_rules, linux_rows);

int parse_linux(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	(void)rule; /* the table says it */
	return field_members(field, &linux_rules, ret, f);
}
