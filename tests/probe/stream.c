// SPDX-License-Identifier: Apache-2.0
// Commands about the standard streams and the terminal.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/probe/probe.h"

static int put(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain("write");
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

/* BYTES of a pattern that repeats every 251, a prime: a lost or doubled block shows. */
static int do_write(int argc, char *argv[])
{
	char block[251 * 16];
	long left = argc > 1 ? number(argv[1]) : 0;
	int fd = argc > 2 ? (int)number(argv[2]) : 1;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i % 251);
	while (left > 0) {
		size_t length = (size_t)left < sizeof(block) ? (size_t)left : sizeof(block);

		if (put(fd, block, length))
			return 1;
		left -= (long)length;
	}
	return argc > 3 ? (int)number(argv[3]) : 0;
}

static int do_cat(int argc, char *argv[])
{
	char block[65536];
	ssize_t got;

	(void)argc;
	(void)argv;
	while ((got = read(0, block, sizeof(block))) > 0) {
		if (put(1, block, (size_t)got))
			return 1;
	}
	return got < 0 ? complain("read") : 0;
}

/* Reads standard input to its end: how many bytes there were. */
static int do_count(int argc, char *argv[])
{
	char block[65536];
	unsigned long long total = 0;
	ssize_t got;

	if (argc > 1)
		sleep((unsigned)number(argv[1]));
	while ((got = read(0, block, sizeof(block))) > 0)
		total += (unsigned long long)got;
	printf("read %llu\n", total);
	return got < 0 ? complain("read") : 0;
}

/* Text on both outputs, and through the names that lead to them. */
static int do_both(int argc, char *argv[])
{
	static const char *const paths[] = {"/dev/stdout", "/dev/stderr"};

	(void)argc;
	(void)argv;
	if (put(1, "out\n", 4) || put(2, "err\n", 4))
		return 1;
	for (size_t i = 0; i < 2; i++) {
		int fd = open(paths[i], O_WRONLY);

		if (fd < 0)
			return complain(paths[i]);
		if (put(fd, "again\n", 6))
			return 1;
		close(fd);
	}
	return 0;
}

static void on_resize(int sig)
{
	(void)sig;
}

/* Prints the terminal's size, then again after each change of it, COUNT times. */
static int do_sizes(int argc, char *argv[])
{
	struct sigaction action = {.sa_handler = on_resize};
	long count = argc > 1 ? number(argv[1]) : 1;
	sigset_t block, none;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGWINCH);
	sigprocmask(SIG_BLOCK, &block, NULL);
	sigaction(SIGWINCH, &action, NULL);
	for (long i = 0; i <= count; i++) {
		struct winsize size;

		if (ioctl(0, TIOCGWINSZ, &size) < 0)
			return complain("TIOCGWINSZ");
		printf("size %u %u\n", size.ws_row, size.ws_col);
		fflush(stdout);
		if (i < count)
			sigsuspend(&none);
	}
	return 0;
}

/* What can be said without procfs, on one line: the host name, the words, the environment. */
static int do_about(int argc, char *argv[])
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		return complain("gethostname");
	printf("%s", name);
	for (int i = 0; i < argc; i++)
		printf(" %s", argv[i]);
	for (char **entry = environ; *entry; entry++)
		printf(" %s", *entry);
	printf("\n");
	return 0;
}

/* Runs COMMAND, and ends with 1: what a hook says last is kept then. */
static int do_fails(int argc, char *argv[])
{
	return main(argc, argv) < 0 ? 2 : 1;
}

/* Runs COMMAND with its standard output added to PATH. */
static int do_into(int argc, char *argv[])
{
	static char name[] = "probe";
	int fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

	if (fd < 0 || dup2(fd, 1) < 0)
		return complain("into");
	argv[1] = name;
	execv("/proc/self/exe", argv + 1);
	return complain("exec");
}

const struct command stream_commands[] = {
	{"write", "BYTES [FD [CODE]]", do_write},
	{"cat", "", do_cat},
	{"count", "[SECONDS]", do_count},
	{"both", "", do_both},
	{"sizes", "[COUNT]", do_sizes},
	{"about", "[WORD...]", do_about},
	{"fails", "COMMAND...", do_fails},
	{"into", "PATH COMMAND...", do_into},
	{NULL, NULL, NULL},
};
