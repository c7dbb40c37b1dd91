// SPDX-License-Identifier: Apache-2.0
/* The pure code of init/: the kernel's command line, the ring, the frames, the life of a run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/channel.h"
#include "init/guest.h"
#include "init/life.h"
#include "tests/t.h"

static void bootargs_read_every_key(void)
{
	static const char text[] =
		"console=ttyAMA0 smk.config=disk:smk-config  smk.layers=vda,9p:b "
		"\"smk.upper=tmpfs:64M\"\tsmk.control=vsock:5000 ip=dhcp "
		"smk.dns=192.0.2.1,fe80::1%eth0,2001:db8::1 smk.search=a.example,b-c -- "
		"smk.nothing=1";
	struct failure f = {.stage = STAGE_NONE};
	struct bootargs args;

	CHECK_INT(bootargs_parse(text, &args, &f), 0);
	CHECK_STR(args.config, "disk:smk-config");
	CHECK_STR(args.layers, "vda,9p:b");
	CHECK_STR(args.upper, "tmpfs:64M");
	CHECK_INT(args.control, CONTROL_VSOCK);
	CHECK_INT(args.control_vsock_port, 5000);
	CHECK_STR(args.dns, "192.0.2.1,fe80::1%eth0,2001:db8::1");
	CHECK_STR(args.search, "a.example,b-c");
	CHECK(args.has_autoconfiguration);
}

static void bootargs_default_to_nothing(void)
{
	struct failure f = {.stage = STAGE_NONE};
	struct bootargs args;

	CHECK_INT(bootargs_parse("quiet smk=1 xsmk.a=2", &args, &f), 0);
	CHECK(!args.config && !args.layers && !args.upper && !args.control_port);
	CHECK(!args.dns && !args.search);
	CHECK_INT(args.control, CONTROL_AUTO);
	CHECK(!args.has_autoconfiguration);
	CHECK_INT(bootargs_parse("", &args, &f), 0);
}

static void bootargs_refuse(void)
{
	static const struct {
		const char *text;
		const char *field;
	} rows[] = {
		{"smk.confg=file:/a", "smk.confg"},
		{"smk.=1", "smk."},
		{"smk.config", "smk.config"},
		{"smk.config=", "smk.config"},
		{"smk.config=/a", "smk.config"},
		{"smk.config=file:a", "smk.config"},
		{"smk.config=disk:../x", "smk.config"},
		{"smk.config=file:/a smk.config=file:/a", "smk.config"},
		{"smk.layers=a,,b", "smk.layers"},
		{"smk.layers=a,", "smk.layers"},
		{"smk.layers=disk:", "smk.layers"},
		{"smk.layers=a/b", "smk.layers"},
		{"smk.layers=virtiofs:.x", "smk.layers"},
		{"smk.upper=tmpfs:", "smk.upper"},
		{"smk.upper=tmpfs:1X", "smk.upper"},
		{"smk.upper=tmpfs:1kk", "smk.upper"},
		{"smk.upper=tmpfs:1234567890123456789", "smk.upper"},
		{"smk.upper=tmpfs:64M,mode=0", "smk.upper"},
		{"smk.upper=disk:a/b", "smk.upper"},
		{"smk.upper=ram", "smk.upper"},
		{"smk.control=port:", "smk.control"},
		{"smk.control=vsock:0", "smk.control"},
		{"smk.control=vsock:4294967295", "smk.control"},
		{"smk.control=vsock:18446744073709551617", "smk.control"},
		{"smk.control=vsock:1x", "smk.control"},
		{"smk.control=vsock:00000000001", "smk.control"},
		{"smk.control=fd:", "smk.control"},
		{"smk.control=fd:3x", "smk.control"},
		{"smk.control=fd:12345", "smk.control"},
		{"smk.control=serial", "smk.control"},
		{"smk.dns=", "smk.dns"},
		{"smk.dns=1.2.3.4,", "smk.dns"},
		{"smk.dns=,1.2.3.4", "smk.dns"},
		{"smk.dns=::1,::2,::3,::4", "smk.dns"},
		{"\"smk.dns=::1\nsortlist\"", "smk.dns"},
		{"\"smk.dns=::1 ::2\"", "smk.dns"},
		{"smk.search=a,,b", "smk.search"},
		{"smk.search=a:b", "smk.search"},
		{"smk.search=a;b", "smk.search"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct failure f = {.stage = STAGE_NONE};
		struct bootargs args = {.config = "mine"};

		CHECK_INT(bootargs_parse(rows[i].text, &args, &f), -1);
		CHECK_STR(f.field, rows[i].field);
		CHECK(f.why[0] != '\0');
		CHECK_STR(args.config, "mine");
	}
}

static void bootargs_take_every_form(void)
{
	static const char *const uppers[] = {"tmpfs", "tmpfs:5", "tmpfs:123456789012345678",
					     "disk:x", "none"};
	struct bootargs args;
	char text[64];

	for (size_t i = 0; i < sizeof(uppers) / sizeof(uppers[0]); i++) {
		struct failure f = {.stage = STAGE_NONE};

		snprintf(text, sizeof(text), "smk.upper=%s nfsaddrs=x", uppers[i]);
		CHECK_INT(bootargs_parse(text, &args, &f), 0);
		CHECK_STR(args.upper, uppers[i]);
		CHECK(args.has_autoconfiguration);
	}
	struct failure f = {.stage = STAGE_NONE};

	CHECK_INT(bootargs_parse("smk.control=port:a", &args, &f), 0);
	CHECK_INT(args.control, CONTROL_PORT);
	CHECK_STR(args.control_port, "a");
	CHECK_INT(bootargs_parse("smk.control=fd:1023", &args, &f), 0);
	CHECK_INT(args.control_fd, 1023);
	CHECK_INT(bootargs_parse("smk.control=none", &args, &f), 0);
	CHECK_INT(args.control, CONTROL_NONE);
}

static void bootargs_name_the_known_keys(void)
{
	struct failure f = {.stage = STAGE_NONE};
	struct bootargs args;

	CHECK_INT(bootargs_parse("smk.x=1", &args, &f), -1);
	CHECK_STR(f.why, "unknown key; known: smk.config smk.layers smk.upper smk.control smk.dns "
			 "smk.search");
}

static void bootargs_have_a_limit(void)
{
	static char text[BOOTARGS_TEXT_MAX + 1];
	struct failure f = {.stage = STAGE_NONE};
	struct bootargs args;

	memset(text, 'a', sizeof(text) - 1);
	CHECK_INT(bootargs_parse(text, &args, &f), -1);
	text[BOOTARGS_TEXT_MAX - 1] = '\0';
	CHECK_INT(bootargs_parse(text, &args, &f), 0);
}

/* Every begin, fill and length of a small ring, against what a plain queue would hold. */
static void ring_is_a_queue(void)
{
	uint8_t bytes[7];

	for (size_t begin = 0; begin < 7; begin++) {
		for (size_t fill = 0; fill <= 7; fill++) {
			struct ring ring = {.bytes = bytes, .size = 7, .begin = begin};
			struct iovec from[2];
			uint8_t out[7];
			int count;

			ring_put(&ring, "abcdefg", fill);
			CHECK_INT(ring_free(&ring), 7 - fill);
			count = ring_used_iov(&ring, from);
			CHECK_INT(count, (fill > 0) + (begin + fill > 7));
			memcpy(out, from[0].iov_base, from[0].iov_len);
			memcpy(out + from[0].iov_len, from[1].iov_base, from[1].iov_len);
			CHECK(memcmp(out, "abcdefg", fill) == 0);
			ring_drop(&ring, fill / 2);
			ring_used_iov(&ring, from);
			if (fill)
				CHECK_INT(((char *)from[0].iov_base)[0], 'a' + (int)(fill / 2));
			ring_drop(&ring, fill - fill / 2);
			CHECK_INT(ring.used, 0);
			CHECK_INT(ring.begin, 0);
		}
	}
}

