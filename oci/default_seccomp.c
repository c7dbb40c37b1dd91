// SPDX-License-Identifier: Apache-2.0
/*
 * The default seccomp profile, as podman 4.3 applies it on arm64, written from what differs: of all
 * system calls of the guest's kernel those without a row are allowed. A row's call is refused with
 * EPERM, unless the container has the capability that is good for it; those that came after the
 * profile, and those that it does not know, do not exist (ENOSYS), so that programs fall back.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "run_config.h"
#include "writer.h"

static const struct {
	const char *name;
	int number;
} calls[] = {
#include "syscalls_aarch64.h"
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))
#define NEVER      (-1)
#define UNKNOWN    (-2)
#define BY_ARGS    (-3)

#define NETLINK_FAMILY 16 /* AF_NETLINK */
#define AUDIT_PROTOCOL 9  /* NETLINK_AUDIT */

static const struct exception {
	const char *name;
	int capability; /* allowed with it */
} exceptions[] = {
	{"acct", CAP_SYS_PACCT},
	{"add_key", UNKNOWN},
	{"bpf", CAP_SYS_ADMIN},
	{"cachestat", UNKNOWN},
	{"chroot", CAP_SYS_CHROOT},
	{"clock_settime", CAP_SYS_TIME},
	{"delete_module", CAP_SYS_MODULE},
	{"fanotify_init", CAP_SYS_ADMIN},
	{"fchmodat2", UNKNOWN},
	{"finit_module", CAP_SYS_MODULE},
	{"futex_requeue", UNKNOWN},
	{"futex_wait", UNKNOWN},
	{"futex_waitv", UNKNOWN},
	{"futex_wake", UNKNOWN},
	{"init_module", CAP_SYS_MODULE},
	{"io_pgetevents", NEVER},
	{"io_uring_enter", UNKNOWN},
	{"io_uring_register", UNKNOWN},
	{"io_uring_setup", UNKNOWN},
	{"kcmp", CAP_SYS_PTRACE},
	{"kexec_file_load", NEVER},
	{"kexec_load", NEVER},
	{"listmount", UNKNOWN},
	{"lookup_dcookie", CAP_SYS_ADMIN},
	{"lsm_get_self_attr", UNKNOWN},
	{"lsm_list_modules", UNKNOWN},
	{"lsm_set_self_attr", UNKNOWN},
	{"map_shadow_stack", UNKNOWN},
	{"migrate_pages", NEVER},
	{"move_pages", NEVER},
	{"mseal", UNKNOWN},
	{"nfsservctl", NEVER},
	{"open_by_handle_at", CAP_DAC_READ_SEARCH},
	{"perf_event_open", CAP_SYS_ADMIN},
	{"personality", BY_ARGS},
	{"process_madvise", CAP_SYS_PTRACE},
	{"quotactl", CAP_SYS_ADMIN},
	{"quotactl_fd", UNKNOWN},
	{"request_key", UNKNOWN},
	{"set_mempolicy_home_node", UNKNOWN},
	{"setdomainname", CAP_SYS_ADMIN},
	{"sethostname", CAP_SYS_ADMIN},
	{"settimeofday", CAP_SYS_TIME},
	{"socket", BY_ARGS},
	{"statmount", UNKNOWN},
	{"swapoff", NEVER},
	{"swapon", NEVER},
	{"userfaultfd", NEVER},
	{"vhangup", CAP_SYS_TTY_CONFIG},
	{"vmsplice", NEVER},
};

#define EXCEPTION_COUNT (sizeof(exceptions) / sizeof(exceptions[0]))

/* Personalities that change nothing about security: Linux, and 32 bits of it; or just asking. */
static const uint32_t personalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};

static const struct exception *find_exception(const char *name)
{
	for (size_t i = 0; i < EXCEPTION_COUNT; i++)
		if (!strcmp(exceptions[i].name, name))
			return &exceptions[i];
	return NULL;
}

