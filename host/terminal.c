// SPDX-License-Identifier: Apache-2.0
/* The user's terminal: raw while the workload has one of its own, and always restored. */
#include "host.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool is_raw;

void terminal_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	is_raw = false;
}

bool terminal_raw(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved))
		return false;
	raw = saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw))
		return false;
	is_raw = true;
	atexit(terminal_restore);
	return true;
}

bool terminal_size(uint16_t *ret_rows, uint16_t *ret_columns)
{
	static const int fds[] = {STDIN_FILENO, STDOUT_FILENO};
	struct winsize size;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (!ioctl(fds[i], TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
			*ret_rows = size.ws_row;
			*ret_columns = size.ws_col;
			return true;
		}
	}
	return false;
}
