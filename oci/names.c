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

#define SET(attr)      OPTION_ATTR, attr, 0
#define CLEAR(attr)    OPTION_ATTR, 0, attr
#define ATIME(attr)    OPTION_ATTR, attr, MOUNT_ATTR__ATIME /* one of several: the others go */
#define RSET(attr)     OPTION_RECURSIVE, attr, 0
#define RCLEAR(attr)   OPTION_RECURSIVE, 0, attr
#define RATIME(attr)   OPTION_RECURSIVE, attr, MOUNT_ATTR__ATIME
#define SPREAD(kind)   OPTION_PROPAGATION, OCI_PROPAGATION_##kind, 0
#define RSPREAD(kind)  OPTION_PROPAGATION, OCI_PROPAGATION_##kind, 1
#define PLAIN(kind)    OPTION_##kind, 0, 0

/* Sorted by name, for option_find(). */
const struct option_name option_names[] = {
	{"async", PLAIN(SUPERBLOCK)},
	{"atime", ATIME(MOUNT_ATTR_RELATIME)},
	{"bind", PLAIN(BIND)},
	{"copy-symlink", PLAIN(COPY_SYMLINK)},
	{"defaults", PLAIN(DEFAULT)},
	{"dev", CLEAR(MOUNT_ATTR_NODEV)},
	{"diratime", CLEAR(MOUNT_ATTR_NODIRATIME)},
	{"dirsync", PLAIN(SUPERBLOCK)},
	{"exec", CLEAR(MOUNT_ATTR_NOEXEC)},
	{"idmap", OPTION_IDMAP, OCI_IDMAP_ONE, 0},
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
	{"ratime", RATIME(MOUNT_ATTR_RELATIME)},
	{"rbind", OPTION_BIND, 1, 0},
	{"rdev", RCLEAR(MOUNT_ATTR_NODEV)},
	{"rdiratime", RCLEAR(MOUNT_ATTR_NODIRATIME)},
	{"relatime", ATIME(MOUNT_ATTR_RELATIME)},
	{"remount", PLAIN(REMOUNT)},
	{"rexec", RCLEAR(MOUNT_ATTR_NOEXEC)},
	{"ridmap", OPTION_IDMAP, OCI_IDMAP_RECURSIVE, 0},
	{"rnoatime", RATIME(MOUNT_ATTR_NOATIME)},
	{"rnodev", RSET(MOUNT_ATTR_NODEV)},
	{"rnodiratime", RSET(MOUNT_ATTR_NODIRATIME)},
	{"rnoexec", RSET(MOUNT_ATTR_NOEXEC)},
	{"rnorelatime", RATIME(MOUNT_ATTR_RELATIME)},
	{"rnostrictatime", RATIME(MOUNT_ATTR_RELATIME)},
	{"rnosuid", RSET(MOUNT_ATTR_NOSUID)},
	{"rnosymfollow", RSET(MOUNT_ATTR_NOSYMFOLLOW)},
	{"ro", OPTION_READONLY, MOUNT_ATTR_RDONLY, 0},
	{"rprivate", RSPREAD(PRIVATE)},
	{"rrelatime", RATIME(MOUNT_ATTR_RELATIME)},
	{"rro", RSET(MOUNT_ATTR_RDONLY)},
	{"rrw", RCLEAR(MOUNT_ATTR_RDONLY)},
	{"rshared", RSPREAD(SHARED)},
	{"rslave", RSPREAD(SLAVE)},
	{"rstrictatime", RATIME(MOUNT_ATTR_STRICTATIME)},
	{"rsuid", RCLEAR(MOUNT_ATTR_NOSUID)},
	{"rsymfollow", RCLEAR(MOUNT_ATTR_NOSYMFOLLOW)},
	{"runbindable", RSPREAD(UNBINDABLE)},
	{"rw", OPTION_READONLY, 0, MOUNT_ATTR_RDONLY},
	{"shared", SPREAD(SHARED)},
	{"silent", PLAIN(NO_EFFECT)},
	{"slave", SPREAD(SLAVE)},
	{"strictatime", ATIME(MOUNT_ATTR_STRICTATIME)},
	{"suid", CLEAR(MOUNT_ATTR_NOSUID)},
	{"symfollow", CLEAR(MOUNT_ATTR_NOSYMFOLLOW)},
	{"sync", PLAIN(SUPERBLOCK)},
	{"tmpcopyup", PLAIN(TMPCOPYUP)},
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