static struct channel channel;
static int host_fd;

static void open_channel(void)
{
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	memset(&channel, 0, sizeof(channel));
	channel_init(&channel, fds[0]);
	channel.end.is_readable = true;
	host_fd = fds[1];
}

static void close_channel(void)
{
	channel_close(&channel);
	close(host_fd);
}

static void frames_come_in_pieces(void)
{
	uint8_t bytes[SMK_FRAME_HEADER_SIZE + 3] = {
		SMK_FRAME_DATA, SMK_FRAME_END, 2, 1, 3, 0, 0, 0, 'a', 'b', 'c'};
	const uint8_t *payload;
	struct smk_frame frame;

	open_channel();
	for (size_t i = 0; i < sizeof(bytes); i++) {
		CHECK_INT(channel_next(&channel, &frame, &payload), 0);
		CHECK_INT(write(host_fd, bytes + i, 1), 1);
		channel.end.is_readable = true;
		CHECK(channel_receive(&channel));
	}
	CHECK_INT(channel_next(&channel, &frame, &payload), 1);
	CHECK_INT(frame.type, SMK_FRAME_DATA);
	CHECK_INT(frame.flags, SMK_FRAME_END);
	CHECK_INT(frame.stream, 0x102);
	CHECK_INT(frame.length, 3);
	CHECK(memcmp(payload, "abc", 3) == 0);
	CHECK_INT(channel_next(&channel, &frame, &payload), 0);
	close_channel();
}

