// SPDX-License-Identifier: Apache-2.0
// Frames in and out of the control channel's descriptor.
#include "init/channel.h"
#include "init/sys.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNCONNECTED_RETRY_MS 10
#define UNCONNECTED_MAX_MS   100

void channel_init(struct channel *channel, int fd)
{
	channel->end = (struct endpoint){.fd = fd, .is_writable = true};
	channel->out = (struct ring){.bytes = channel->out_bytes, .size = CHANNEL_OUT_BYTES};
}

void channel_close(struct channel *channel)
{
	if (channel->end.fd >= 0)
		close(channel->end.fd);
	channel->end = (struct endpoint){.fd = -1};
	channel->lost_bytes = channel_undelivered(channel);
	channel->out.used = 0;
}

static bool put_frame(struct channel *channel, const struct smk_frame *frame, const void *payload)
{
	uint8_t header[SMK_FRAME_HEADER_SIZE];

	if (!channel_is_open(channel) || ring_free(&channel->out) < sizeof(header) + frame->length)
		return false;
	smk_frame_pack(frame, header);
	ring_put(&channel->out, header, sizeof(header));
	ring_put(&channel->out, payload, frame->length);
	return true;
}

bool channel_event(struct channel *channel, const struct event *event)
{
	struct smk_frame frame = {.type = SMK_FRAME_CONTROL};

	if (!channel_is_open(channel))
		return false;
	frame.length = (uint32_t)event_encode(event, channel->message, sizeof(channel->message));
	return put_frame(channel, &frame, channel->message);
}

bool channel_error(struct channel *channel, const char *text)
{
	struct event event = {.kind = EVENT_ERROR};

	snprintf(event.text, sizeof(event.text), "%s", text);
	return channel_event(channel, &event);
}

size_t channel_data_room(const struct channel *channel)
{
	size_t room = ring_free(&channel->out);
	size_t kept = CHANNEL_CONTROL_ROOM + SMK_FRAME_HEADER_SIZE;

	if (!channel_is_open(channel) || room <= kept)
		return 0;
	return room - kept < SMK_FRAME_MAX_PAYLOAD ? room - kept : SMK_FRAME_MAX_PAYLOAD;
}

ssize_t channel_data_from(struct channel *channel, uint16_t stream, int from_fd, size_t max)
{
	uint8_t header[SMK_FRAME_HEADER_SIZE];
	struct iovec to[2];
	int count = ring_free_iov(&channel->out, sizeof(header), max, to);
	ssize_t got = readv(from_fd, to, count);

	if (got <= 0)
		return got;
	smk_frame_pack(&(struct smk_frame){.type = SMK_FRAME_DATA,
					   .stream = stream,
					   .length = (uint32_t)got},
		       header);
	ring_put(&channel->out, header, sizeof(header));
	ring_commit(&channel->out, (size_t)got);
	channel->data_bytes += (uint64_t)got;
	return got;
}

void channel_data_end(struct channel *channel, uint16_t stream)
{
	struct smk_frame frame = {.type = SMK_FRAME_DATA, .flags = SMK_FRAME_END, .stream = stream};

	(void)put_frame(channel, &frame, ""); /* a host that lost the channel needs no end */
}

void channel_credit(struct channel *channel, uint16_t stream, uint32_t bytes)
{
	struct smk_frame frame = {.type = SMK_FRAME_CREDIT, .stream = stream, .length = 4};
	uint8_t payload[4] = {(uint8_t)bytes, (uint8_t)(bytes >> 8), (uint8_t)(bytes >> 16),
			      (uint8_t)(bytes >> 24)};

	(void)put_frame(channel, &frame, payload); /* as above */
}

bool channel_flush(struct channel *channel)
{
	bool moved = false;

	while (channel->end.is_writable && channel->out.used > 0) {
		struct iovec from[2];
		ssize_t put = writev(channel->end.fd, from, ring_used_iov(&channel->out, from));

		if (put > 0) {
			ring_drop(&channel->out, (size_t)put);
			channel->was_connected = moved = true;
			channel->end.failures = 0;
		} else if (put == 0 || errno == EAGAIN) {
			channel->end.is_writable = false;
		} else if (errno != EINTR && endpoint_is_broken(&channel->end)) {
			channel_close(channel);
			return true;
		}
	}
	if (channel->is_closing && channel->out.used == 0)
		channel_close(channel);
	return moved;
}

