// SPDX-License-Identifier: Apache-2.0
/*
 * RCU grace periods. Mounting cgroup2 and some other steps wait for one, which takes ticks unless it
 * is expedited. Expediting interrupts other processors, and is right only while nothing else runs:
 * it is asked for on the way to the entrypoint, and taken back after it has started.
 */
#include "init/guest.h"

#include <fcntl.h>
#include <unistd.h>

#include "init/sys.h"

static const char expedited_path[] = "kernel/rcu_expedited";

/* A refused write costs time and nothing else; so it is not a failure. */
static void set_expedited(const struct early *early, char digit)
{
	AUTO_FD fd = sys_open(early->sys_fd, expedited_path, O_WRONLY, 0);

	if (fd >= 0)
		(void)sys_write_full(fd, &digit, 1);
}

bool grace_expedite(const struct early *early)
{
	char text[4];

	/* Whoever booted with rcupdate.rcu_expedited=1 wants to keep it. */
	if (sys_read_text(early->sys_fd, expedited_path, text, sizeof(text)) < 1 || text[0] != '0')
		return false;
	set_expedited(early, '1');
	return true;
}

void grace_relax(const struct early *early)
{
	set_expedited(early, '0');
}
