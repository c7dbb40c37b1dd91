// SPDX-License-Identifier: Apache-2.0
// The workload's filter of system calls.
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/spawn.h"

int seccomp_load(const struct oci_seccomp *seccomp, const struct seccomp_filter *filter,
		 struct failure *f)
{
	const struct sock_fprog program = {
		.len = (unsigned short)filter->length,
		.filter = filter->code,
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, seccomp->flags, &program) == 0)
		return 0;
	fail_sys(f, "seccomp", NULL);
	return fail_at(f, STAGE_SPAWN, "/linux/seccomp");
}
