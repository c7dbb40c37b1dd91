// SPDX-License-Identifier: Apache-2.0
/*
 * The output half of the relay, and what both halves share. Flags of an endpoint say what the last
 * event or EAGAIN said; a pump goes on while its flags allow.
 */
#include "init/relay.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init/relay_input.h"
#include "init/sys.h"

/* Bytes in the pipe or terminal that nobody has read yet; less than 0: it does not say. */
static int unread_bytes(int fd)
{
	int count = 0;

	return ioctl(fd, FIONREAD, &count) == 0 ? count : -1;
}

static void end_output(struct output *out)
{
	sys_close(&out->from.fd);
}

static void lose_route(struct output *out)
{
	out->dropped_bytes += out->buffer.used;
	out->buffer.used = 0;
	out->route = ROUTE_NOWHERE;
	sys_close(&out->to.fd);
}

/* A terminal whose last slave is closed says EIO once it is read empty. */
static bool is_closed_terminal(const struct output *out, int err)
{
	return out->is_terminal && err == EIO && unread_bytes(out->from.fd) <= 0;
}

/*
 * What a read of the stream's source said. A terminal may be opened again, so that closed is its end
 * only when the entrypoint is gone. True: go on.
 */
static bool check_read(struct output *out, ssize_t got)
{
	int err = got < 0 ? errno : 0;

	if (got > 0)
		out->from.failures = 0;
	if (got > 0 || err == EINTR)
		return true;
	if (err && err != EAGAIN && !is_closed_terminal(out, err) &&
	    !endpoint_is_broken(&out->from))
		return true;
	out->from.is_readable = false;
	if (err == EAGAIN)
		return false;
	if (out->is_terminal && !out->is_orphan)
		return false;
	end_output(out);
	return true;
}

static bool discard(struct output *out)
{
	uint8_t bytes[4096];
	ssize_t got = read(out->from.fd, bytes, sizeof(bytes));

	if (got > 0)
		out->dropped_bytes += (uint64_t)got;
	return check_read(out, got);
}

/* Without credit nothing may be read, but the end of the stream needs none. */
static bool is_empty_for_good(const struct output *out)
{
	return out->from.is_hung_up && unread_bytes(out->from.fd) == 0;
}

static bool pump_to_channel(struct output *out, struct channel *channel)
{
	size_t max = channel_data_room(channel);

	if (!channel_is_open(channel)) {
		lose_route(out);
		return true;
	}
	max = max < out->credit ? max : out->credit;
	if (!out->from.is_readable || (max == 0 && !is_empty_for_good(out)))
		return false;
	ssize_t got = max == 0 ? 0 : channel_data_from(channel, out->stream, out->from.fd, max);

	if (got > 0)
		out->credit -= (uint32_t)got;
	bool moved = check_read(out, got);

	if (out->from.fd < 0)
		channel_data_end(channel, out->stream);
	return moved;
}

static void note_line(struct output *out, size_t written)
{
	const struct ring *ring = &out->buffer;

	out->is_line_open = ring->bytes[(ring->begin + written - 1) % ring->size] != '\n';
}

static bool write_buffer(struct output *out)
{
	struct iovec from[2];
	ssize_t put = writev(out->to.fd, from, ring_used_iov(&out->buffer, from));

	if (put > 0) {
		note_line(out, (size_t)put);
		ring_drop(&out->buffer, (size_t)put);
		out->to.failures = 0;
		return true;
	}
	if (put < 0 && (errno == EINTR || (errno != EAGAIN && !endpoint_is_broken(&out->to))))
		return true;
	out->to.is_writable = false;
	if (put == 0 || errno == EAGAIN)
		return false;
	lose_route(out);
	return true;
}

/* From a pipe to a port without a copy; whatever is in the way, the copying path finds out. */
static bool splice_to_fd(struct output *out)
{
	return !out->is_console && !out->is_terminal && out->to.is_writable &&
	       splice(out->from.fd, NULL, out->to.fd, NULL, RELAY_SPLICE_BYTES, SPLICE_F_NONBLOCK) >
		       0;
}

static bool pump_to_fd(struct output *out)
{
	struct iovec to[2];

	if (out->buffer.used > 0)
		return out->to.is_writable && write_buffer(out);
	if (out->from.fd < 0 || !out->from.is_readable)
		return false;
	if (splice_to_fd(out))
		return true;
	ring_free_iov(&out->buffer, 0, out->buffer.size, to);
	ssize_t got = read(out->from.fd, to[0].iov_base, to[0].iov_len);

	if (got > 0)
		ring_commit(&out->buffer, (size_t)got);
	return check_read(out, got);
}

static bool pump_output(struct output *out, struct channel *channel)
{
	if (out->route == ROUTE_FD)
		return pump_to_fd(out);
	if (out->from.fd < 0)
		return false;
	if (out->route == ROUTE_CHANNEL)
		return pump_to_channel(out, channel);
	return out->from.is_readable && discard(out);
}

bool relay_pump(struct relay *relay)
{
	bool moved = input_pump(&relay->input, relay->channel);

	for (size_t i = 0; i < 2; i++)
		moved |= pump_output(&relay->outputs[i], relay->channel);
	return moved;
}

bool relay_on_credit(struct relay *relay, const struct smk_frame *frame, const uint8_t *payload)
{
	if (frame->length != 4 || frame->stream < SMK_STREAM_OUTPUT ||
	    frame->stream > SMK_STREAM_ERROR)
		return false;
	struct output *out = &relay->outputs[frame->stream - SMK_STREAM_OUTPUT];
	uint32_t bytes = (uint32_t)payload[0] | (uint32_t)payload[1] << 8 |
			 (uint32_t)payload[2] << 16 | (uint32_t)payload[3] << 24;

	return !__builtin_add_overflow(out->credit, bytes, &out->credit);
}

void relay_entrypoint_ended(struct relay *relay)
{
	for (size_t i = 0; i < 2; i++) {
		relay->outputs[i].is_orphan = true;
		relay->outputs[i].from.is_readable = true;
	}
	input_close(&relay->input);
}

bool relay_is_drained(const struct relay *relay)
{
	for (size_t i = 0; i < 2; i++) {
		if (relay->outputs[i].from.fd >= 0 || relay->outputs[i].buffer.used > 0)
			return false;
	}
	return true;
}

bool relay_waits_for_host(const struct relay *relay)
{
	for (size_t i = 0; i < 2; i++) {
		const struct output *out = &relay->outputs[i];

		if (out->buffer.used > 0 || (out->from.fd >= 0 && out->from.is_readable))
			return true;
	}
	return false;
}

void relay_end_lines(const struct relay *relay)
{
	for (size_t i = 0; i < 2; i++) {
		if (relay->outputs[i].is_console && relay->outputs[i].is_line_open)
			console_write("\n", 1);
	}
}

void relay_drop_rest(struct relay *relay)
{
	for (size_t i = 0; i < 2; i++) {
		struct output *out = &relay->outputs[i];

		if (out->from.fd >= 0) {
			int unread = unread_bytes(out->from.fd);

			out->dropped_bytes += unread > 0 ? (uint64_t)unread : 0;
			end_output(out);
			if (out->route == ROUTE_CHANNEL)
				channel_data_end(relay->channel, out->stream);
		}
		lose_route(out);
	}
}

uint64_t relay_dropped_bytes(const struct relay *relay)
{
	return relay->outputs[0].dropped_bytes + relay->outputs[1].dropped_bytes;
}
