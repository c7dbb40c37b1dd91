// SPDX-License-Identifier: Apache-2.0
/* The parts of smk that are functions of their inputs: frames, the tail of an output, words. */
#include "host/host.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smk/channel.h>

#include "tests/t.h"

static void channel_puts_frames_together(void)
{
	uint8_t bytes[2 * SMK_FRAME_HEADER_SIZE + 3] = {0};
	const struct smk_frame first = {.type = SMK_FRAME_DATA, .stream = 1, .length = 3};
	const struct smk_frame second = {.type = SMK_FRAME_CREDIT, .flags = 1, .stream = 2};
	struct channel_frame frame;
	struct channel channel;
	struct failure f = {0};
	int fds[2];

	smk_frame_pack(&first, bytes);
	memcpy(bytes + SMK_FRAME_HEADER_SIZE, "abc", 3);
	smk_frame_pack(&second, bytes + SMK_FRAME_HEADER_SIZE + 3);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	channel_init(&channel, fds[0]);
	for (size_t i = 0; i < SMK_FRAME_HEADER_SIZE + 2; i++) {
		CHECK_INT(write(fds[1], bytes + i, 1), 1);
		CHECK_INT(channel_read(&channel, &f), 1);
		CHECK_INT(channel_next(&channel, &frame, &f), 0);
	}
	CHECK_INT(write(fds[1], bytes + SMK_FRAME_HEADER_SIZE + 2, SMK_FRAME_HEADER_SIZE + 1),
		  SMK_FRAME_HEADER_SIZE + 1);
	CHECK_INT(channel_read(&channel, &f), 1);
	CHECK_INT(channel_next(&channel, &frame, &f), 1);
	CHECK_INT(frame.length, 3);
	CHECK(!memcmp(frame.payload, "abc", 3));
	CHECK_INT(channel_next(&channel, &frame, &f), 1);
	CHECK_INT(frame.stream, 2);
	CHECK_INT(frame.flags, 1);
	CHECK_INT(channel_next(&channel, &frame, &f), 0);
	close(fds[1]);
	CHECK_INT(channel_read(&channel, &f), 0);
	channel_finish(&channel);
}

static void channel_has_a_bounded_queue(void)
{
	static uint8_t payload[SMK_FRAME_MAX_PAYLOAD];
	struct channel_frame frame = {.type = SMK_FRAME_DATA, .payload = payload};
	struct channel channel;
	size_t frames = 0;
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	channel_init(&channel, fds[0]);
	for (; (frame.length = (uint32_t)channel_room(&channel)); frames++)
		channel_send(&channel, &frame);
	CHECK_INT(channel.out_length, CHANNEL_OUT_BYTES);
	CHECK(frames > 1);
	channel_finish(&channel);
	close(fds[1]);
}

static void tail_keeps_the_end(void)
{
	static struct tail tail;
	char line[64];

	tail_last_line(&tail, line, sizeof(line));
	CHECK_STR(line, "");
	for (int i = 0; i < 5000; i++) {
		int length = snprintf(line, sizeof(line), "line %d\r\n", i);

		tail_add(&tail, line, (size_t)length);
	}
	tail_last_line(&tail, line, sizeof(line));
	CHECK_STR(line, "line 4999");
	tail_add(&tail, "half \033[1m\n\n \r\n", 14);
	tail_last_line(&tail, line, sizeof(line));
	CHECK_STR(line, "half .[1m");
	for (int i = 0; i < TAIL_SIZE + 5; i++)
		tail_add(&tail, "x", 1);
	tail_last_line(&tail, line, sizeof(line));
	CHECK_INT(strlen(line), sizeof(line) - 1);
}

static void check_quoted(const char *word, const char *want)
{
	char *got = say_quoted(word);

	CHECK_STR(got, want);
	free(got);
}

static void words_are_quoted(void)
{
	check_quoted("plain-word_1,a=b:/x.y", "plain-word_1,a=b:/x.y");
	check_quoted("", "''");
	check_quoted("a b", "'a b'");
	check_quoted("it's", "'it'\\''s'");
	check_quoted("$(x)`y`\n", "'$(x)`y`\n'");
}

static void hints_are_near(void)
{
	static const char *const list[] = {"--memory", "--cpus", "--env"};

	CHECK_STR(nearest("--memroy", list, 3), "--memory");
	CHECK_STR(nearest("--cpu", list, 3), "--cpus");
	CHECK_STR(nearest("-env", list, 3), "--env");
	CHECK(!nearest("--something-else", list, 3));
	CHECK(!nearest("-e", list, 3));
	CHECK(!nearest("-cp", list, 3));
	CHECK(!nearest("a-very-long-word-of-more-than-sixty-three-characters-which-is-nothing",
		       list, 3));
}

static void signals_have_names(void)
{
	static const struct {
		const char *text;
		int number;
	} rows[] = {
		{"TERM", 15},
		{"SIGTERM", 15},
		{"sigquit", 3},
		{"3", 3},
		{"64", 64},
		{"SIGRTMIN", 34},
		{"RTMIN+3", 37},
		{"RTMAX-1", 63},
		{"RTMAX", 64},
		{"RTMIN+30", 64},
		{"RTMIN+31", 0},
		{"RTMIN-1", 0},
		{"RTMAX+1", 0},
		{"RTMIN+", 0},
		{"RTMIN+3x", 0},
		{"65", 0},
		{"0", 0},
		{"-1", 0},
		{"", 0},
		{"SIG", 0},
		{"SIGNOTHING", 0},
		{"9x", 0},
		{"99999999999999999999", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(signals_parse(rows[i].text), rows[i].number);
}

static void a_signal_ends_all_threads(void)
{
	struct failure f = {0};

	CHECK(!signals_open(&f) && !signals_want_end());
	raise(SIGWINCH);
	CHECK(!signals_want_end());
	raise(SIGTERM);
	CHECK(signals_want_end() && signals_want_end());
	signals_forget();
	CHECK(!signals_want_end());
}

static const struct t_case cases[] = {
	{"a-signal-ends-all-threads", a_signal_ends_all_threads},
	{"signals-have-names", signals_have_names},
	{"channel-puts-frames-together", channel_puts_frames_together},
	{"channel-has-a-bounded-queue", channel_has_a_bounded_queue},
	{"tail-keeps-the-end", tail_keeps_the_end},
	{"words-are-quoted", words_are_quoted},
	{"hints-are-near", hints_are_near},
};

T_MAIN("host", cases)