static bool is_allowed(const char *name, uint64_t capabilities)
{
	const struct exception *exception = find_exception(name);

	return !exception ||
	       (exception->capability >= 0 && capabilities >> exception->capability & 1);
}

static bool is_denied(const char *name, uint64_t capabilities)
{
	const struct exception *exception = find_exception(name);

	return exception &&
	       (exception->capability == NEVER ||
		(exception->capability >= 0 && !(capabilities >> exception->capability & 1)));
}

/* One rule for all names that a test picks. */
static void write_names(struct writer *writer, bool (*is_picked)(const char *name, uint64_t),
			uint64_t capabilities)
{
	write_open(writer, "names", '[');
	for (size_t i = 0; i < CALL_COUNT; i++)
		if (is_picked(calls[i].name, capabilities))
			write_string(writer, NULL, calls[i].name);
	write_close(writer, ']');
}

static void write_arg(struct writer *writer, unsigned index, uint64_t value, const char *operator)
{
	write_open(writer, NULL, '{');
	write_uint(writer, "index", index);
	write_uint(writer, "value", value);
	write_string(writer, "op", operator);
	write_close(writer, '}');
}

static void open_call(struct writer *writer, const char *name, const char *action)
{
	write_open(writer, NULL, '{');
	write_open(writer, "names", '[');
	write_string(writer, NULL, name);
	write_close(writer, ']');
	write_string(writer, "action", action);
}

/* personality(2) by its argument; socket(2) but for audit's netlink without its capability. */
static void write_by_args(struct writer *writer, uint64_t capabilities)
{
	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++) {
		open_call(writer, "personality", "SCMP_ACT_ALLOW");
		write_open(writer, "args", '[');
		write_arg(writer, 0, personalities[i], "SCMP_CMP_EQ");
		write_close(writer, ']');
		write_close(writer, '}');
	}
	if (capabilities >> CAP_AUDIT_WRITE & 1) {
		open_call(writer, "socket", "SCMP_ACT_ALLOW");
		write_close(writer, '}');
		return;
	}
	open_call(writer, "socket", "SCMP_ACT_ERRNO");
	write_uint(writer, "errnoRet", EINVAL);
	write_open(writer, "args", '[');
	write_arg(writer, 0, NETLINK_FAMILY, "SCMP_CMP_EQ");
	write_arg(writer, 2, AUDIT_PROTOCOL, "SCMP_CMP_EQ");
	write_close(writer, ']');
	write_close(writer, '}');
	for (unsigned index = 0; index <= 2; index += 2) {
		open_call(writer, "socket", "SCMP_ACT_ALLOW");
		write_open(writer, "args", '[');
		write_arg(writer, index, index ? AUDIT_PROTOCOL : NETLINK_FAMILY, "SCMP_CMP_NE");
		write_close(writer, ']');
		write_close(writer, '}');
	}
}

void write_default_seccomp(struct writer *writer, uint64_t capabilities)
{
	write_open(writer, "seccomp", '{');
	write_string(writer, "defaultAction", "SCMP_ACT_ERRNO");
	write_uint(writer, "defaultErrnoRet", ENOSYS);
	write_open(writer, "architectures", '[');
	write_string(writer, NULL, "SCMP_ARCH_AARCH64");
	write_close(writer, ']');
	write_open(writer, "syscalls", '[');
	write_open(writer, NULL, '{');
	write_names(writer, is_allowed, capabilities);
	write_string(writer, "action", "SCMP_ACT_ALLOW");
	write_close(writer, '}');
	write_open(writer, NULL, '{');
	write_names(writer, is_denied, capabilities);
	write_string(writer, "action", "SCMP_ACT_ERRNO");
	write_uint(writer, "errnoRet", EPERM);
	write_close(writer, '}');
	write_by_args(writer, capabilities);
	write_close(writer, ']');
	write_close(writer, '}');
}
