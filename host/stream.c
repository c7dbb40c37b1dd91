// SPDX-License-Identifier: Apache-2.0
/*
 * The standard streams. stdout and stderr are shared with whoever started smk, so they are never
 * made non-blocking: each write follows a poll and is small enough not to block.
 */
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ESCAPE_BYTE 0x1d /* ^] */
#define CREDIT_STEP (SMK_STREAM_CREDIT / 8)

bool input_wants(const struct input *input, const struct channel *channel)
{
	return !input->is_ended && input->credit && channel_room(channel) >= 4096;
}

static bool is_escape(struct input *input, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; input->is_terminal && i < length; i++) {
		input->escapes = bytes[i] == ESCAPE_BYTE ? input->escapes + 1 : 0;
		if (input->escapes >= ESCAPE_COUNT)
			return true;
	}
	return false;
}

int input_read(struct input *input, struct channel *channel, struct failure *f)
{
	uint8_t bytes[SMK_FRAME_MAX_PAYLOAD];
	struct channel_frame frame = {.type = SMK_FRAME_DATA, .stream = SMK_STREAM_INPUT};
	size_t most = channel_room(channel);
	ssize_t got;

	if (most > input->credit)
		most = input->credit;
	got = read(STDIN_FILENO, bytes, most);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* EIO: the terminal is gone, or belongs to another session. EBADF: there never was a stdin.
	 */
	if (got < 0 && errno != EIO && errno != EBADF)
		return fail_sys(f, "read", "stdin");
	if (got <= 0) {
		input->is_ended = true;
		frame.flags = SMK_FRAME_END;
	} else {
		frame.payload = bytes;
		frame.length = (uint32_t)got;
		input->credit -= (uint32_t)got;
	}
	channel_send(channel, &frame);
	return is_escape(input, bytes, frame.length);
}

void output_init(struct output *output, int fd, uint16_t stream)
{
	struct stat st;
	bool is_file = !fstat(fd, &st) && S_ISREG(st.st_mode);

	*output = (struct output){
		.fd = fd,
		.stream = stream,
		.chunk = is_file ? SMK_FRAME_MAX_PAYLOAD : PIPE_BUF,
		.bytes = must_alloc(SMK_STREAM_CREDIT),
	};
}

void output_finish(struct output *output)
{
	free(output->bytes);
	output->bytes = NULL;
}

int output_take(struct output *output, const struct channel_frame *frame, struct failure *f)
{
	if (frame->length > SMK_STREAM_CREDIT - output->length - output->owed)
		return fail_err(f, 0, "control channel", NULL,
				"the guest sent more on stream %u than it had credit for",
				output->stream);
	if (output->is_broken) {
		output->owed += frame->length;
		return 0;
	}
	if (output->begin + output->length + frame->length > SMK_STREAM_CREDIT) {
		memmove(output->bytes, output->bytes + output->begin, output->length);
		output->begin = 0;
	}
	memcpy(output->bytes + output->begin + output->length, frame->payload, frame->length);
	output->length += frame->length;
	return 0;
}

int output_write(struct output *output, struct failure *f)
{
	size_t most = output->length < output->chunk ? output->length : output->chunk;
	ssize_t done = write(output->fd, output->bytes + output->begin, most);

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (done < 0 && (errno == EPIPE || errno == EIO || errno == EBADF)) {
		output->is_broken = output->has_broken = true;
		done = (ssize_t)output->length;
	}
	if (done < 0)
		return fail_sys(f, "write", output->fd == STDOUT_FILENO ? "stdout" : "stderr");
	output->begin += (size_t)done;
	output->length -= (size_t)done;
	output->owed += (uint32_t)done;
	if (!output->length)
		output->begin = 0;
	return 0;
}

void output_credit(struct output *output, struct channel *channel)
{
	uint8_t bytes[4];
	struct channel_frame frame = {
		.type = SMK_FRAME_CREDIT, .stream = output->stream, .payload = bytes, .length = 4};

	if (output->owed < CREDIT_STEP || channel_room(channel) < sizeof(bytes))
		return;
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(output->owed >> (8 * i));
	channel_send(channel, &frame);
	output->owed = 0;
}
