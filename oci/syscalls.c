// SPDX-License-Identifier: Apache-2.0
/* Numbers of system calls, of the architecture that this is built for. */
#include "seccomp_filter.h"

#include <string.h>

static const struct {
	const char *name;
	int number;
} rows[] = {
#if defined(__aarch64__)
#include "syscalls_aarch64.h"
#elif defined(__x86_64__)
#include "syscalls_x86_64.h"
#else
#error "no table of system calls for this architecture"
#endif
};

int syscall_find(const char *name)
{
	size_t low = 0, high = sizeof(rows) / sizeof(rows[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, rows[middle].name);

		if (order == 0)
			return rows[middle].number;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}
