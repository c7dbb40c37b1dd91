// SPDX-License-Identifier: Apache-2.0
/*
 * For crun on a machine whose root is without CAP_SYS_RESOURCE, as in a sandbox: a limit above the
 * hard one becomes the hard one, where crun would give up. crun also lifts its own limit of locked
 * memory before it loads a BPF program, which kernels have not asked for since 5.11.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *wanted)
{
	struct rlimit limit;

	if (syscall(SYS_prlimit64, 0, resource, wanted, NULL) == 0)
		return 0;
	if (errno != EPERM || syscall(SYS_prlimit64, 0, resource, NULL, &limit) < 0)
		return -1;
	limit.rlim_cur = least(wanted->rlim_cur, limit.rlim_max);
	limit.rlim_max = least(wanted->rlim_max, limit.rlim_max);
	return (int)syscall(SYS_prlimit64, 0, resource, &limit, NULL);
}
