// SPDX-License-Identifier: Apache-2.0
/* The console as descriptor 2: a pipe that is read, that is full, that is slow, that nobody reads. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/guest.h"
#include "tests/t.h"

#define PIPE_BYTES 65536

static int read_fd, saved_fd;
static volatile sig_atomic_t alarms, drain_at;

/* Puts a pipe in the console's place. */
static void begin(int flags)
{
	int ends[2];

	CHECK_INT(pipe2(ends, flags), 0);
	read_fd = ends[0];
	saved_fd = dup(2);
	CHECK_INT(dup2(ends[1], 2), 2);
	close(ends[1]);
}

static void end(void)
{
	CHECK_INT(dup2(saved_fd, 2), 2);
	close(saved_fd);
	if (read_fd >= 0)
		close(read_fd);
}

static void drain(void)
{
	static char bytes[PIPE_BYTES];

	while (read(read_fd, bytes, sizeof(bytes)) < 0)
		;
}

static void on_alarm(int number)
{
	(void)number;
	if (++alarms == drain_at)
		drain();
}

/* From now on an alarm each 20 ms, of which the n-th empties the pipe; none restarts a call. */
static void drain_at_alarm(int n)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval timer = {{0, n ? 20000 : 0}, {0, n ? 20000 : 0}};

	alarms = 0;
	drain_at = n;
	CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void warns_in_one_line(void)
{
	char got[256] = "";

	begin(0);
	console_warn("a\n%s\x7f%c", "b\033", 1);
	CHECK(read(read_fd, got, sizeof(got) - 1) > 0);
	end();
	CHECK_STR(got, "init-oci: warning: a?b???\n");
}

/* In a child, which is slower: it begins when the pipe is full. */
static size_t read_all_but_begin_late(void)
{
	struct pollfd full = {.fd = 2, .events = POLLOUT};
	static char bytes[PIPE_BYTES];
	size_t total = 0;
	ssize_t got;

	while (poll(&full, 1, 0) == 1)
		sched_yield();
	close(2);
	while ((got = read(read_fd, bytes, sizeof(bytes))) > 0)
		total += (size_t)got;
	return total;
}

static void waits_for_a_slow_reader(void)
{
	static char bytes[PIPE_BYTES + 4096];
	int status = -1;
	pid_t pid;

	begin(O_NONBLOCK);
	CHECK_INT(fcntl(read_fd, F_SETFL, 0), 0);
	pid = fork();
	if (pid == 0)
		_exit(read_all_but_begin_late() != sizeof(bytes));
	console_write(bytes, sizeof(bytes));
	end();
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void is_not_stopped_by_a_signal(void)
{
	static char bytes[PIPE_BYTES + 100], got[PIPE_BYTES];

	begin(0);
	memset(bytes, 'x', sizeof(bytes));
	drain_at_alarm(3); /* the first comes in the middle, the second before any byte */
	console_write(bytes, sizeof(bytes));
	drain_at_alarm(0);
	CHECK_INT(read(read_fd, got, sizeof(got)), 100);
	end();
}

static void gives_up_when_nobody_reads(void)
{
	static char bytes[PIPE_BYTES + 1], got[PIPE_BYTES + 1];

	begin(O_NONBLOCK);
	memset(bytes, 'x', sizeof(bytes));
	console_write(bytes, sizeof(bytes));
	CHECK_INT(read(read_fd, got, sizeof(got)), PIPE_BYTES);
	CHECK_INT(read(read_fd, got, sizeof(got)), -1);
	end();
}

static void survives_without_a_reader(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	begin(0);
	close(read_fd);
	read_fd = -1;
	CHECK_INT(sigaction(SIGPIPE, &ignore, NULL), 0);
	console_write("x", 1);
	end();
}

static const struct t_case cases[] = {
	{"warns-in-one-line", warns_in_one_line},
	{"waits-for-a-slow-reader", waits_for_a_slow_reader},
	{"is-not-stopped-by-a-signal", is_not_stopped_by_a_signal},
	{"gives-up-when-nobody-reads", gives_up_when_nobody_reads},
	{"survives-without-a-reader", survives_without_a_reader},
};

T_MAIN("init-console", cases)
