// SPDX-License-Identifier: Apache-2.0
// The channel's framing over a socket pair, without a workload.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/channel.h"
#include "tests/t.h"

static struct channel channel;
static int host_fd;
static int source[2]; /* a pipe: what the workload wrote */

static void begin(void)
{
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_INT(pipe2(source, O_NONBLOCK), 0);
	host_fd = pair[0];
	memset(&channel, 0, sizeof(channel));
	channel_init(&channel, pair[1]);
	channel.end.is_readable = true;
}

static void end(void)
{
	channel_close(&channel);
	close(host_fd);
	close(source[0]);
	close(source[1]);
}

static void from_host(const void *bytes, size_t length)
{
	CHECK_INT(write(host_fd, bytes, length), length);
	channel.end.is_readable = true;
	(void)channel_receive(&channel);
}

static void send_frame(uint8_t type, uint16_t stream, const char *payload, size_t length)
{
	uint8_t frame[SMK_FRAME_HEADER_SIZE + 256];

	smk_frame_pack(&(struct smk_frame){type, 0, stream, (uint32_t)length}, frame);
	memcpy(frame + SMK_FRAME_HEADER_SIZE, payload, length);
	from_host(frame, SMK_FRAME_HEADER_SIZE + length);
}

static void takes_frames_apart(void)
{
	struct smk_frame frame;
	const uint8_t *payload;

	begin();
	send_frame(SMK_FRAME_CONTROL, 0, "{}", 2);
	send_frame(SMK_FRAME_DATA, 0, "abc", 3);
	CHECK_INT(channel_next(&channel, &frame, &payload), 1);
	CHECK_INT(frame.type, SMK_FRAME_CONTROL);
	CHECK(memcmp(payload, "{}", 2) == 0);
	CHECK_INT(channel_next(&channel, &frame, &payload), 1);
	CHECK_INT(frame.length, 3);
	CHECK(memcmp(payload, "abc", 3) == 0);
	CHECK_INT(channel_next(&channel, &frame, &payload), 0);
	end();
}

static void takes_bytes_one_at_a_time(void)
{
	uint8_t bytes[SMK_FRAME_HEADER_SIZE + 1];
	struct smk_frame frame;
	const uint8_t *payload;

	begin();
	smk_frame_pack(&(struct smk_frame){SMK_FRAME_DATA, SMK_FRAME_END, 0, 1}, bytes);
	bytes[SMK_FRAME_HEADER_SIZE] = 'x';
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			CHECK_INT(channel_next(&channel, &frame, &payload), 0);
			from_host(bytes + i, 1);
		}
		CHECK_INT(channel_next(&channel, &frame, &payload), 1);
		CHECK_INT(frame.flags, SMK_FRAME_END);
		CHECK_INT(payload[0], 'x');
	}
	end();
}

/* The buffer holds exactly one frame of the largest size. */
static void takes_the_largest_frame(void)
{
	static uint8_t bytes[SMK_FRAME_HEADER_SIZE + SMK_FRAME_MAX_PAYLOAD];
	struct smk_frame frame;
	const uint8_t *payload;

	begin();
	smk_frame_pack(&(struct smk_frame){SMK_FRAME_DATA, 0, 0, SMK_FRAME_MAX_PAYLOAD}, bytes);
	for (int round = 0; round < 2; round++) {
		from_host(bytes, 5000);
		CHECK_INT(channel_next(&channel, &frame, &payload), 0);
		from_host(bytes + 5000, sizeof(bytes) - 5000);
		while (channel_receive(&channel))
			;
		CHECK_INT(channel_next(&channel, &frame, &payload), 1);
		CHECK_INT(frame.length, SMK_FRAME_MAX_PAYLOAD);
		CHECK_INT(channel_next(&channel, &frame, &payload), 0);
	}
	end();
}

static void refuses_a_frame_that_is_too_long(void)
{
	uint8_t header[SMK_FRAME_HEADER_SIZE];
	struct smk_frame frame;
	const uint8_t *payload;

	begin();
	smk_frame_pack(&(struct smk_frame){SMK_FRAME_DATA, 0, 0, SMK_FRAME_MAX_PAYLOAD + 1},
		       header);
	from_host(header, sizeof(header));
	CHECK_INT(channel_next(&channel, &frame, &payload), -1);
	end();
}

/* A host that reads nothing: data stop, and there is still room for an event. */
static void keeps_room_for_events(void)
{
	char block[4096] = {0};
	struct event event = {.kind = EVENT_EXIT};

	begin();
	while (channel_data_room(&channel) > 0) {
		size_t room = channel_data_room(&channel);

		CHECK(write(source[1], block, sizeof(block)) > 0);
		CHECK(channel_data_from(&channel, SMK_STREAM_OUTPUT, source[0],
					room < sizeof(block) ? room : sizeof(block)) > 0);
	}
	CHECK(ring_free(&channel.out) >= CHANNEL_CONTROL_ROOM);
	CHECK(channel_event(&channel, &event));
	end();
}

