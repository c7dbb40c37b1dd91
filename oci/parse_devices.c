// SPDX-License-Identifier: Apache-2.0
/* "linux.devices": nodes to be made. */
#include <string.h>
#include <sys/stat.h> /* S_IF types only */

#include "parse.h"

#define ID_MAX          4294967294 /* (uid_t)-1 means "no change" to the kernel */
#define PERMISSIONS_MAX 07777u
#define MAJOR_MAX       4095 /* the kernel's dev_t: 12 bits and 20 bits */
#define MINOR_MAX       1048575

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

	if (field_absolute_path(field, rule, &path, f))
		return -1;
	for (const char *at = path; (at = strstr(at, "/..")); at += 3) {
		if (at[3] == '/' || !at[3])
			return field_fail(field, f, "must not contain \"..\"");
	}
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

int parse_devices(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_device), read_device};
	struct oci_spec *spec = ret;

	(void)rule; /* the table says it */
	return field_list(field, &list, &spec->devices, &spec->device_count, f);
}
