// SPDX-License-Identifier: Apache-2.0
// What may be read, written and called; and what mounts look like from inside.
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/probe/probe.h"

#define TEXT_MAX 4096

/* What engines mask, make read-only or leave open, and what every container has. */
static const char *const usual_paths[] = {
	"/",
	"/etc",
	"/dev",
	"/dev/shm",
	"/dev/pts",
	"/proc",
	"/proc/kcore",
	"/proc/keys",
	"/proc/timer_list",
	"/proc/sys",
	"/proc/sys/kernel/hostname",
	"/proc/sys/net/core/somaxconn",
	"/proc/bus",
	"/proc/fs",
	"/proc/irq",
	"/proc/sysrq-trigger",
	"/proc/1/environ",
	"/sys",
	"/sys/kernel",
	"/sys/firmware",
	"/sys/fs/cgroup",
	"/run/.containerenv",
};

static int open_error(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* A directory is written to by making one in it, for a moment. */
static int make_error(const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/.probe", path);
	if (mkdirat(AT_FDCWD, name, 0700) < 0)
		return errno;
	rmdir(name);
	return 0;
}

static void text_of(const char *path, const struct stat *st)
{
	size_t length = 0;
	const char *text = S_ISREG(st->st_mode) ? file_text(path, &length) : NULL;

	if (text && length <= TEXT_MAX)
		json_bytes("text", text, length);
}

static void access_of(const char *path, bool has_text)
{
	struct stat st;

	json_open(path, '{');
	if (lstat(path, &st) < 0) {
		json_signed("error", errno);
	} else {
		json_number("mode", st.st_mode);
		json_number("uid", st.st_uid);
		json_number("gid", st.st_gid);
		json_signed("read", open_error(path, O_RDONLY));
		json_signed("write",
			    S_ISDIR(st.st_mode) ? make_error(path) : open_error(path, O_WRONLY));
		if (has_text)
			text_of(path, &st);
	}
	json_close('}');
}

/* The usual paths; then those of the arguments, with the text of files. */
void facts_access(int argc, char *argv[])
{
	json_open("access", '{');
	for (size_t i = 0; i < sizeof(usual_paths) / sizeof(usual_paths[0]); i++)
		access_of(usual_paths[i], false);
	for (int i = 2; i < argc; i++) {
		if (argv[i][0] == '/')
			access_of(argv[i], true);
	}
	json_close('}');
}

/* Harmless by their arguments: a filter answers before the kernel looks at them. */
static const struct {
	const char *name;
	long arguments[4];
	long number;
} usual_calls[] = {
	{"getppid", {0}, SYS_getppid},
	{"mkdirat", {-1, 0, 0, 0}, SYS_mkdirat},
	{"fchownat", {-1, 0, 0, 0}, SYS_fchownat},
	{"mount", {0}, SYS_mount},
	{"umount2", {0}, SYS_umount2},
	{"pivot_root", {0}, SYS_pivot_root},
	{"setns", {-1, 0, 0, 0}, SYS_setns},
	{"unshare", {0}, SYS_unshare},
	{"ptrace", {-1, 0, 0, 0}, SYS_ptrace},
	{"sethostname", {0, -1, 0, 0}, SYS_sethostname},
	{"syslog", {-1, 0, 0, 0}, SYS_syslog},
	{"reboot", {0}, SYS_reboot},
	{"swapon", {0}, SYS_swapon},
	{"chroot", {0}, SYS_chroot},
	{"fanotify_mark", {-1, 0, 0, 0}, SYS_fanotify_mark},
	{"personality", {-1, 0, 0, 0}, SYS_personality},
	{"adjtimex", {0}, SYS_adjtimex},
	{"prlimit64", {0, 7, 0, 0}, SYS_prlimit64},
};

void facts_calls(void)
{
	json_open("calls", '{');
	for (size_t i = 0; i < sizeof(usual_calls) / sizeof(usual_calls[0]); i++) {
		const long *a = usual_calls[i].arguments;

		errno = 0;
		long status = syscall(usual_calls[i].number, a[0], a[1], a[2], a[3], 0, 0);

		json_signed(usual_calls[i].name, status < 0 ? errno : 0);
	}
	json_close('}');
}

/* The root directory of each mount, by the mount's place: whose it is, and its mode. */
void facts_mount_roots(void)
{
	size_t length = 0;
	const char *text = file_text("/proc/self/mountinfo", &length);
	char *copy = text ? strdup(text) : NULL;
	char *rest = NULL;

	json_open("mountRoots", '{');
	for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char place[512];
		struct stat st;

		if (sscanf(line, "%*s %*s %*s %*s %511s", place) != 1 || stat(place, &st) < 0)
			continue;
		json_open(place, '{');
		json_number("mode", st.st_mode);
		json_number("uid", st.st_uid);
		json_number("gid", st.st_gid);
		json_close('}');
	}
	json_close('}');
	free(copy);
}

void facts_attributes(void)
{
	int signal_number = -1, is_subreaper = -1;

	prctl(PR_GET_PDEATHSIG, &signal_number);
	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
	json_signed("parentDeathSignal", signal_number);
	json_signed("childSubreaper", is_subreaper);
	json_signed("secureBits", prctl(PR_GET_SECUREBITS));
	json_signed("keepCapabilities", prctl(PR_GET_KEEPCAPS));
	json_signed("dumpable", prctl(PR_GET_DUMPABLE));
	json_signed("timerSlack", prctl(PR_GET_TIMERSLACK));
	json_signed("transparentHugePagesDisabled", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	json_text("setgroups", file_text("/proc/self/setgroups", NULL));
	json_text("timeOffsets", file_text("/proc/self/timens_offsets", NULL));
}

/* Network devices by name: whether they are up. */
void facts_network(void)
{
	struct if_nameindex *devices = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	json_open("network", '{');
	for (struct if_nameindex *device = devices; device && device->if_name; device++) {
		struct ifreq request = {0};

		memcpy(request.ifr_name, device->if_name, strnlen(device->if_name, IFNAMSIZ - 1));
		json_signed(device->if_name, ioctl(fd, SIOCGIFFLAGS, &request) < 0
						     ? -errno
						     : !!(request.ifr_flags & IFF_UP));
	}
	json_close('}');
	if (devices)
		if_freenameindex(devices);
	if (fd >= 0)
		close(fd);
}
