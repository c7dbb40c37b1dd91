// SPDX-License-Identifier: Apache-2.0
/*
 * Collecting ended processes: the one place that waits. A SIGCHLD may stand for any number of them,
 * so each collects until there is none.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "init/supervise.h"
#include "init/sys.h"

/* The kernel counts the processes that its OOM killer has ended since it was booted. */
static bool has_oom_kill(void)
{
	static const char key[] = "\noom_kill ";
	char text[16384];
	AUTO_FD fd = sys_open(AT_FDCWD, "/proc/vmstat", O_RDONLY, 0);
	ssize_t length = fd < 0 ? -1 : sys_read_full(fd, text, sizeof(text) - 1);

	if (length < 0)
		return false;
	text[length] = '\0';
	const char *found = strstr(text, key);

	return found && strtoull(found + strlen(key), NULL, 10) > 0;
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void record_end(struct exit_record *record, int wait_status, const struct rusage *usage)
{
	life_exit(wait_status, record);
	record->oom_killed = record->signal == SIGKILL && has_oom_kill();
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
			record_end(s->record, wait_status, &usage);
			supervise_event(s, LIFE_ENDED);
		}
	}
	return moved;
}
