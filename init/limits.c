// SPDX-License-Identifier: Apache-2.0
/*
 * Limits that only root may raise: rlimits and the OOM killer's preference. Set by the child on
 * itself, before it gives its privileges up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/spawn.h"

static int set_rlimits(const struct oci_process *process, struct failure *f)
{
	for (size_t i = 0; i < process->rlimit_count; i++) {
		const struct oci_rlimit *limit = &process->rlimits[i];
		uint64_t pair[2] = {limit->soft, limit->hard};

		/* The kernel's own 64-bit form: UINT64_MAX is its RLIM64_INFINITY. */
		if (syscall(SYS_prlimit64, 0, limit->resource, pair, NULL) < 0) {
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

/*
 * PID 1 has the kernel's 0, and so has its child: a 0 need not be written.
 * Written through our own procfs, and only if it is one: a file system that an image or a
 * configuration put on /proc would take the value and make nothing of it (CVE-2019-16884).
 */
static int set_oom_score_adj(int score, int proc_fd, struct failure *f)
{
	static const char path[] = "self/oom_score_adj";
	char text[16];
	struct statfs fs;
	int length = snprintf(text, sizeof(text), "%d", score);
	int fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return fail_sys(f, "open", path);
	if (fstatfs(fd, &fs) < 0)
		return fail_sys(f, "fstatfs", path);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return fail_err(f, EINVAL, "fstatfs", path, "is not on procfs");
	if (write(fd, text, (size_t)length) != length)
		return fail_sys(f, "write", path);
	close(fd);
	return 0;
}

int limits_apply(const struct oci_process *process, int proc_fd, struct failure *f)
{
	if (set_rlimits(process, f) < 0)
		return -1;
	if (process->has_oom_score_adj && set_oom_score_adj(process->oom_score_adj, proc_fd, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/oomScoreAdj");
	return 0;
}
