// SPDX-License-Identifier: Apache-2.0
/*
 * Signals become bytes in a pipe, so that each wait of smk is one poll. The table says which ones
 * are passed on, by Linux's number, which need not be this host's.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define GUEST_SIGNAL_RTMIN 34 /* what glibc's and musl's users count from */
#define GUEST_SIGNAL_MAX   64

static const struct {
	int host;
	int guest; /* 0: not passed on */
	bool is_end;
} table[] = {
	{SIGHUP, 1, true},    {SIGINT, 2, true},    {SIGQUIT, 3, true},   {SIGTERM, 15, true},
	{SIGUSR1, 10, false}, {SIGUSR2, 12, false}, {SIGWINCH, 0, false}, {SIGCHLD, 0, false},
};

#define SIGNAL_COUNT (sizeof(table) / sizeof(table[0]))

static int signal_pipe[2] = {-1, -1};

static void on_signal(int signal)
{
	int saved = errno;
	unsigned char byte = (unsigned char)signal;

	/* A full pipe holds thousands of signals that nobody has looked at: one more says nothing
	 * new. */
	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

int signals_open(struct failure *f)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK))
		return fail_sys(f, "pipe", NULL);
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		struct sigaction old;

		/* nohup and background jobs of simple shells ignore some signals: it stays so. */
		if (!sigaction(table[i].host, NULL, &old) && old.sa_handler == SIG_IGN &&
		    table[i].host != SIGCHLD)
			continue;
		if (sigaction(table[i].host, &action, NULL))
			return fail_sys(f, "sigaction", NULL);
	}
	if (sigaction(SIGPIPE, &ignore, NULL))
		return fail_sys(f, "sigaction", NULL);
	return 0;
}

int signals_fd(void)
{
	return signal_pipe[0];
}

int signals_next(void)
{
	unsigned char byte;

	return read(signal_pipe[0], &byte, 1) == 1 ? byte : 0;
}

int signals_guest_number(int signal)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		if (table[i].host == signal)
			return table[i].guest;
	return 0;
}

/* "SIGQUIT", "QUIT", "3", "SIGRTMIN+3": names as the guest's users know them. 0: none of these. */
int signals_parse(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	bool is_max = !strncasecmp(name, "RTMAX", 5);
	char *end;
	long number = strtol(text, &end, 10);

	if (*text >= '0' && *text <= '9')
		return *end || number < 1 || number > GUEST_SIGNAL_MAX ? 0 : (int)number;
	if (is_max || !strncasecmp(name, "RTMIN", 5)) {
		number = name[5] == (is_max ? '-' : '+') ? strtol(name + 6, &end, 10) : 0;
		if (name[5] && (name[6] < '0' || name[6] > '9' || *end || number > 30))
			return 0;
		return (int)(is_max ? GUEST_SIGNAL_MAX - number : GUEST_SIGNAL_RTMIN + number);
	}
	for (int i = 1; i < 32; i++)
		if (sigabbrev_np(i) && !strcasecmp(sigabbrev_np(i), name))
			return i;
	return 0;
}

bool signals_is_end(int signal)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		if (table[i].host == signal)
			return table[i].is_end;
	return false;
}

/* One thread takes the signal out of the pipe, all of them are to end. */
static atomic_bool is_end_wanted;

bool signals_want_end(void)
{
	int signal;

	while ((signal = signals_next()))
		if (signals_is_end(signal))
			atomic_store(&is_end_wanted, true);
	return atomic_load(&is_end_wanted);
}

void signals_forget(void)
{
	while (signals_next())
		;
	atomic_store(&is_end_wanted, false);
}
