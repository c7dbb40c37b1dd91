// SPDX-License-Identifier: Apache-2.0
// How the kernel runs this process; and single system calls.
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/probe/probe.h"

static void cpus(void)
{
	uint64_t bits[16] = {0};

	syscall(SYS_sched_getaffinity, 0, sizeof(bits), bits);
	json_open("cpus", '[');
	for (unsigned cpu = 0; cpu < sizeof(bits) * 8; cpu++) {
		if (bits[cpu / 64] & UINT64_C(1) << cpu % 64)
			json_number(NULL, cpu);
	}
	json_close(']');
}

void facts_schedule(void)
{
	struct sched_attr attr = {.size = sizeof(attr)};
	long io = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	int mode = -1;
	uint64_t nodes[16] = {0};

	syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0);
	json_open("scheduler", '{');
	json_number("policy", attr.sched_policy);
	json_number("flags", attr.sched_flags);
	json_signed("nice", attr.sched_nice);
	json_number("priority", attr.sched_priority);
	json_number("runtime", attr.sched_policy == SCHED_DEADLINE ? attr.sched_runtime : 0);
	json_number("deadline", attr.sched_deadline);
	json_number("period", attr.sched_period);
	json_close('}');
	cpus();
	json_open("ioPriority", '[');
	json_signed(NULL, IOPRIO_PRIO_CLASS(io));
	json_signed(NULL, IOPRIO_PRIO_DATA(io));
	json_close(']');
	json_signed("personality", personality(0xffffffff));
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) < 0)
		mode = -errno;
	json_signed("memoryPolicy", mode);
	json_number("memoryNodes", nodes[0]);
}

/* call NUMBER,ARG... ...: each one's errno on a line of its own; 0: it worked. */
static int do_call(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		long values[7] = {0};
		int count = 0;

		for (char *word = strtok(argv[i], ","); word && count < 7; word = strtok(NULL, ","))
			values[count++] = number(word);
		errno = 0;
		long status = syscall(values[0], values[1], values[2], values[3], values[4],
				      values[5], values[6]);

		printf("%d\n", status < 0 ? errno : 0);
		fflush(stdout);
	}
	return 0;
}

const struct command schedule_commands[] = {
	{"call", "NUMBER[,ARG...]...", do_call},
	{NULL, NULL, NULL},
};
