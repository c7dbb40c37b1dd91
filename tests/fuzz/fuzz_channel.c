// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes from the host, in pieces of any size: the frames that come out of the channel are those
 * that stand in the bytes, whole and in order, up to the first that is too long.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "init/channel.h"

static struct channel channel;

/* Where the frames are expected: the next one begins at `at`. */
struct expected {
	const uint8_t *bytes;
	size_t size;
	size_t at;
	size_t sent; /* bytes that the channel may know */
};

/* The frames that are whole now. False: one is malformed, nothing comes after it. */
static bool take_frames(struct expected *e)
{
	const uint8_t *payload;
	struct smk_frame frame;
	int got;

	while ((got = channel_next(&channel, &frame, &payload)) == 1) {
		const uint8_t *header = e->bytes + e->at;

		require(e->sent - e->at >= SMK_FRAME_HEADER_SIZE);
		require(frame.type == header[0] && frame.flags == header[1]);
		require(frame.stream == header[2] + 256 * header[3]);
		require(frame.length == header[4] + 256 * header[5] + 65536 * header[6] &&
			!header[7]);
		require(frame.length <= SMK_FRAME_MAX_PAYLOAD);
		e->at += SMK_FRAME_HEADER_SIZE;
		require(e->sent - e->at >= frame.length);
		require(!memcmp(payload, e->bytes + e->at, frame.length));
		e->at += frame.length;
	}
	if (e->sent - e->at >= SMK_FRAME_HEADER_SIZE) {
		struct smk_frame next = smk_frame_unpack(e->bytes + e->at);

		require((got < 0) == (next.length > SMK_FRAME_MAX_PAYLOAD));
		require(next.length > e->sent - e->at - SMK_FRAME_HEADER_SIZE || got < 0);
	} else {
		require(got == 0);
	}
	return got == 0;
}

static void feed(int to_fd, struct expected *e, size_t piece)
{
	while (e->sent < e->size) {
		size_t length = e->size - e->sent < piece ? e->size - e->sent : piece;
		size_t left = length;

		require(write(to_fd, e->bytes + e->sent, length) == (ssize_t)length);
		while (left > 0) {
			size_t before = channel.in_used;

			channel.end.is_readable = true;
			require(channel_receive(&channel));
			e->sent += channel.in_used - before;
			left -= channel.in_used - before;
			require(channel.in_used <= sizeof(channel.in));
			if (!take_frames(e))
				return;
		}
	}
	require(channel_is_open(&channel));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expected e = {.bytes = data};
	int fds[2];

	if (size < 1 || size > 8192)
		return 0;
	e.bytes++;
	e.size = size - 1;
	require(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	channel_init(&channel, fds[0]);
	channel.in_used = channel.in_taken = 0;
	channel.is_closing = channel.was_connected = false;
	feed(fds[1], &e, 1 + (size_t)data[0] * data[0]);
	channel_close(&channel);
	close(fds[1]);
	return 0;
}
