// SPDX-License-Identifier: Apache-2.0
/*
 * The input half of the relay. From the channel it comes with credit: the host may have as much
 * under way as the buffer holds, and gets credit back for what the entrypoint has taken. What
 * nobody will take any more is forgotten, and counts as taken.
 */
#include "init/relay_input.h"

#include <errno.h>
#include <unistd.h>

#include "init/sys.h"

#define CREDIT_STEP         (SMK_STREAM_CREDIT / 4) /* smaller amounts go back when the buffer is empty */
#define END_OF_TRANSMISSION "\x04"

static void forget_buffered(struct input *in)
{
	in->consumed += (uint32_t)in->buffer.used;
	in->buffer.used = 0;
}

void input_close(struct input *in)
{
	sys_close(&in->to.fd);
	forget_buffered(in);
}

/* A terminal has no end: its end-of-file character is what typing ^D would give. */
static void tell_end(struct input *in)
{
	unsigned tries = in->is_terminal ? ENDPOINT_TRIES : 0;

	/* Full: it is read, not waited on. */
	while (tries-- > 0 && write(in->to.fd, END_OF_TRANSMISSION, 1) < 0 && errno != EAGAIN)
		;
	input_close(in);
}

static bool write_buffer(struct input *in)
{
	struct iovec from[2];
	ssize_t put = writev(in->to.fd, from, ring_used_iov(&in->buffer, from));

	if (put > 0) {
		ring_drop(&in->buffer, (size_t)put);
		in->consumed += (uint32_t)put;
		in->to.failures = 0;
		return true;
	}
	if (put < 0 && (errno == EINTR || (errno != EAGAIN && !endpoint_is_broken(&in->to))))
		return true;
	in->to.is_writable = false;
	if (put == 0 || errno == EAGAIN)
		return false;
	input_close(in);
	return true;
}

/*
 * Reads only into an empty buffer: one that the entrypoint does not take stays small. A port whose
 * host end has never been open has not ended, it has not begun.
 */
static bool read_from(struct input *in)
{
	ssize_t got = read(in->from.fd, in->bytes, in->buffer.size);

	if (got > 0) {
		in->was_connected = true;
		in->from.failures = 0;
		ring_commit(&in->buffer, (size_t)got);
		return true;
	}
	if (got < 0 && (errno == EINTR || (errno != EAGAIN && !endpoint_is_broken(&in->from))))
		return true;
	in->from.is_readable = false;
	if (got < 0 && errno == EAGAIN)
		return false;
	if (got == 0 && in->from.is_hung_up && !in->was_connected)
		return false;
	in->has_ended = true;
	sys_close(&in->from.fd);
	return true;
}

static void give_credit(struct input *in, struct channel *channel)
{
	if (in->consumed == 0 || (in->consumed < CREDIT_STEP && in->buffer.used > 0))
		return;
	channel_credit(channel, SMK_STREAM_INPUT, in->consumed);
	in->consumed = 0;
}

bool input_pump(struct input *in, struct channel *channel)
{
	bool moved = false;

	if (in->route == ROUTE_CHANNEL && !channel_is_open(channel))
		in->has_ended = true;
	if (in->to.fd >= 0 && in->buffer.used > 0 && in->to.is_writable)
		moved = write_buffer(in);
	if (in->to.fd >= 0 && in->buffer.used == 0 && in->has_ended)
		tell_end(in);
	if (in->to.fd < 0 && in->buffer.used > 0)
		forget_buffered(in);
	if (in->from.fd >= 0 && in->from.is_readable && in->buffer.used == 0 && in->to.fd >= 0)
		moved |= read_from(in);
	if (in->route == ROUTE_CHANNEL)
		give_credit(in, channel);
	return moved;
}

bool relay_on_data(struct relay *relay, const struct smk_frame *frame, const uint8_t *payload)
{
	struct input *in = &relay->input;

	if (frame->stream != SMK_STREAM_INPUT || in->route != ROUTE_CHANNEL || in->has_ended ||
	    frame->length > ring_free(&in->buffer))
		return false;
	ring_put(&in->buffer, payload, frame->length);
	if (frame->flags & SMK_FRAME_END)
		in->has_ended = true;
	return true;
}
