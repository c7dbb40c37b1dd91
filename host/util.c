// SPDX-License-Identifier: Apache-2.0
/* Memory, strings and time. A command that runs out of memory has nothing better to do than to end.
 */
#include "host.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	say("out of memory");
	exit(SMK_EXIT_SETUP);
}

void *must_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

char *must_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		out_of_memory();
	return copy;
}

static char *must_vformat(const char *fmt, va_list arguments)
{
	char *text;

	if (vasprintf(&text, fmt, arguments) < 0)
		out_of_memory();
	return text;
}

char *must_format(const char *fmt, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, fmt);
	text = must_vformat(fmt, arguments);
	va_end(arguments);
	return text;
}

void strings_add(struct strings *strings, const char *fmt, ...)
{
	va_list arguments;

	if (strings->count + 1 >= strings->capacity) {
		size_t capacity = strings->capacity ? 2 * strings->capacity : 16;
		char **items = reallocarray(strings->items, capacity, sizeof(*items));

		if (!items)
			out_of_memory();
		strings->items = items;
		strings->capacity = capacity;
	}
	va_start(arguments, fmt);
	strings->items[strings->count++] = must_vformat(fmt, arguments);
	va_end(arguments);
	strings->items[strings->count] = NULL;
}

void strings_finish(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct strings){0};
}

void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int poll_timeout(double deadline_ms)
{
	double left = deadline_ms - now_ms();

	if (deadline_ms == 0)
		return -1;
	return left <= 0 ? 0 : left < INT_MAX - 1 ? (int)left + 1 : INT_MAX;
}
