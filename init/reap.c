// SPDX-License-Identifier: Apache-2.0
/*
 * Collecting ended processes: the one place that waits. A SIGCHLD may stand for any number of them,
 * so each collects until there is none.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "init/supervise.h"

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void record_end(const struct supervisor *s, int wait_status, const struct rusage *usage)
{
	struct exit_record *record = s->record;

	life_exit(wait_status, record);
	record->oom_killed = oom_has_killed(s, record->signal);
	record->user_us = microseconds(&usage->ru_utime);
	record->system_us = microseconds(&usage->ru_stime);
	record->max_rss_bytes = (uint64_t)usage->ru_maxrss * 1024;
}

bool reap_all(struct supervisor *s)
{
	bool moved = false;

	while (s->has_children) {
		struct rusage usage;
		int wait_status;
		pid_t pid = wait4(-1, &wait_status, WNOHANG, &usage);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 && errno != ECHILD)
			break; /* has_children stays: the loop comes back */
		s->is_alone = pid < 0;
		s->has_children = pid > 0;
		moved |= pid > 0;
		if (pid == s->child->pid && s->state == LIFE_RUN) {
			record_end(s, wait_status, &usage);
			supervise_event(s, LIFE_ENDED);
		}
	}
	return moved;
}
