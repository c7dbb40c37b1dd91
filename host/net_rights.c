// SPDX-License-Identifier: Apache-2.0
/*
 * What TSI's process gives up before it looks at anything of the guest's: capabilities, programs that
 * would give them back, and system calls that it never needs.
 */
#include "net.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "smk's hosts are x86_64 and arm64"
#endif

#define DENY(name)                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* By the number alone: who breaks in finds no file, no program and no other process. */
static int deny_calls(void)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(execve),
		DENY(execveat),
		DENY(openat),
		DENY(openat2),
		DENY(open_by_handle_at),
		DENY(clone),
		DENY(clone3),
		DENY(ptrace),
		DENY(process_vm_writev),
		DENY(pidfd_getfd),
		DENY(kill),
		DENY(unlinkat),
		DENY(mount),
		DENY(bpf),
		DENY(keyctl),
		DENY(io_uring_setup),
#ifdef __x86_64__
		/* The same calls under other numbers, and older ones. */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		DENY(open),
		DENY(creat),
		DENY(fork),
		DENY(vfork),
		DENY(unlink),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int net_drop_rights(void)
{
	const struct rlimit none = {0, 0};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct nothing[2] = {0};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none) ||
			       prctl(PR_SET_DUMPABLE, 0) || syscall(SYS_capset, &header, nothing) ||
			       deny_calls()
		       ? -1
		       : 0;
}
