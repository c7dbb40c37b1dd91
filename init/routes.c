// SPDX-License-Identifier: Apache-2.0
/*
 * Where each standard stream goes: the dedicated port when there is one, else the control channel,
 * else the console.
 */
#include <termios.h>
#include <unistd.h>

#include "init/relay.h"
#include "init/sys.h"

#define CONSOLE_IN  0
#define CONSOLE_OUT 2

/* The event loop knows a file by its descriptor, so each user of the console gets its own. */
static int console_dup(int fd, struct failure *f)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? fail_sys(f, "fcntl(F_DUPFD)", "console") : copy;
}

/* The workload's terminal does the editing and echoing; the console must not do it a second time.
 */
static void make_console_raw(void)
{
	struct termios mode;

	if (tcgetattr(CONSOLE_IN, &mode) < 0)
		return; /* no terminal, nothing to switch off */
	cfmakeraw(&mode);
	(void)tcsetattr(CONSOLE_IN, TCSANOW, &mode); /* what it cannot do is not on, either */
}

static int choose(int port_fd, int console_fd, const struct channel *channel, enum route *ret_route,
		  int *ret_fd, struct failure *f)
{
	*ret_fd = -1;
	*ret_route = ROUTE_FD;
	if (port_fd >= 0)
		*ret_fd = port_fd;
	else if (channel_is_open(channel))
		*ret_route = ROUTE_CHANNEL;
	else
		*ret_fd = console_dup(console_fd, f);
	return *ret_route == ROUTE_FD && *ret_fd < 0 ? -1 : 0;
}

static int init_output(struct output *out, uint16_t stream, int from_fd, int port_fd,
		       const struct relay *relay, struct failure *f)
{
	int to_fd;

	out->stream = stream;
	out->is_terminal = relay->input.is_terminal;
	out->credit = SMK_STREAM_CREDIT;
	out->buffer = (struct ring){.bytes = out->bytes, .size = sizeof(out->bytes)};
	out->from = (struct endpoint){.fd = from_fd};
	if (choose(port_fd, CONSOLE_OUT, relay->channel, &out->route, &to_fd, f) < 0)
		return -1;
	out->to = (struct endpoint){.fd = to_fd, .is_writable = true};
	out->is_console = out->route == ROUTE_FD && port_fd < 0;
	return 0;
}

static int init_input(struct input *in, int to_fd, int port_fd, const struct relay *relay,
		      struct failure *f)
{
	int from_fd;

	in->buffer = (struct ring){.bytes = in->bytes, .size = sizeof(in->bytes)};
	in->to = (struct endpoint){.fd = to_fd, .is_writable = true};
	if (choose(port_fd, CONSOLE_IN, relay->channel, &in->route, &from_fd, f) < 0)
		return -1;
	in->from = (struct endpoint){.fd = from_fd};
	if (in->is_terminal && in->route == ROUTE_FD && port_fd < 0)
		make_console_raw();
	return 0;
}

int relay_init(struct relay *relay, const struct child *child, const struct discovered *found,
	       struct channel *channel, struct failure *f)
{
	relay->channel = channel;
	relay->input.is_terminal = child->error_fd < 0;
	if (init_input(&relay->input, child->input_fd, found->stdio_fd[0], relay, f) < 0 ||
	    init_output(&relay->outputs[0], SMK_STREAM_OUTPUT, child->output_fd, found->stdio_fd[1],
			relay, f) < 0)
		return -1;
	if (child->error_fd < 0) {
		relay->outputs[1].from.fd = relay->outputs[1].to.fd = -1;
		return 0;
	}
	return init_output(&relay->outputs[1], SMK_STREAM_ERROR, child->error_fd,
			   found->stdio_fd[2], relay, f);
}
