// SPDX-License-Identifier: Apache-2.0
// Namespaces: which ones, whose IDs, what the clocks say.
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/probe/probe.h"

static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

static void clock_seconds(const char *key, clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) == 0)
		json_signed(key, now.tv_sec);
}

static void links(const char *key, const char *process)
{
	json_open(key, '{');
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[32], target[64];

		snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, kinds[i]);
		ssize_t length = readlink(path, target, sizeof(target));

		json_bytes(kinds[i], length < 0 ? NULL : target, length < 0 ? 0 : (size_t)length);
	}
	json_close('}');
}

/* Those of process 1 are the machine's, as long as the container has no PID namespace. */
void facts_namespaces(void)
{
	links("namespaces", "self");
	links("namespacesOf1", "1");
	json_text("uidMap", file_text("/proc/self/uid_map", NULL));
	json_text("gidMap", file_text("/proc/self/gid_map", NULL));
	clock_seconds("monotonic", CLOCK_MONOTONIC);
	clock_seconds("boottime", CLOCK_BOOTTIME);
}