/* Waits until the host takes bytes again. False: there is no host, or none in time. */
static bool await_host(const struct channel *channel, int64_t begin_ms, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = channel->end.fd, .events = POLLOUT};
	int64_t passed_ms = sys_now_ms() - begin_ms;

	if (passed_ms >= timeout_ms)
		return false;
	int ready = poll(&poll_fd, 1, timeout_ms - (int)passed_ms);

	if (ready < 0 && errno == EINTR)
		return true;
	if (ready <= 0 || (poll_fd.revents & (POLLERR | POLLNVAL)))
		return false;
	if (!(poll_fd.revents & POLLHUP) || (poll_fd.revents & POLLOUT))
		return true;
	/* A port whose host end is not open: perhaps not yet, perhaps not any more. */
	if (channel->was_connected || passed_ms >= UNCONNECTED_MAX_MS)
		return false;
	return poll(NULL, 0, UNCONNECTED_RETRY_MS) == 0;
}

bool channel_deliver(struct channel *channel, int timeout_ms)
{
	int64_t begin_ms = sys_now_ms();

	while (channel->end.fd >= 0 && channel->out.used > 0) {
		channel->end.is_writable = true;
		channel_flush(channel);
		if (channel->end.fd >= 0 && channel->out.used > 0 &&
		    !await_host(channel, begin_ms, timeout_ms))
			return false;
	}
	return channel->end.fd >= 0;
}

uint64_t channel_undelivered(const struct channel *channel)
{
	uint64_t left = channel->lost_bytes + channel->out.used;

	return left < channel->data_bytes ? left : channel->data_bytes;
}

void channel_linger(const struct channel *channel, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = channel->end.fd, .events = POLLRDHUP};

	if (shutdown(channel->end.fd, SHUT_WR) == 0)
		(void)poll(&poll_fd, 1, timeout_ms); /* whatever it says, the end comes now */
}

/*
 * The end of a stream closes the channel, except of a port that the host has not opened yet: that
 * one says so with a hang-up.
 */
bool channel_receive(struct channel *channel)
{
	size_t room = sizeof(channel->in) - channel->in_used;

	if (!channel_is_open(channel) || !channel->end.is_readable || room == 0)
		return false;
	ssize_t got = read(channel->end.fd, channel->in + channel->in_used, room);

	if (got > 0) {
		channel->in_used += (size_t)got;
		channel->was_connected = true;
		channel->end.failures = 0;
		return true;
	}
	if (got < 0 && (errno == EINTR || (errno != EAGAIN && !endpoint_is_broken(&channel->end))))
		return true;
	channel->end.is_readable = false;
	if (got < 0 && errno == EAGAIN)
		return false;
	if (got == 0 && channel->end.is_hung_up && !channel->was_connected)
		return false;
	channel_close(channel);
	return true;
}

/* Moves what has not been handed out to the front, where a whole frame always fits. */
static void forget_taken(struct channel *channel)
{
	channel->in_used -= channel->in_taken;
	memmove(channel->in, channel->in + channel->in_taken, channel->in_used);
	channel->in_taken = 0;
}

int channel_next(struct channel *channel, struct smk_frame *ret, const uint8_t **ret_payload)
{
	const uint8_t *at = channel->in + channel->in_taken;
	size_t left = channel->in_used - channel->in_taken;

	if (!channel_is_open(channel))
		return 0;
	if (left >= SMK_FRAME_HEADER_SIZE) {
		*ret = smk_frame_unpack(at);
		if (ret->length > SMK_FRAME_MAX_PAYLOAD)
			return -1;
		if (left - SMK_FRAME_HEADER_SIZE >= ret->length) {
			channel->in_taken += SMK_FRAME_HEADER_SIZE + ret->length;
			*ret_payload = at + SMK_FRAME_HEADER_SIZE;
			return 1;
		}
	}
	if (channel->in_taken > 0)
		forget_taken(channel);
	return 0;
}

void channel_reject(struct channel *channel, const char *why)
{
	(void)channel_error(channel, why); /* no room to say it: it is closed all the same */
	channel->is_closing = true;
}
