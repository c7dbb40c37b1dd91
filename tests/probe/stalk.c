// SPDX-License-Identifier: Apache-2.0
// Commands that look for a moment of weakness: of a process that starts, of a path that is looked up.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/probe/probe.h"

#define RENAME_EXCHANGE_FLAG 2

static volatile sig_atomic_t is_over;

static void on_signal(int sig)
{
	(void)sig;
	is_over = 1;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	return (int)syscall(SYS_capset, &header, none);
}

static void leave(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(1);
	_exit(0);
}

/* Until the process may be looked at: which program is it by then? */
static _Noreturn void watch(pid_t pid, const char *result)
{
	char path[32], target[256];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	for (;;) {
		ssize_t length = readlink(path, target, sizeof(target) - 1);

		if (length > 0) {
			target[length] = '\0';
			leave(result, target);
		}
		if (errno != EACCES && errno != EPERM)
			leave(result, strerror(errno));
	}
}

/* As a hook: leaves a process behind that stalks the hook's maker, with no capabilities. */
static int do_stalk(int argc, char *argv[])
{
	pid_t maker = getppid(), pid;

	if (argc < 2 || drop_capabilities() < 0)
		return complain("capset");
	pid = fork();
	if (pid == 0)
		watch(maker, argv[1]);
	return pid < 0 ? complain("fork") : 0;
}

/* The text of a file as soon as it has one. */
static int do_await(int argc, char *argv[])
{
	for (int i = 0; argc > 1 && i < 1000; i++) {
		const char *text = file_text(argv[1], NULL);

		if (text && *text) {
			puts(text);
			return 0;
		}
		usleep(5000);
	}
	return 1;
}

/* Exchanges two names, again and again, until SIGTERM; then prints how often. */
static int do_swap(int argc, char *argv[])
{
	struct sigaction action = {.sa_handler = on_signal};
	unsigned long count = 0;

	if (argc < 3)
		return 2;
	sigaction(SIGTERM, &action, NULL);
	while (!is_over) {
		if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2],
			    RENAME_EXCHANGE_FLAG) < 0)
			return complain("renameat2");
		count++;
	}
	printf("swapped %lu\n", count);
	return 0;
}

const struct command stalk_commands[] = {
	{"stalk", "RESULT", do_stalk},
	{"await", "PATH", do_await},
	{"swap", "PATH PATH", do_swap},
	{NULL, NULL, NULL},
};
