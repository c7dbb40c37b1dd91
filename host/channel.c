// SPDX-License-Identifier: Apache-2.0
/* Frames of the control channel (smk/channel.h) in and out of a non-blocking socket. */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smk/channel.h>

void channel_init(struct channel *channel, int fd)
{
	*channel = (struct channel){
		.fd = fd,
		.in = must_alloc(CHANNEL_IN_BYTES),
		.out = must_alloc(CHANNEL_OUT_BYTES),
	};
}

void channel_finish(struct channel *channel)
{
	cleanup_fd(&channel->fd);
	free(channel->in);
	free(channel->out);
	*channel = (struct channel){.fd = -1};
}

int channel_read(struct channel *channel, struct failure *f)
{
	ssize_t got;

	memmove(channel->in, channel->in + channel->in_begin, channel->in_end - channel->in_begin);
	channel->in_end -= channel->in_begin;
	channel->in_begin = 0;
	got = recv(channel->fd, channel->in + channel->in_end, CHANNEL_IN_BYTES - channel->in_end,
		   MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (got < 0 && errno != ECONNRESET)
		return fail_sys(f, "read", "control channel");
	if (got <= 0)
		return 0;
	channel->in_end += (size_t)got;
	return 1;
}

int channel_next(struct channel *channel, struct channel_frame *ret, struct failure *f)
{
	size_t length = channel->in_end - channel->in_begin;
	const uint8_t *bytes = channel->in + channel->in_begin;
	struct smk_frame frame;

	if (length < SMK_FRAME_HEADER_SIZE)
		return 0;
	frame = smk_frame_unpack(bytes);
	if (frame.length > SMK_FRAME_MAX_PAYLOAD || frame.type < SMK_FRAME_CONTROL ||
	    frame.type > SMK_FRAME_CREDIT)
		return fail_err(f, 0, "control channel", NULL,
				"the guest sent a frame of type %u and %u bytes", frame.type,
				frame.length);
	if (length - SMK_FRAME_HEADER_SIZE < frame.length)
		return 0;
	*ret = (struct channel_frame){
		.type = frame.type,
		.flags = frame.flags,
		.stream = frame.stream,
		.payload = bytes + SMK_FRAME_HEADER_SIZE,
		.length = frame.length,
	};
	channel->in_begin += SMK_FRAME_HEADER_SIZE + frame.length;
	return 1;
}

size_t channel_room(const struct channel *channel)
{
	size_t left = CHANNEL_OUT_BYTES - channel->out_length;

	if (channel->fd < 0 || left <= SMK_FRAME_HEADER_SIZE)
		return 0;
	left -= SMK_FRAME_HEADER_SIZE;
	return left < SMK_FRAME_MAX_PAYLOAD ? left : SMK_FRAME_MAX_PAYLOAD;
}

void channel_send(struct channel *channel, const struct channel_frame *frame)
{
	const struct smk_frame header = {
		.type = frame->type,
		.flags = frame->flags,
		.stream = frame->stream,
		.length = frame->length,
	};

	smk_frame_pack(&header, channel->out + channel->out_length);
	channel->out_length += SMK_FRAME_HEADER_SIZE;
	if (frame->length)
		memcpy(channel->out + channel->out_length, frame->payload, frame->length);
	channel->out_length += frame->length;
}

int channel_flush(struct channel *channel, struct failure *f)
{
	ssize_t sent;

	if (channel->fd < 0 || !channel->out_length)
		return 0;
	sent = send(channel->fd, channel->out, channel->out_length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		channel->out_length = 0; /* the VM is ending: nobody is left to read it */
		return 0;
	}
	if (sent < 0)
		return fail_sys(f, "write", "control channel");
	memmove(channel->out, channel->out + sent, channel->out_length - (size_t)sent);
	channel->out_length -= (size_t)sent;
	return 0;
}
