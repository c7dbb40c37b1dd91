// SPDX-License-Identifier: Apache-2.0
/*
 * Whether the kernel's memory killer has ended the entrypoint. The kernel does not say so of a process;
 * it counts, for a cgroup with a memory controller (whatever the reason: the cgroup's limit or a
 * machine without memory) and for the machine. So it has, when the entrypoint was ended by SIGKILL,
 * the count is not what it was, and the host has not sent that SIGKILL.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "init/supervise.h"
#include "init/sys.h"

#define TEXT_MAX 16384

static uint64_t count_kills(int cgroup_fd)
{
	static const char key[] = "\noom_kill ";
	char text[TEXT_MAX];
	const char *found;

	if ((cgroup_fd < 0 || sys_read_text(cgroup_fd, "memory.events", text, sizeof(text)) < 0) &&
	    sys_read_text(AT_FDCWD, "/proc/vmstat", text, sizeof(text)) < 0)
		return 0;
	found = strstr(text, key);
	return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

void oom_forget(struct supervisor *s)
{
	s->oom_kills = count_kills(s->child->cgroup_fd);
}

bool oom_has_killed(const struct supervisor *s, int sig)
{
	return sig == SIGKILL && count_kills(s->child->cgroup_fd) > s->oom_kills;
}
