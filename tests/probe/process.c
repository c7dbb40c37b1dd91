// SPDX-License-Identifier: Apache-2.0
// Commands about processes: how they end, whom they leave behind, which signals reach them.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/probe/probe.h"

#define KERNEL_SET_SIZE 8

static const uint64_t every_signal = ~UINT64_C(0);

static int do_exit(int argc, char *argv[])
{
	return argc > 1 ? (int)number(argv[1]) : 0;
}

/* Whatever libc thinks of the signal: 32 to 34, too. */
static int do_kill(int argc, char *argv[])
{
	const struct rlimit no_core = {0, 0};

	if (argc < 2)
		return 2;
	setrlimit(RLIMIT_CORE, &no_core);
	if (syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number(argv[1])) < 0)
		return complain("tgkill");
	sleep(1);
	return 3;
}

static int do_sleep(int argc, char *argv[])
{
	long seconds = argc > 1 ? number(argv[1]) : 1000000;

	puts("sleeping");
	fflush(stdout);
	for (unsigned left = (unsigned)seconds; left;)
		left = sleep(left);
	return 0;
}

/* Children of a child that ends first: PID 1 inherits them. */
static int make_orphans(long count)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (long i = 0; i < count; i++) {
			pid_t orphan = fork();

			if (orphan == 0)
				_exit((int)(i & 0x7f));
			if (orphan < 0)
				_exit(1);
		}
		_exit(0);
	}
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return complain("fork");
	return 0;
}

static long count_zombies(void)
{
	long zombies = 0;
	char path[32];

	for (int pid = 1; pid < 32768; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		const char *text = file_text(path, NULL);
		const char *state = text ? strrchr(text, ')') : NULL;

		zombies += state && state[2] == 'Z';
	}
	return zombies;
}

/* ORPHANS at once; then how many are zombies a second later. */
static int do_orphans(int argc, char *argv[])
{
	if (argc < 2 || make_orphans(number(argv[1])))
		return 1;
	sleep(1);
	printf("zombies %ld\n", count_zombies());
	return argc > 2 ? (int)number(argv[2]) : 0;
}

/* COUNT orphans that wait for the end of a pipe, and then end at once. */
static int make_waiting_orphans(long count, pid_t *pids, const int pipe_fds[2])
{
	pid_t maker = fork();
	int status;
	char byte;

	if (maker == 0) {
		for (long i = 0; i < count; i++) {
			pid_t pid = fork();

			if (pid == 0) {
				close(pipe_fds[1]);
				_exit((int)read(pipe_fds[0], &byte, 1));
			}
			if (pid < 0)
				_exit(1);
			pids[i] = pid;
		}
		_exit(0);
	}
	if (maker < 0 || waitpid(maker, &status, 0) < 0 || status != 0)
		return complain("fork");
	return 0;
}

/* How long PID 1 takes from the end of COUNT orphans until none is left, a zombie neither. */
static int do_reap(int argc, char *argv[])
{
	long count = argc > 1 ? number(argv[1]) : 10000;
	pid_t *pids = mmap(NULL, (size_t)count * sizeof(*pids), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec begin, end;
	int pipe_fds[2];

	if (pids == MAP_FAILED || pipe(pipe_fds) < 0 || make_waiting_orphans(count, pids, pipe_fds))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	close(pipe_fds[1]);
	for (long i = 0; i < count; i++) {
		while (kill(pids[i], 0) == 0)
			usleep(200);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("microseconds %lld\n", (long long)(end.tv_sec - begin.tv_sec) * 1000000 +
					      (end.tv_nsec - begin.tv_nsec) / 1000);
	return 0;
}

/* Ends in the same burst as its orphans, or MILLISECONDS later. */
static int do_burst(int argc, char *argv[])
{
	if (argc < 3 || make_orphans(number(argv[1])))
		return 1;
	if (argc > 3)
		usleep((useconds_t)number(argv[3]) * 1000);
	return (int)number(argv[2]);
}

/* Leaves a process behind that holds every standard stream and ignores what can be ignored. */
static int do_holder(int argc, char *argv[])
{
	pid_t pid = fork();

	if (pid == 0) {
		for (int sig = 1; sig < 32; sig++)
			signal(sig, SIG_IGN);
		setsid();
		sleep(60);
		_exit(0);
	}
	puts("holding");
	fflush(stdout);
	return argc > 1 ? (int)number(argv[1]) : 0;
}

static int wait_for_signal(int sig, int seconds)
{
	struct timespec limit = {.tv_sec = seconds};
	uint64_t set = sig ? UINT64_C(1) << (sig - 1) : every_signal;
	siginfo_t info;

	return (int)syscall(SYS_rt_sigtimedwait, &set, &info, &limit, KERNEL_SET_SIZE);
}

/* Prints the number of each signal that comes; ends at the last of COUNT. */
static int do_signals(int argc, char *argv[])
{
	long count = argc > 1 ? number(argv[1]) : 1;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every_signal, NULL, KERNEL_SET_SIZE);
	puts("ready");
	fflush(stdout);
	while (count-- > 0) {
		int sig = wait_for_signal(0, 20);

		if (sig < 0)
			return complain("sigtimedwait");
		printf("signal %d\n", sig);
		fflush(stdout);
	}
	return 0;
}

/* Sends PID 1 the signal COUNT times, each only when there was a place for it. */
static _Noreturn void send_all(int sig, long count)
{
	for (long sent = 0; sent < count;) {
		union sigval value = {.sival_int = (int)sent};

		if (sigqueue(1, sig, value) == 0)
			sent++;
		else if (errno != EAGAIN)
			_exit(1);
	}
	_exit(0);
}

/* A storm of COUNT signals SIG through PID 1: how many come back. */
static int do_storm(int argc, char *argv[])
{
	if (argc < 3)
		return 2;
	int sig = (int)number(argv[1]);
	long count = number(argv[2]), got = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every_signal, NULL, KERNEL_SET_SIZE);
	pid_t pid = fork();

	if (pid == 0)
		send_all(sig, count);
	while (got < count && wait_for_signal(sig, 5) == sig)
		got++;
	printf("received %ld\n", got);
	return 0;
}

