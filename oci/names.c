// SPDX-License-Identifier: Apache-2.0
/* The name tables. Mount options: runtime-spec config.md, "Linux mount options". */
#include "names.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <string.h>

/* clang-format off */
const char *const capability_names[CAPABILITY__COUNT] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
	"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};
_Static_assert(CAPABILITY__COUNT == CAP_CHECKPOINT_RESTORE + 1, "a name for each capability");

const char *const rlimit_names[RLIMIT__COUNT] = {
	"RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
	"RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",
	"RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
};

const struct namespace_name namespace_names[NAMESPACE__COUNT] = {
	{"cgroup", true}, {"ipc", true}, {"mount", true}, {"network", true},
	{"pid", true}, {"uts", true}, {"time", false}, {"user", false},
};

#define SET(attr)      OPTION_ATTR, attr, 0
#define CLEAR(attr)    OPTION_ATTR, 0, attr
#define ATIME(attr)    OPTION_ATTR, attr, MOUNT_ATTR__ATIME /* one of several: the others go */
#define SPREAD(kind)   OPTION_PROPAGATION, OCI_PROPAGATION_##kind, 0
#define RSPREAD(kind)  OPTION_PROPAGATION, OCI_PROPAGATION_##kind, 1
#define PLAIN(kind)    OPTION_##kind, 0, 0

/* Sorted by name, for option_find(). */
const struct option_name option_names[] = {
	{"async", PLAIN(SUPERBLOCK)},
	{"atime", ATIME(MOUNT_ATTR_RELATIME)},
	{"bind", PLAIN(BIND)},
	{"defaults", PLAIN(DEFAULT)},
	{"dev", CLEAR(MOUNT_ATTR_NODEV)},
	{"diratime", CLEAR(MOUNT_ATTR_NODIRATIME)},
	{"dirsync", PLAIN(SUPERBLOCK)},
	{"exec", CLEAR(MOUNT_ATTR_NOEXEC)},
	{"idmap", PLAIN(REFUSED)},
	{"iversion", PLAIN(NO_EFFECT)},
	{"lazytime", PLAIN(SUPERBLOCK)},
	{"loud", PLAIN(DEFAULT)},
	{"mand", PLAIN(NO_EFFECT)},
	{"noatime", ATIME(MOUNT_ATTR_NOATIME)},
	{"nodev", SET(MOUNT_ATTR_NODEV)},
	{"nodiratime", SET(MOUNT_ATTR_NODIRATIME)},
	{"noexec", SET(MOUNT_ATTR_NOEXEC)},
	{"noiversion", PLAIN(DEFAULT)},
	{"nolazytime", PLAIN(SUPERBLOCK)},
	{"nomand", PLAIN(DEFAULT)},
	{"norelatime", ATIME(MOUNT_ATTR_RELATIME)},
	{"nostrictatime", ATIME(MOUNT_ATTR_RELATIME)},
	{"nosuid", SET(MOUNT_ATTR_NOSUID)},
	{"nosymfollow", SET(MOUNT_ATTR_NOSYMFOLLOW)},
	{"private", SPREAD(PRIVATE)},
	{"ratime", PLAIN(REFUSED)},
	{"rbind", OPTION_BIND, 1, 0},
	{"rdev", PLAIN(REFUSED)},
	{"rdiratime", PLAIN(REFUSED)},
	{"relatime", ATIME(MOUNT_ATTR_RELATIME)},
	{"remount", PLAIN(REFUSED)},
	{"rexec", PLAIN(REFUSED)},
	{"ridmap", PLAIN(REFUSED)},
	{"rnoatime", PLAIN(REFUSED)},
	{"rnodev", PLAIN(REFUSED)},
	{"rnodiratime", PLAIN(REFUSED)},
	{"rnoexec", PLAIN(REFUSED)},
	{"rnorelatime", PLAIN(REFUSED)},
	{"rnostrictatime", PLAIN(REFUSED)},
	{"rnosuid", PLAIN(REFUSED)},
	{"rnosymfollow", PLAIN(REFUSED)},
	{"ro", OPTION_READONLY, MOUNT_ATTR_RDONLY, 0},
	{"rprivate", RSPREAD(PRIVATE)},
	{"rrelatime", PLAIN(REFUSED)},
	{"rro", PLAIN(REFUSED)},
	{"rrw", PLAIN(REFUSED)},
	{"rshared", RSPREAD(SHARED)},
	{"rslave", RSPREAD(SLAVE)},
	{"rstrictatime", PLAIN(REFUSED)},
	{"rsuid", PLAIN(REFUSED)},
	{"rsymfollow", PLAIN(REFUSED)},
	{"runbindable", RSPREAD(UNBINDABLE)},
	{"rw", OPTION_READONLY, 0, MOUNT_ATTR_RDONLY},
	{"shared", SPREAD(SHARED)},
	{"silent", PLAIN(NO_EFFECT)},
	{"slave", SPREAD(SLAVE)},
	{"strictatime", ATIME(MOUNT_ATTR_STRICTATIME)},
	{"suid", CLEAR(MOUNT_ATTR_NOSUID)},
	{"symfollow", CLEAR(MOUNT_ATTR_NOSYMFOLLOW)},
	{"sync", PLAIN(SUPERBLOCK)},
	{"tmpcopyup", PLAIN(REFUSED)},
	{"unbindable", SPREAD(UNBINDABLE)},
};
/* clang-format on */
const size_t option_name_count = sizeof(option_names) / sizeof(option_names[0]);

/* The names differ only after "CAP_". */
int capability_find(const char *name)
{
	if (strncmp(name, "CAP_", 4) != 0)
		return -1;
	for (int i = 0; i < CAPABILITY__COUNT; i++) {
		if (strcmp(capability_names[i] + 4, name + 4) == 0)
			return i;
	}
	return -1;
}

int rlimit_find(const char *name)
{
	for (int i = 0; i < RLIMIT__COUNT; i++) {
		if (strcmp(rlimit_names[i], name) == 0)
			return i;
	}
	return -1;
}

int namespace_find(const char *name)
{
	for (int i = 0; i < NAMESPACE__COUNT; i++) {
		if (strcmp(namespace_names[i].name, name) == 0)
			return i;
	}
	return -1;
}

const struct option_name *option_find(const char *name)
{
	size_t low = 0;
	size_t high = option_name_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, option_names[middle].name);

		if (!order)
			return &option_names[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
