// SPDX-License-Identifier: Apache-2.0
/*
 * report: the end of every run, whatever happened before.
 *
 * Should: get the exit record out by the control channel, or failing that by the console, and then
 * switch the machine off. Must not: return, wait for a host without a limit, or let PID 1 end,
 * which would be a kernel panic. That is why a child does the powering off: where the machine has
 * no power switch, the kernel ends the process that asked.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <smk/contract.h>

#include "init/channel.h"
#include "init/guest.h"

#define DELIVER_MS 5000
#define LINGER_MS  1000
#define POWER_MS   2000

uint64_t mark_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void print_failure(const struct failure *failure)
{
	char line[FAIL_LINE_MAX + 1];

	fail_format(failure, line);
	size_t length = strlen(line);

	line[length++] = '\n';
	console_write(line, length);
}

static void print_record(const struct exit_record *record)
{
	static char line[sizeof(SMK_EXIT_LINE_PREFIX) + MESSAGE_MAX_BYTES];
	size_t length = strlen(strcpy(line, SMK_EXIT_LINE_PREFIX));

	length += exit_record_encode(record, line + length, MESSAGE_MAX_BYTES);
	line[length++] = '\n';
	console_write(line, length);
}

static bool send_record(const struct exit_record *record, struct channel *channel)
{
	struct event event = {.kind = EVENT_EXIT, .exit = *record};

	if (!channel_event(channel, &event) || !channel_deliver(channel, DELIVER_MS))
		return false;
	channel_linger(channel, LINGER_MS);
	return true;
}

static void send_failure(const struct failure *failure, struct channel *channel)
{
	char line[FAIL_LINE_MAX];

	fail_format(failure, line);
	(void)channel_error(channel, line); /* the record has it, too */
}

/*
 * In a child: reboot(2) ends its caller when the machine stays on. Of a PID namespace, this ends all.
 * False: the kernel refused.
 */
static bool try_power(int command)
{
	int status = 0;
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid < 0)
		return reboot(command) == 0;
	if (pid == 0)
		_exit(reboot(command) < 0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		return false;
	poll(NULL, 0, POWER_MS); /* some machines take a moment to go */
	return true;
}

/*
 * Refused both ways, which no kernel does to its own PID 1 but who runs us in a namespace may: the
 * record has left, so that ending is better than staying.
 */
static _Noreturn void power_off(void)
{
	sync();
	if (!try_power(RB_POWER_OFF) && !try_power(RB_AUTOBOOT))
		_exit(SMK_EXIT_SETUP);
	for (;;)
		pause();
}

_Noreturn void report(struct exit_record *record, struct channel *channel,
		      const struct early *early, const struct container *container)
{
	record->marks.at_ns[MARK_REPORT] = mark_now();
	if (record->has_failure) {
		print_failure(&record->failure);
		send_failure(&record->failure, channel);
	}
	if (!send_record(record, channel)) {
		record->dropped_bytes += channel_undelivered(channel);
		print_record(record);
	}
	if (early && container)
		apply_undo(early, container);
	power_off();
}
