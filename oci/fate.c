// SPDX-License-Identifier: Apache-2.0
/* The table of fates. A property that is not in it is unknown to the specification. */
#include "fate.h"

#include <string.h>

#define KEY_BYTES_MAX 64

#define HONOURED(path, type)                  \
	{                                     \
		path, FATE_HONOURED, type, "" \
	}
#define NOT_APPLIED(path, type)                                             \
	{                                                                   \
		path, FATE_NOT_APPLIED, type, "not applied by this version" \
	}
#define REFUSED(path, type, subject)                               \
	{                                                          \
		path, FATE_REFUSED, type, subject " not supported" \
	}

/* clang-format off */
const struct fate_row fate_rows[] = {
	HONOURED("/ociVersion", 's'),
	HONOURED("/root", 'o'),
	HONOURED("/root/path", 's'),
	HONOURED("/root/readonly", 'b'),
	HONOURED("/hostname", 's'),
	HONOURED("/domainname", 's'),
	HONOURED("/annotations", 'o'),
	HONOURED("/annotations/*", 's'),
	HONOURED("/mounts", 'a'),
	HONOURED("/mounts/*/destination", 's'),
	HONOURED("/mounts/*/type", 's'),
	HONOURED("/mounts/*/source", 's'),
	HONOURED("/mounts/*/options", 'a'),
	REFUSED("/mounts/*/uidMappings", 'a', "ID-mapped mounts are"),
	REFUSED("/mounts/*/gidMappings", 'a', "ID-mapped mounts are"),

	HONOURED("/process", 'o'),
	HONOURED("/process/terminal", 'b'),
	HONOURED("/process/consoleSize", 'o'),
	HONOURED("/process/consoleSize/height", 'i'),
	HONOURED("/process/consoleSize/width", 'i'),
	HONOURED("/process/args", 'a'),
	HONOURED("/process/env", 'a'),
	HONOURED("/process/cwd", 's'),
	HONOURED("/process/user", 'o'),
	HONOURED("/process/user/uid", 'i'),
	HONOURED("/process/user/gid", 'i'),
	HONOURED("/process/user/umask", 'i'),
	HONOURED("/process/user/additionalGids", 'a'),
	REFUSED("/process/user/username", 's', "user names (of Windows) are"),
	HONOURED("/process/capabilities", 'o'),
	HONOURED("/process/capabilities/bounding", 'a'),
	HONOURED("/process/capabilities/effective", 'a'),
	HONOURED("/process/capabilities/inheritable", 'a'),
	HONOURED("/process/capabilities/permitted", 'a'),
	HONOURED("/process/capabilities/ambient", 'a'),
	HONOURED("/process/rlimits", 'a'),
	HONOURED("/process/rlimits/*/type", 's'),
	HONOURED("/process/rlimits/*/soft", 'i'),
	HONOURED("/process/rlimits/*/hard", 'i'),
	HONOURED("/process/noNewPrivileges", 'b'),
	HONOURED("/process/oomScoreAdj", 'i'),
	REFUSED("/process/apparmorProfile", 's', "AppArmor is"),
	REFUSED("/process/selinuxLabel", 's', "SELinux is"),
	REFUSED("/process/scheduler", 'o', "scheduler attributes are"),
	REFUSED("/process/ioPriority", 'o', "I/O priorities are"),
	REFUSED("/process/execCPUAffinity", 'o', "CPU affinity is"),
	REFUSED("/process/commandLine", 's', "command lines (of Windows) are"),

	REFUSED("/hooks", 'o', "hooks are"),
	HONOURED("/linux", 'o'),
	HONOURED("/linux/namespaces", 'a'),
	HONOURED("/linux/namespaces/*/type", 's'),
	REFUSED("/linux/namespaces/*/path", 's', "joining a namespace is"),
	HONOURED("/linux/devices", 'a'),
	HONOURED("/linux/devices/*/type", 's'),
	HONOURED("/linux/devices/*/path", 's'),
	HONOURED("/linux/devices/*/major", 'i'),
	HONOURED("/linux/devices/*/minor", 'i'),
	HONOURED("/linux/devices/*/fileMode", 'i'),
	HONOURED("/linux/devices/*/uid", 'i'),
	HONOURED("/linux/devices/*/gid", 'i'),
	REFUSED("/linux/uidMappings", 'a', "user namespaces are"),
	REFUSED("/linux/gidMappings", 'a', "user namespaces are"),
	REFUSED("/linux/timeOffsets", 'o', "time namespaces are"),
	/* podman writes this one always; it lets everybody ping, which a microVM's root may anyway */
	NOT_APPLIED("/linux/sysctl/net.ipv4.ping_group_range", 's'),
	REFUSED("/linux/sysctl/*", 's', "kernel parameters are"),
	REFUSED("/linux/mountLabel", 's', "SELinux is"),
	REFUSED("/linux/personality", 'o', "execution domains are"),
	REFUSED("/linux/intelRdt", 'o', "Intel RDT is"),
	REFUSED("/linux/netDevices", 'o', "moving network devices is"),
	REFUSED("/linux/memoryPolicy", 'o', "NUMA memory policy is"),
	NOT_APPLIED("/linux/cgroupsPath", 's'),
	NOT_APPLIED("/linux/resources", 'o'),
	NOT_APPLIED("/linux/rootfsPropagation", 's'),
	NOT_APPLIED("/linux/seccomp", 'o'),
	NOT_APPLIED("/linux/maskedPaths", 'a'),
	NOT_APPLIED("/linux/readonlyPaths", 'a'),

	REFUSED("/solaris", 'o', "Solaris containers are"),
	REFUSED("/windows", 'o', "Windows containers are"),
	REFUSED("/zos", 'o', "z/OS containers are"),
	REFUSED("/freebsd", 'o', "FreeBSD containers are"),
	REFUSED("/vm", 'o', "the vm section is"),
};
/* clang-format on */
const size_t fate_row_count = sizeof(fate_rows) / sizeof(fate_rows[0]);

/* A pointer matches a pattern whose "*" is any one token. */
static bool matches(const char *pattern, const char *pointer)
{
	for (; *pattern; pattern++) {
		if (*pattern == '*') {
			pointer += strcspn(pointer, "/");
			continue;
		}
		if (*pattern != *pointer++)
			return false;
	}
	return !*pointer;
}

const struct fate_row *fate_find(const char *pointer)
{
	for (size_t i = 0; i < fate_row_count; i++) {
		if (matches(fate_rows[i].path, pointer))
			return &fate_rows[i];
	}
	return NULL;
}

int fate_apply(const struct field *field, struct failure *f)
{
	struct field named = *field;
	const struct fate_row *row;
	char pointer[192];

	/* A key longer than any in the table can only match a "*". */
	if (strlen(field->key) > KEY_BYTES_MAX)
		named.key = "*";
	field_pointer(&named, pointer, sizeof(pointer));
	row = fate_find(pointer);
	if (!row)
		return 0;
	if (field_expect(field, row->type, f))
		return -1;
	if (field_is_empty(field))
		return 0;
	if (row->fate == FATE_NOT_APPLIED)
		return field_warn(field, f, "%s", row->why);
	return field_fail(field, f, "%s", row->why);
}