/* Reads FILE, and not from the page cache. */
static void read_again(const char *path)
{
	static char bytes[1 << 16];
	int fd = open(path, O_RDONLY);

	if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		exit(complain(path));
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

/* Takes memory until something ends it; with FILE, reads that all the time. */
static int do_hog(int argc, char *argv[])
{
	const size_t step = argc > 1 ? 1 << 14 : 1 << 20;

	for (;;) {
		if (argc > 1)
			read_again(argv[1]);
		char *bytes = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);

		if (bytes == MAP_FAILED)
			return complain("mmap");
		memset(bytes, 1, step);
	}
}

/* A NUMBER of processes at once, until fork fails: prints how many there were. */
static int do_forks(int argc, char *argv[])
{
	long count = 0, max = argc > 1 ? number(argv[1]) : 1000;

	while (count < max) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			pause();
			_exit(0);
		}
		count++;
	}
	printf("forked %ld\n", count);
	return 0;
}

/* What the processes of a fork bomb share. */
struct bomb {
	long begun;
	bool is_full;
};

static _Noreturn void explode(struct bomb *bomb, long max)
{
	while (__atomic_add_fetch(&bomb->begun, 1, __ATOMIC_RELAXED) < max) {
		if (fork() < 0) {
			__atomic_store_n(&bomb->is_full, true, __ATOMIC_RELAXED);
			usleep(1000);
		}
	}
	for (;;)
		pause();
}

/*
 * A fork bomb, of at most MAX attempts whatever the limit is. Prints "full" when it has hit a limit and
 * then ends with CODE, or goes on until it is killed.
 */
static int do_bomb(int argc, char *argv[])
{
	struct bomb *bomb = mmap(NULL, sizeof(*bomb), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (argc < 2 || bomb == MAP_FAILED)
		return 2;
	pid = fork();
	if (pid == 0)
		explode(bomb, number(argv[1]));
	while (pid > 0 && !__atomic_load_n(&bomb->is_full, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&bomb->begun, __ATOMIC_RELAXED) < number(argv[1]))
		usleep(1000);
	puts(bomb->is_full ? "full" : "no limit");
	fflush(stdout);
	while (argc < 3)
		pause();
	return (int)number(argv[2]);
}

const struct command process_commands[] = {
	{"exit", "CODE", do_exit},
	{"kill", "SIGNAL", do_kill},
	{"sleep", "[SECONDS]", do_sleep},
	{"orphans", "COUNT [CODE]", do_orphans},
	{"reap", "[COUNT]", do_reap},
	{"burst", "COUNT CODE [MILLISECONDS]", do_burst},
	{"spawn-holder", "[CODE]", do_holder},
	{"signals", "[COUNT]", do_signals},
	{"storm", "SIGNAL COUNT", do_storm},
	{"hog", "[FILE]", do_hog},
	{"forks", "[MAX]", do_forks},
	{"bomb", "MAX [CODE]", do_bomb},
	{NULL, NULL, NULL},
};
