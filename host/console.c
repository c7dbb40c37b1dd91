// SPDX-License-Identifier: Apache-2.0
/*
 * Three kinds of lines matter: warnings of init-oci are passed on to the user, an exit record that
 * found no channel is taken from here, and a kernel's panic is the reason when there is no better
 * one. Everything else is only shown when the run fails.
 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smk/contract.h>

static const char warning_prefix[] = "init-oci: warning: ";

void console_init(struct console *console, int fd, bool is_shown)
{
	*console = (struct console){.fd = fd, .is_shown = is_shown};
	if (is_shown)
		output_init(&console->shown, STDERR_FILENO, SMK_STREAM_ERROR);
}

void console_finish(struct console *console)
{
	cleanup_fd(&console->fd);
	output_finish(&console->shown);
	if (console->dropped)
		say_warning("%llu bytes of the console were not shown: nobody read them in time",
			    (unsigned long long)console->dropped);
}

void console_show(struct console *console)
{
	struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct failure ignored = {0};

	while (console->shown.length && poll(&writable, 1, 0) > 0)
		if (output_write(&console->shown, &ignored))
			console->shown.length = 0;
}

static void keep_for_show(struct console *console, const char *bytes, size_t length)
{
	const struct channel_frame frame = {.payload = (const uint8_t *)bytes,
					    .length = (uint32_t)length};
	struct failure ignored = {0};

	console->shown.owed = 0; /* no guest waits for credit */
	if (output_take(&console->shown, &frame, &ignored))
		console->dropped += length;
	console_show(console);
}

static void take_line(struct console *console)
{
	size_t prefix = strlen(SMK_EXIT_LINE_PREFIX);
	const char *panic;
	struct failure ignored = {0};

	console->line[console->line_length] = '\0';
	if (!strncmp(console->line, warning_prefix, strlen(warning_prefix)) && !console->is_shown)
		say_warning("%s", console->line + strlen(warning_prefix));
	/* A line that only looks like a record, of the workload's own making, is no record. */
	if (!strncmp(console->line, SMK_EXIT_LINE_PREFIX, prefix) &&
	    !exit_record_decode(console->line + prefix, console->line_length - prefix,
				&console->record, &ignored))
		console->has_record = true;
	panic = strstr(console->line, "Kernel panic - ");
	if (panic && !console->panic[0])
		snprintf(console->panic, sizeof(console->panic), "%s", panic);
	console->line_length = 0;
}

static void take_byte(struct console *console, char c)
{
	if (c == '\n')
		take_line(console);
	else if (c != '\r' && console->line_length + 1 < sizeof(console->line))
		console->line[console->line_length++] = c;
}

void console_read(struct console *console)
{
	char bytes[8192];
	ssize_t got = recv(console->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		cleanup_fd(&console->fd);
		console->fd = -1;
		return;
	}
	tail_add(&console->tail, bytes, (size_t)got);
	for (ssize_t i = 0; i < got; i++)
		take_byte(console, bytes[i]);
	if (console->is_shown)
		keep_for_show(console, bytes, (size_t)got);
}
