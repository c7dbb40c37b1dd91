// SPDX-License-Identifier: Apache-2.0
/* Scenarios that a native socket and one of TSI's have to see in the same way: see app.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "tests/tsi/app.h"

static struct trace {
	char text[16384];
	size_t length;
} traces[2], *current = &traces[0];

void note(const char *fmt, ...)
{
	size_t room = sizeof(current->text) - current->length;
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = vsnprintf(current->text + current->length, room, fmt, arguments);
	va_end(arguments);
	CHECK(length >= 0 && (size_t)length + 2 < room, "the trace is too long");
	current->length += (size_t)length;
	current->text[current->length++] = '\n';
}

const char *result_text(long result)
{
	static char texts[4][64];
	static unsigned turn;
	char *text = texts[turn++ % 4];

	if (result < 0)
		snprintf(text, sizeof(texts[0]), "%s", strerror(errno));
	else
		snprintf(text, sizeof(texts[0]), "%ld", result);
	return text;
}

/* The values of poll()'s bits are epoll's. */
const char *events_text(unsigned events)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{EPOLLIN, " IN"},   {EPOLLOUT, " OUT"},     {EPOLLERR, " ERR"},
		     {EPOLLHUP, " HUP"}, {EPOLLRDHUP, " RDHUP"}, {EPOLLPRI, " PRI"}};
	static char texts[4][64];
	static unsigned turn;
	char *text = texts[turn++ % 4];

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (events & names[i].bit)
			strcat(text, names[i].name);
	return text[0] ? text : " none";
}

int compare(void (*scenario)(const char *ip), const char *ip)
{
	char *native = traces[0].text;
	char *ours = traces[1].text;
	char why[800];
	size_t used = 0;
	pid_t pid;

	hijack_set(false);
	pid = peer_start();
	scenario(strchr(ip, ':') ? "::1" : "127.0.0.1");
	peer_end(pid);
	hijack_set(true);
	current = &traces[1];
	scenario(ip);
	CHECK(traces[0].length && traces[1].length, "nothing was seen");
	for (int line = 1; native && ours; line++) {
		char *one = strsep(&ours, "\n");
		char *other = strsep(&native, "\n");

		if (strcmp(one, other) && used + 1 < sizeof(why))
			used += (size_t)snprintf(why + used, sizeof(why) - used,
						 "%sline %d: %s; natively: %s", used ? "; " : "",
						 line, one, other);
	}
	CHECK(!used, "%s", why);
	CHECK(!native && !ours, "more was seen here than there");
	return 0;
}
