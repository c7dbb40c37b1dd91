// SPDX-License-Identifier: Apache-2.0
/* What smk says on stderr: one line a message, "smk: ...", never a raw control character. */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool has_progress;

static void clear_progress(void)
{
	if (has_progress)
		fputs("\r\033[K", stderr);
	has_progress = false;
}

/* The whole line leaves in one write, so that lines of several processes do not mix. */
static void say_line(const char *prefix, const char *fmt, va_list arguments)
{
	char line[2048];
	int length = snprintf(line, sizeof(line), "smk: %s", prefix);

	vsnprintf(line + length, sizeof(line) - (size_t)length - 1, fmt, arguments);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	strcat(line, "\n");
	clear_progress();
	fputs(line, stderr);
	fflush(stderr);
}

void say(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	say_line("", fmt, arguments);
	va_end(arguments);
}

void say_warning(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	say_line("warning: ", fmt, arguments);
	va_end(arguments);
}

/* The line without what fail_format() begins with. */
static const char *failure_text(const struct failure *f, char line[static FAIL_LINE_MAX])
{
	/* The second is the stage of what no guest did. */
	static const char *const prefixes[] = {"init-oci: fatal: ", "unknown: "};
	const char *text = line;

	fail_format(f, line);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
			text += strlen(prefixes[i]);
	return text;
}

void say_failure(const struct failure *f)
{
	char line[FAIL_LINE_MAX];

	say("%s", failure_text(f, line));
}

void say_tolerated(const struct failure *f)
{
	char line[FAIL_LINE_MAX];

	say_warning("%s", failure_text(f, line));
}

void say_progress(const char *fmt, ...)
{
	va_list arguments;

	if (!fmt) {
		clear_progress();
		return;
	}
	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[Ksmk: ", stderr);
	va_start(arguments, fmt);
	vfprintf(stderr, fmt, arguments);
	va_end(arguments);
	fflush(stderr);
	has_progress = true;
}

char *say_quoted(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=:,./@%";
	size_t length = 0;
	char *quoted;

	if (*word && strspn(word, plain) == strlen(word))
		return must_copy(word);
	quoted = must_alloc(4 * strlen(word) + 3);
	quoted[length++] = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(quoted + length, "'\\''", 4);
			length += 4;
		} else {
			quoted[length++] = *word;
		}
	}
	quoted[length++] = '\'';
	return quoted;
}