static void a_frame_that_is_too_long_is_malformed(void)
{
	uint8_t bytes[SMK_FRAME_HEADER_SIZE] = {SMK_FRAME_DATA, 0, 0, 0, 1, 0, 1, 0};
	const uint8_t *payload;
	struct smk_frame frame;

	open_channel();
	CHECK_INT(write(host_fd, bytes, sizeof(bytes)), (int)sizeof(bytes));
	CHECK(channel_receive(&channel));
	CHECK_INT(channel_next(&channel, &frame, &payload), -1);
	close_channel();
}

static void events_find_room_behind_data(void)
{
	struct event event = {.kind = EVENT_STARTED, .pid = 5};
	int zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	size_t room;

	open_channel();
	while ((room = channel_data_room(&channel)) > 0)
		CHECK(channel_data_from(&channel, SMK_STREAM_OUTPUT, zero_fd, room) > 0);
	CHECK(ring_free(&channel.out) >= CHANNEL_CONTROL_ROOM);
	CHECK(channel_event(&channel, &event));
	channel_data_end(&channel, SMK_STREAM_OUTPUT);
	CHECK(channel_error(&channel, "late"));
	close(zero_fd);
	close_channel();
}

/* What is written on one side is what is read on the other, whole and in order. */
static void frames_arrive(void)
{
	struct event event = {.kind = EVENT_STARTED, .pid = 5};
	uint8_t bytes[256];
	struct smk_frame frame;
	struct event back;
	struct failure f = {.stage = STAGE_NONE};
	ssize_t got;

	open_channel();
	CHECK(channel_event(&channel, &event));
	channel_credit(&channel, SMK_STREAM_INPUT, 0x01020304);
	CHECK(channel_flush(&channel));
	got = read(host_fd, bytes, sizeof(bytes));
	CHECK(got > 2 * SMK_FRAME_HEADER_SIZE);
	frame = smk_frame_unpack(bytes);
	CHECK_INT(frame.type, SMK_FRAME_CONTROL);
	CHECK_INT(event_decode((char *)bytes + SMK_FRAME_HEADER_SIZE, frame.length, &back, &f), 0);
	CHECK_INT(back.pid, 5);
	CHECK_INT(got, 2 * SMK_FRAME_HEADER_SIZE + frame.length + 4);
	CHECK(memcmp(bytes + got - 12, "\3\0\0\0\4\0\0\0\4\3\2\1", 12) == 0);
	close_channel();
}

static void a_lost_host_closes_the_channel(void)
{
	struct event event = {.kind = EVENT_STARTED, .pid = 5};

	signal(SIGPIPE, SIG_IGN); /* as init-oci has it */
	open_channel();
	close(host_fd);
	CHECK(channel_event(&channel, &event));
	channel_flush(&channel);
	CHECK(!channel_is_open(&channel));
	CHECK(!channel_event(&channel, &event));
	CHECK(!channel_receive(&channel));
	CHECK_INT(channel_data_room(&channel), 0);
	channel_close(&channel);
}