static void data_go_through_in_order(void)
{
	uint8_t got[64];
	const uint8_t want[] = {SMK_FRAME_DATA,
				0,
				1,
				0,
				5,
				0,
				0,
				0,
				'h',
				'e',
				'l',
				'l',
				'o',
				SMK_FRAME_DATA,
				SMK_FRAME_END,
				1,
				0,
				0,
				0,
				0,
				0,
				SMK_FRAME_CREDIT,
				0,
				0,
				0,
				4,
				0,
				0,
				0,
				1,
				2,
				0,
				0};

	begin();
	CHECK_INT(write(source[1], "hello", 5), 5);
	CHECK_INT(channel_data_from(&channel, SMK_STREAM_OUTPUT, source[0], 100), 5);
	channel_data_end(&channel, SMK_STREAM_OUTPUT);
	channel_credit(&channel, SMK_STREAM_INPUT, 0x201);
	CHECK(channel_flush(&channel));
	CHECK_INT(read(host_fd, got, sizeof(got)), sizeof(want));
	CHECK(memcmp(got, want, sizeof(want)) == 0);
	end();
}

static void ends_with_the_host(void)
{
	begin();
	CHECK(channel_is_open(&channel));
	shutdown(host_fd, SHUT_WR);
	CHECK(channel_receive(&channel));
	CHECK(!channel_is_open(&channel));
	CHECK(!channel_error(&channel, "nobody hears it"));
	CHECK(!channel_deliver(&channel, 10));
	end();
}

/* What was said before a rejection still leaves; then the channel is closed. */
static void rejection_is_the_last_word(void)
{
	char got[256];

	begin();
	channel_reject(&channel, "why");
	CHECK(!channel_is_open(&channel));
	channel_flush(&channel);
	CHECK_INT(channel.end.fd, -1);
	ssize_t length = read(host_fd, got, sizeof(got) - 1);

	CHECK(length > SMK_FRAME_HEADER_SIZE);
	got[length > 0 ? length : 0] = '\0';
	CHECK(strstr(got + SMK_FRAME_HEADER_SIZE, "why") != NULL);
	CHECK_INT(read(host_fd, got, sizeof(got)), 0);
	end();
}

static void delivery_gives_up_in_time(void)
{
	char block[4096] = {0};

	begin();
	while (write(channel.end.fd, block, sizeof(block)) > 0)
		; /* the socket is full */
	CHECK(channel_error(&channel, "late"));
	CHECK(!channel_deliver(&channel, 50));
	while (read(host_fd, block, sizeof(block)) > 0)
		;
	CHECK(channel_deliver(&channel, 50));
	end();
}

/* The rings of a closed channel and of a stalled one hold what the workload wrote. */
static void undelivered_output_is_counted(void)
{
	begin();
	CHECK_INT(write(source[1], "hello", 5), 5);
	CHECK_INT(channel_data_from(&channel, SMK_STREAM_OUTPUT, source[0], 100), 5);
	CHECK_INT(channel_undelivered(&channel), 5);
	channel_close(&channel);
	CHECK_INT(channel_undelivered(&channel), 5);
	end();
	begin();
	CHECK_INT(write(source[1], "hello", 5), 5);
	CHECK_INT(channel_data_from(&channel, SMK_STREAM_OUTPUT, source[0], 100), 5);
	CHECK(channel_error(&channel, "an event is no output"));
	CHECK(channel_flush(&channel));
	CHECK_INT(channel_undelivered(&channel), 0);
	end();
}

/* The host sees the end, and how long it may take to close is bounded. */
static void lingering_is_bounded(void)
{
	char byte;

	begin();
	channel_linger(&channel, 50);
	CHECK_INT(read(host_fd, &byte, 1), 0);
	close(host_fd);
	channel_linger(&channel, 1000000);
	end();
}

static const struct t_case cases[] = {
	{"takes-frames-apart", takes_frames_apart},
	{"takes-bytes-one-at-a-time", takes_bytes_one_at_a_time},
	{"takes-the-largest-frame", takes_the_largest_frame},
	{"refuses-a-frame-that-is-too-long", refuses_a_frame_that_is_too_long},
	{"keeps-room-for-events", keeps_room_for_events},
	{"data-go-through-in-order", data_go_through_in_order},
	{"ends-with-the-host", ends_with_the_host},
	{"rejection-is-the-last-word", rejection_is_the_last_word},
	{"delivery-gives-up-in-time", delivery_gives_up_in_time},
	{"undelivered-output-is-counted", undelivered_output_is_counted},
	{"lingering-is-bounded", lingering_is_bounded},
};

T_MAIN("init-channel", cases)
