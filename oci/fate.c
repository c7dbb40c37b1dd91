// SPDX-License-Identifier: Apache-2.0
/* The table of fates. A property that is not in it is unknown to the specification. */
#include "fate.h"

#include <string.h>

#define KEY_BYTES_MAX 64

#define HONOURED(path, type)                  \
	{                                     \
		path, FATE_HONOURED, type, "" \
	}
#define HOST(path, type)                  \
	{                                 \
		path, FATE_HOST, type, "" \
	}
#define NOT_APPLIED(path, type, why)              \
	{                                         \
		path, FATE_NOT_APPLIED, type, why \
	}
#define REFUSED(path, type, subject)                               \
	{                                                          \
		path, FATE_REFUSED, type, subject " not supported" \
	}

/* By the rules that read them: a value that asks for nothing is let pass. */
#define REFUSED_BY_V2(path, type)                                         \
	{                                                                 \
		path, FATE_REFUSED, type, "is not supported by cgroup v2" \
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
	HONOURED("/mounts/*/uidMappings", 'a'),
	HONOURED("/mounts/*/uidMappings/*/containerID", 'i'),
	HONOURED("/mounts/*/uidMappings/*/hostID", 'i'),
	HONOURED("/mounts/*/uidMappings/*/size", 'i'),
	HONOURED("/mounts/*/gidMappings", 'a'),
	HONOURED("/mounts/*/gidMappings/*/containerID", 'i'),
	HONOURED("/mounts/*/gidMappings/*/hostID", 'i'),
	HONOURED("/mounts/*/gidMappings/*/size", 'i'),

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
	HONOURED("/process/scheduler", 'o'),
	HONOURED("/process/scheduler/policy", 's'),
	HONOURED("/process/scheduler/nice", 'i'),
	HONOURED("/process/scheduler/priority", 'i'),
	HONOURED("/process/scheduler/flags", 'a'),
	HONOURED("/process/scheduler/runtime", 'i'),
	HONOURED("/process/scheduler/deadline", 'i'),
	HONOURED("/process/scheduler/period", 'i'),
	HONOURED("/process/ioPriority", 'o'),
	HONOURED("/process/ioPriority/class", 's'),
	HONOURED("/process/ioPriority/priority", 'i'),
	HONOURED("/process/execCPUAffinity", 'o'),
	HONOURED("/process/execCPUAffinity/initial", 's'),
	HONOURED("/process/execCPUAffinity/final", 's'),
	REFUSED("/process/commandLine", 's', "command lines (of Windows) are"),

	HONOURED("/hooks", 'o'),
	HOST("/hooks/prestart", 'a'),
	HOST("/hooks/prestart/*/path", 's'),
	HOST("/hooks/prestart/*/args", 'a'),
	HOST("/hooks/prestart/*/env", 'a'),
	HOST("/hooks/prestart/*/timeout", 'i'),
	HOST("/hooks/createRuntime", 'a'),
	HOST("/hooks/createRuntime/*/path", 's'),
	HOST("/hooks/createRuntime/*/args", 'a'),
	HOST("/hooks/createRuntime/*/env", 'a'),
	HOST("/hooks/createRuntime/*/timeout", 'i'),
	HONOURED("/hooks/createContainer", 'a'),
	HONOURED("/hooks/createContainer/*/path", 's'),
	HONOURED("/hooks/createContainer/*/args", 'a'),
	HONOURED("/hooks/createContainer/*/env", 'a'),
	HONOURED("/hooks/createContainer/*/timeout", 'i'),
	HONOURED("/hooks/startContainer", 'a'),
	HONOURED("/hooks/startContainer/*/path", 's'),
	HONOURED("/hooks/startContainer/*/args", 'a'),
	HONOURED("/hooks/startContainer/*/env", 'a'),
	HONOURED("/hooks/startContainer/*/timeout", 'i'),
	HOST("/hooks/poststart", 'a'),
	HOST("/hooks/poststart/*/path", 's'),
	HOST("/hooks/poststart/*/args", 'a'),
	HOST("/hooks/poststart/*/env", 'a'),
	HOST("/hooks/poststart/*/timeout", 'i'),
	HOST("/hooks/poststop", 'a'),
	HOST("/hooks/poststop/*/path", 's'),
	HOST("/hooks/poststop/*/args", 'a'),
	HOST("/hooks/poststop/*/env", 'a'),
	HOST("/hooks/poststop/*/timeout", 'i'),

	HONOURED("/linux", 'o'),
	HONOURED("/linux/namespaces", 'a'),
	HONOURED("/linux/namespaces/*/type", 's'),
	HONOURED("/linux/namespaces/*/path", 's'),
	HONOURED("/linux/devices", 'a'),
	HONOURED("/linux/devices/*/type", 's'),
	HONOURED("/linux/devices/*/path", 's'),
	HONOURED("/linux/devices/*/major", 'i'),
	HONOURED("/linux/devices/*/minor", 'i'),
	HONOURED("/linux/devices/*/fileMode", 'i'),
	HONOURED("/linux/devices/*/uid", 'i'),
	HONOURED("/linux/devices/*/gid", 'i'),
	HONOURED("/linux/uidMappings", 'a'),
	HONOURED("/linux/uidMappings/*/containerID", 'i'),
	HONOURED("/linux/uidMappings/*/hostID", 'i'),
	HONOURED("/linux/uidMappings/*/size", 'i'),
	HONOURED("/linux/gidMappings", 'a'),
	HONOURED("/linux/gidMappings/*/containerID", 'i'),
	HONOURED("/linux/gidMappings/*/hostID", 'i'),
	HONOURED("/linux/gidMappings/*/size", 'i'),
	HONOURED("/linux/timeOffsets", 'o'),
	HONOURED("/linux/timeOffsets/monotonic", 'o'),
	HONOURED("/linux/timeOffsets/monotonic/secs", 'i'),
	HONOURED("/linux/timeOffsets/monotonic/nanosecs", 'i'),
	HONOURED("/linux/timeOffsets/boottime", 'o'),
	HONOURED("/linux/timeOffsets/boottime/secs", 'i'),
	HONOURED("/linux/timeOffsets/boottime/nanosecs", 'i'),
	HONOURED("/linux/cgroupsPath", 's'),

	HONOURED("/linux/resources", 'o'),
	HONOURED("/linux/resources/devices", 'a'),
	HONOURED("/linux/resources/devices/*/allow", 'b'),
	HONOURED("/linux/resources/devices/*/type", 's'),
	HONOURED("/linux/resources/devices/*/major", 'i'),
	HONOURED("/linux/resources/devices/*/minor", 'i'),
	HONOURED("/linux/resources/devices/*/access", 's'),
	HONOURED("/linux/resources/memory", 'o'),
	HONOURED("/linux/resources/memory/limit", 'i'),
	HONOURED("/linux/resources/memory/reservation", 'i'),
	HONOURED("/linux/resources/memory/swap", 'i'),
	REFUSED_BY_V2("/linux/resources/memory/kernel", 'i'),
	REFUSED_BY_V2("/linux/resources/memory/kernelTCP", 'i'),
	REFUSED_BY_V2("/linux/resources/memory/swappiness", 'i'),
	REFUSED_BY_V2("/linux/resources/memory/disableOOMKiller", 'b'),
	HONOURED("/linux/resources/memory/useHierarchy", 'b'),
	HONOURED("/linux/resources/memory/checkBeforeUpdate", 'b'),
	HONOURED("/linux/resources/cpu", 'o'),
	HONOURED("/linux/resources/cpu/shares", 'i'),
	HONOURED("/linux/resources/cpu/quota", 'i'),
	HONOURED("/linux/resources/cpu/burst", 'i'),
	HONOURED("/linux/resources/cpu/period", 'i'),
	HONOURED("/linux/resources/cpu/idle", 'i'),
	REFUSED_BY_V2("/linux/resources/cpu/realtimeRuntime", 'i'),
	REFUSED_BY_V2("/linux/resources/cpu/realtimePeriod", 'i'),
	HONOURED("/linux/resources/cpu/cpus", 's'),
	HONOURED("/linux/resources/cpu/mems", 's'),
	HONOURED("/linux/resources/pids", 'o'),
	HONOURED("/linux/resources/pids/limit", 'i'),
	HONOURED("/linux/resources/blockIO", 'o'),
	HONOURED("/linux/resources/blockIO/weight", 'i'),
	REFUSED_BY_V2("/linux/resources/blockIO/leafWeight", 'i'),
	HONOURED("/linux/resources/blockIO/weightDevice", 'a'),
	HONOURED("/linux/resources/blockIO/weightDevice/*/major", 'i'),
	HONOURED("/linux/resources/blockIO/weightDevice/*/minor", 'i'),
	HONOURED("/linux/resources/blockIO/weightDevice/*/weight", 'i'),
	REFUSED_BY_V2("/linux/resources/blockIO/weightDevice/*/leafWeight", 'i'),
	HONOURED("/linux/resources/blockIO/throttleReadBpsDevice", 'a'),
	HONOURED("/linux/resources/blockIO/throttleReadBpsDevice/*/major", 'i'),
	HONOURED("/linux/resources/blockIO/throttleReadBpsDevice/*/minor", 'i'),
	HONOURED("/linux/resources/blockIO/throttleReadBpsDevice/*/rate", 'i'),
	HONOURED("/linux/resources/blockIO/throttleWriteBpsDevice", 'a'),
	HONOURED("/linux/resources/blockIO/throttleWriteBpsDevice/*/major", 'i'),
	HONOURED("/linux/resources/blockIO/throttleWriteBpsDevice/*/minor", 'i'),
	HONOURED("/linux/resources/blockIO/throttleWriteBpsDevice/*/rate", 'i'),
	HONOURED("/linux/resources/blockIO/throttleReadIOPSDevice", 'a'),
	HONOURED("/linux/resources/blockIO/throttleReadIOPSDevice/*/major", 'i'),
	HONOURED("/linux/resources/blockIO/throttleReadIOPSDevice/*/minor", 'i'),
	HONOURED("/linux/resources/blockIO/throttleReadIOPSDevice/*/rate", 'i'),
	HONOURED("/linux/resources/blockIO/throttleWriteIOPSDevice", 'a'),
	HONOURED("/linux/resources/blockIO/throttleWriteIOPSDevice/*/major", 'i'),
	HONOURED("/linux/resources/blockIO/throttleWriteIOPSDevice/*/minor", 'i'),
	HONOURED("/linux/resources/blockIO/throttleWriteIOPSDevice/*/rate", 'i'),
	HONOURED("/linux/resources/hugepageLimits", 'a'),
	HONOURED("/linux/resources/hugepageLimits/*/pageSize", 's'),
	HONOURED("/linux/resources/hugepageLimits/*/limit", 'i'),
	HONOURED("/linux/resources/rdma", 'o'),
	HONOURED("/linux/resources/rdma/*", 'o'),
	HONOURED("/linux/resources/rdma/*/hcaHandles", 'i'),
	HONOURED("/linux/resources/rdma/*/hcaObjects", 'i'),
	HONOURED("/linux/resources/unified", 'o'),
	HONOURED("/linux/resources/unified/*", 's'),
	NOT_APPLIED("/linux/resources/network", 'o',
		    "cgroup v2 has no classes of network traffic"),

	HONOURED("/linux/rootfsPropagation", 's'),
	HONOURED("/linux/maskedPaths", 'a'),
	HONOURED("/linux/readonlyPaths", 'a'),
	HONOURED("/linux/sysctl", 'o'),
	HONOURED("/linux/sysctl/*", 's'),
	HONOURED("/linux/seccomp", 'o'),
	HONOURED("/linux/seccomp/defaultAction", 's'),
	HONOURED("/linux/seccomp/defaultErrnoRet", 'i'),
	HONOURED("/linux/seccomp/architectures", 'a'),
	HONOURED("/linux/seccomp/flags", 'a'),
	REFUSED("/linux/seccomp/listenerPath", 's', "seccomp listeners are"),
	REFUSED("/linux/seccomp/listenerMetadata", 's', "seccomp listeners are"),
	HONOURED("/linux/seccomp/syscalls", 'a'),
	HONOURED("/linux/seccomp/syscalls/*/names", 'a'),
	HONOURED("/linux/seccomp/syscalls/*/action", 's'),
	HONOURED("/linux/seccomp/syscalls/*/errnoRet", 'i'),
	HONOURED("/linux/seccomp/syscalls/*/args", 'a'),
	HONOURED("/linux/seccomp/syscalls/*/args/*/index", 'i'),
	HONOURED("/linux/seccomp/syscalls/*/args/*/value", 'i'),
	HONOURED("/linux/seccomp/syscalls/*/args/*/valueTwo", 'i'),
	HONOURED("/linux/seccomp/syscalls/*/args/*/op", 's'),
	HONOURED("/linux/personality", 'o'),
	HONOURED("/linux/personality/domain", 's'),
	HONOURED("/linux/personality/flags", 'a'),
	HONOURED("/linux/netDevices", 'o'),
	HONOURED("/linux/netDevices/*", 'o'),
	HONOURED("/linux/netDevices/*/name", 's'),
	HONOURED("/linux/memoryPolicy", 'o'),
	HONOURED("/linux/memoryPolicy/mode", 's'),
	HONOURED("/linux/memoryPolicy/nodes", 's'),
	HONOURED("/linux/memoryPolicy/flags", 'a'),
	REFUSED("/linux/mountLabel", 's', "SELinux is"),
	REFUSED("/linux/intelRdt", 'o', "Intel RDT is"),

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
