// SPDX-License-Identifier: Apache-2.0
/*
 * Limits that only root may raise: rlimits and the OOM killer's preference. Set by the child on
 * itself before it gives its privileges up, or by PID 1 on a child of another user namespace.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/namespace.h"
#include "init/spawn.h"

static int set_rlimits(const struct oci_process *process, pid_t pid, struct failure *f)
{
	for (size_t i = 0; i < process->rlimit_count; i++) {
		const struct oci_rlimit *limit = &process->rlimits[i];
		uint64_t pair[2] = {limit->soft, limit->hard};

		/* The kernel's own 64-bit form: UINT64_MAX is its RLIM64_INFINITY. */
		if (syscall(SYS_prlimit64, pid, limit->resource, pair, NULL) < 0) {
			char field[48];

			fail_err(f, errno, "prlimit64", NULL, "resource %d, soft %llu, hard %llu",
				 limit->resource, (unsigned long long)limit->soft,
				 (unsigned long long)limit->hard);
			snprintf(field, sizeof(field), "/process/rlimits/%zu", i);
			return fail_at(f, STAGE_SPAWN, field);
		}
	}
	return 0;
}

int limits_apply(const struct oci_process *process, int proc_fd, pid_t pid, struct failure *f)
{
	char path[PROC_PATH_MAX];
	char text[16];

	if (set_rlimits(process, pid, f) < 0)
		return -1;
	if (!process->has_oom_score_adj)
		return 0;
	proc_path(path, pid, "oom_score_adj");
	snprintf(text, sizeof(text), "%d", process->oom_score_adj);
	if (proc_write(proc_fd, path, text, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/oomScoreAdj");
	return 0;
}
