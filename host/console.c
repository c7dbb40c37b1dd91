// SPDX-License-Identifier: Apache-2.0
/*
 * Two kinds of lines matter: warnings of init-oci are passed on to the user, and an exit record
 * that found no channel is taken from here. Everything else is only shown when the run fails.
 */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smk/contract.h>

static const char warning_prefix[] = "init-oci: warning: ";

void console_init(struct console *console, int fd, bool is_shown)
{
	*console = (struct console){.fd = fd, .is_shown = is_shown};
}

static void take_line(struct console *console)
{
	size_t prefix = strlen(SMK_EXIT_LINE_PREFIX);
	struct failure ignored = {0};

	console->line[console->line_length] = '\0';
	if (!strncmp(console->line, warning_prefix, strlen(warning_prefix)) && !console->is_shown)
		say_warning("%s", console->line + strlen(warning_prefix));
	/* A line that only looks like a record, of the workload's own making, is no record. */
	if (!strncmp(console->line, SMK_EXIT_LINE_PREFIX, prefix) &&
	    !exit_record_decode(console->line + prefix, console->line_length - prefix,
				&console->record, &ignored))
		console->has_record = true;
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
		fwrite(bytes, 1, (size_t)got, stderr);
}
