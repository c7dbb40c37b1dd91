// SPDX-License-Identifier: Apache-2.0
/*
 * How the kernel runs the workload: scheduler, I/O priority, memory policy, execution domain. Set by
 * the child on itself while it is still root; all of it outlives the execve. Of a child in a user
 * namespace of its own, PID 1 sets the two that a machine's root only may. Kernels that were built
 * without one of them answer ENOSYS or EINVAL, which ends the run with the field's name: to run with
 * other latencies than asked for would be a different container.
 *
 * execCPUAffinity is not here: the specification excludes the container's first process from it.
 */
#include <linux/ioprio.h>
#include <linux/sched/types.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/spawn.h"

static int set_scheduler(const struct oci_scheduler *scheduler, pid_t pid, struct failure *f)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = scheduler->policy,
		.sched_flags = scheduler->flags,
		.sched_nice = scheduler->nice,
		.sched_priority = scheduler->priority,
		.sched_runtime = scheduler->runtime,
		.sched_deadline = scheduler->deadline,
		.sched_period = scheduler->period,
	};

	return syscall(SYS_sched_setattr, pid, &attr, 0) < 0 ? fail_sys(f, "sched_setattr", NULL)
							     : 0;
}

static int set_io_priority(const struct oci_io_priority *io, pid_t pid, struct failure *f)
{
	int value = IOPRIO_PRIO_VALUE(io->class, io->priority);

	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, value) < 0
		       ? fail_sys(f, "ioprio_set", NULL)
		       : 0;
}

/* The kernel looks at one bit less than it is told. */
static int set_memory_policy(const struct oci_memory_policy *policy, struct failure *f)
{
	const uint64_t *nodes = policy->nodes ? &policy->nodes : NULL;
	unsigned long bits = policy->nodes ? 64 + 1 : 0;
	long status = syscall(SYS_set_mempolicy, policy->mode | (int)policy->flags, nodes, bits);

	return status < 0 ? fail_sys(f, "set_mempolicy", NULL) : 0;
}

static int set_personality(const struct oci_personality *wanted, struct failure *f)
{
	return personality(wanted->domain) < 0 ? fail_sys(f, "personality", NULL) : 0;
}

int sched_set_priority(const struct oci_process *process, pid_t pid, struct failure *f)
{
	if (process->scheduler.present && set_scheduler(&process->scheduler, pid, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/scheduler");
	if (process->io_priority.present && set_io_priority(&process->io_priority, pid, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/ioPriority");
	return 0;
}

int sched_apply(const struct oci_linux *linux_, struct failure *f)
{
	if (linux_->memory_policy.present && set_memory_policy(&linux_->memory_policy, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/linux/memoryPolicy");
	if (linux_->personality.present && set_personality(&linux_->personality, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/linux/personality");
	return 0;
}
