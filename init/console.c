// SPDX-License-Identifier: Apache-2.0
/*
 * The console as init-oci's own voice: descriptor 2, which early made valid and non-blocking. A
 * console that stalls costs at most STALLS_MAX waits of STALL_MS a call, one that fails is tried as
 * often; the rest is dropped.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/guest.h"

#define CONSOLE_FD 2
#define STALL_MS   500
#define STALLS_MAX 4

void console_write(const char *bytes, size_t length)
{
	unsigned stalls = 0;

	while (length > 0) {
		ssize_t put = write(CONSOLE_FD, bytes, length);
		struct pollfd ready = {.fd = CONSOLE_FD, .events = POLLOUT};

		if (put > 0) {
			bytes += put;
			length -= (size_t)put;
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		if (stalls++ == STALLS_MAX)
			return;
		/* Anything else may have been a moment's, and this the only place to say it. */
		if ((put == 0 || errno == EAGAIN) && poll(&ready, 1, STALL_MS) == 0)
			return;
	}
}

void console_warn(const char *fmt, ...)
{
	static const char prefix[] = "init-oci: warning: ";
	char line[FAIL_LINE_MAX];
	va_list arguments;
	size_t length;

	memcpy(line, prefix, sizeof(prefix));
	va_start(arguments, fmt);
	vsnprintf(line + sizeof(prefix) - 1, sizeof(line) - sizeof(prefix), fmt, arguments);
	va_end(arguments);
	length = strlen(line);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[length++] = '\n';
	console_write(line, length);
}
