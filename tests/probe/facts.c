// SPDX-License-Identifier: Apache-2.0
// What the probe sees of itself and its surroundings.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/probe/probe.h"

extern char **environ;

const char *file_text(const char *path, size_t *ret_length)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	while ((got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)got;
	close(fd);
	text[used] = '\0';
	if (ret_length)
		*ret_length = used;
	return text;
}

static void strings(const char *key, char *const items[])
{
	json_open(key, '[');
	for (; *items; items++)
		json_text(NULL, *items);
	json_close(']');
}

static void lines(const char *key, const char *path)
{
	char *text = (char *)file_text(path, NULL);

	json_open(key, '[');
	for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
		json_text(NULL, line);
	json_close(']');
}

void facts_mounts(void)
{
	lines("mounts", "/proc/self/mountinfo");
}

static void terminals(void)
{
	char name[64];

	json_open("terminals", '[');
	for (int fd = 0; fd < 3; fd++) {
		struct winsize size = {0};

		json_open(NULL, '{');
		json_number("isTerminal", (uint64_t)isatty(fd));
		json_text("name", ttyname_r(fd, name, sizeof(name)) == 0 ? name : NULL);
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			json_number("rows", size.ws_row);
			json_number("columns", size.ws_col);
		}
		json_signed("foregroundGroup", tcgetpgrp(fd));
		json_close('}');
	}
	json_close(']');

	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	json_number("hasControllingTerminal", fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void names(void)
{
	struct utsname uts;
	char cwd[4096];

	uname(&uts);
	json_text("hostname", uts.nodename);
	json_text("domainname", uts.domainname);
	json_text("machine", uts.machine);
	json_text("cwd", getcwd(cwd, sizeof(cwd)));
	json_number("isCwdReadable", access(".", R_OK) == 0);
}

int print_facts(int argc, char *argv[])
{
	json_open(NULL, '{');
	strings("args", argv);
	strings("env", environ);
	names();
	facts_ids();
	facts_limits();
	facts_namespaces();
	facts_schedule();
	facts_descriptors();
	terminals();
	facts_mounts();
	lines("cgroup", "/proc/self/cgroup");
	facts_devices();
	facts_files();
	facts_access(argc, argv);
	facts_calls();
	facts_mount_roots();
	facts_attributes();
	facts_network();
	json_close('}');
	putchar('\n');
	return fflush(stdout) ? complain("standard output") : 0;
}