static void a_rejected_host_hears_why(void)
{
	uint8_t bytes[256];

	open_channel();
	channel_reject(&channel, "unknown frame");
	CHECK(!channel_is_open(&channel));
	channel_flush(&channel);
	CHECK_INT(channel.end.fd, -1);
	CHECK(read(host_fd, bytes, sizeof(bytes)) > SMK_FRAME_HEADER_SIZE);
	CHECK(memmem(bytes, sizeof(bytes), "unknown frame", 13) != NULL);
	CHECK_INT(read(host_fd, bytes, sizeof(bytes)), 0);
	close(host_fd);
}

/* Whatever happens in whatever order, a run that was stalled or drained and reaped is done. */
static void life_ends(void)
{
	static const enum life_event orders[][3] = {
		{LIFE_ENDED, LIFE_DRAINED, LIFE_REAPED},  {LIFE_ENDED, LIFE_REAPED, LIFE_DRAINED},
		{LIFE_ENDED, LIFE_STALLED, LIFE_SIGNAL},  {LIFE_ENDED, LIFE_REAPED, LIFE_STALLED},
		{LIFE_ENDED, LIFE_DRAINED, LIFE_STALLED},
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		enum life_state state = LIFE_RUN;

		for (size_t k = 0; k < 3; k++) {
			CHECK(state != LIFE_DONE || k == 2);
			state = life_rule(state, orders[i][k]).next;
		}
		CHECK_INT(state, LIFE_DONE);
	}
	CHECK_INT(life_rule(LIFE_RUN, LIFE_STALLED).next, LIFE_RUN);
	for (int event = 0; event < LIFE__EVENTS; event++)
		CHECK_INT(life_rule(LIFE_DONE, (enum life_event)event).next, LIFE_DONE);
}

static void life_serves_only_the_living(void)
{
	CHECK_INT(life_rule(LIFE_RUN, LIFE_SIGNAL).action, LIFE_FORWARD);
	CHECK_INT(life_rule(LIFE_RUN, LIFE_REQUEST).action, LIFE_SERVE);
	CHECK_INT(life_rule(LIFE_RUN, LIFE_ENDED).action, LIFE_KILL);
	for (int state = LIFE_END; state < LIFE__STATES; state++) {
		CHECK_INT(life_rule((enum life_state)state, LIFE_REQUEST).action, LIFE_REFUSE);
		CHECK_INT(life_rule((enum life_state)state, LIFE_SIGNAL).action, LIFE_NOTHING);
	}
}

static void wait_statuses_become_codes(void)
{
	struct exit_record record = {.code = 0};

	for (int code = 0; code < 256; code++) {
		life_exit(code << 8, &record);
		CHECK(record.code == code && record.signal == 0 && !record.core_dumped);
	}
	for (int number = 1; number <= 64; number++) {
		life_exit(number, &record);
		CHECK(record.code == 128 + number && record.signal == number);
		CHECK(!record.core_dumped);
		life_exit(number | 0x80, &record);
		CHECK(record.code == 128 + number && record.core_dumped);
	}
	CHECK_INT(record.phase, PHASE_RUN);
}

static const struct t_case cases[] = {
	{"bootargs read every key", bootargs_read_every_key},
	{"bootargs default to nothing", bootargs_default_to_nothing},
	{"bootargs refuse", bootargs_refuse},
	{"bootargs take every form", bootargs_take_every_form},
	{"bootargs name the known keys", bootargs_name_the_known_keys},
	{"bootargs have a limit", bootargs_have_a_limit},
	{"ring is a queue", ring_is_a_queue},
	{"frames come in pieces", frames_come_in_pieces},
	{"a frame that is too long is malformed", a_frame_that_is_too_long_is_malformed},
	{"events find room behind data", events_find_room_behind_data},
	{"frames arrive", frames_arrive},
	{"a lost host closes the channel", a_lost_host_closes_the_channel},
	{"a rejected host hears why", a_rejected_host_hears_why},
	{"life ends", life_ends},
	{"life serves only the living", life_serves_only_the_living},
	{"wait statuses become codes", wait_statuses_become_codes},
};
T_MAIN("init", cases)
