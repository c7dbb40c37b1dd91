// SPDX-License-Identifier: Apache-2.0
/* What a kernel for debugging says of itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define DEBUG_DIR "/sys/kernel/debug"
#define LEAKS     DEBUG_DIR "/kmemleak"
#define AGE_S     6 /* kmemleak does not speak of what is younger than 5 s */

static void scan(void)
{
	int fd = (int)MUST(open(LEAKS, O_RDWR | O_CLOEXEC));

	MUST(write(fd, "scan", 4));
	close(fd);
}

/* Two scans: what only moved between them is no leak. */
static int leaks(int argc, char **argv)
{
	const struct timespec age = {.tv_sec = AGE_S};
	static char text[8192];
	size_t length = 0;
	ssize_t got;
	int fd;

	(void)argc;
	(void)argv;
	if (mount("debugfs", DEBUG_DIR, "debugfs", 0, NULL) && errno != EBUSY)
		fail_errno("debugfs");
	scan();
	nanosleep(&age, NULL);
	scan();
	fd = (int)MUST(open(LEAKS, O_RDONLY | O_CLOEXEC));
	while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	if (length) {
		say("kmemleak:\n%s", text);
		fail("the kernel has lost memory: see the console");
	}
	return 0;
}

const struct command debug_commands[] = {
	{"leaks", "", leaks},
	{NULL, NULL, NULL},
};
