// SPDX-License-Identifier: Apache-2.0
/* The guest's console as smk hears it: kept for the case of a failure, and watched for a few lines.
 */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "stream.h"

struct console {
	int fd; /* -1 once closed */
	bool is_shown;
	struct tail tail;
	char line[MESSAGE_MAX_BYTES]; /* the line that is coming in */
	size_t line_length;
	bool has_record; /* an exit record came by the console */
	struct exit_record record;
	char panic[160];     /* the kernel's first line of it; what follows may be long */
	struct output shown; /* what is to be shown: bounded, so that its reader stalls nothing */
	uint64_t dropped;    /* bytes for which it had no room */
};

void console_init(struct console *console, int fd, bool is_shown);
void console_finish(struct console *console);
/* Reads what is there. */
void console_read(struct console *console);
/* Shows as much as can be written without waiting. */
void console_show(struct console *console);

#endif
