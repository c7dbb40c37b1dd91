// SPDX-License-Identifier: Apache-2.0
/* The parts of smk that are functions of their inputs: edits, frames, the tail of an output, words. */
#include "host/host.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smk/channel.h>

#include "oci/edit.h"
#include "tests/t.h"

/* The text with a NUL at its end; its own memory is freed. */
static char *strndup_and_free(char *text, size_t length)
{
	char *copy = strndup(text, length);

	free(text);
	return copy;
}

static char *edited_env(const char *text, const char *const *items, size_t count)
{
	struct failure f = {0};
	char *result = NULL;
	size_t length = 0;

	if (oci_edit_env(text, strlen(text), items, count, &result, &length, &f))
		return strdup(f.why);
	return strndup_and_free(result, length);
}

static void check_env(const char *text, const char *want)
{
	static const char *const items[] = {"A=1", "B=\"q\"\\\t"};
	char *got = edited_env(text, items, 2);

	CHECK_STR(got, want);
	free(got);
}

#define NEW_ENV "[\"A=1\",\"B=\\\"q\\\"\\\\\\u0009\"]"

static void edit_env_replaces(void)
{
	check_env("{\"process\":{\"env\":[\"X=]\",\"Y=\\\"\"],\"cwd\":\"/\"}}",
		  "{\"process\":{\"env\":" NEW_ENV ",\"cwd\":\"/\"}}");
	check_env(" {\n\"process\" : { \"cwd\":\"/\", \"env\" :\t[ ] } }\n",
		  " {\n\"process\" : { \"cwd\":\"/\", \"env\" :\t" NEW_ENV " } }\n");
	check_env("{\"process\":{\"env\":null}}", "{\"process\":{\"env\":" NEW_ENV "}}");
}

static void edit_env_adds(void)
{
	check_env("{\"process\":{\"cwd\":\"/\"}}",
		  "{\"process\":{\"env\":" NEW_ENV ",\"cwd\":\"/\"}}");
	check_env("{\"process\":{ }}", "{\"process\":{\"env\":" NEW_ENV " }}");
}

/* The same name deeper, in a string or in another object is not the member. */
static void edit_env_finds_the_right_one(void)
{
	check_env(
		"{\"a\":{\"process\":{\"env\":1}},\"b\":\"process\\\":{\",\"n\":[[{}],-1.5e3,true],"
		"\"process\":{\"x\":{\"env\":[1]},\"env\":[2]}}",
		"{\"a\":{\"process\":{\"env\":1}},\"b\":\"process\\\":{\",\"n\":[[{}],-1.5e3,true],"
		"\"process\":{\"x\":{\"env\":[1]},\"env\":" NEW_ENV "}}");
}

static void edit_env_keeps_numbers(void)
{
	check_env("{\"n\":18446744073709551615,\"process\":{\"env\":[]},\"m\":1.50}",
		  "{\"n\":18446744073709551615,\"process\":{\"env\":" NEW_ENV "},\"m\":1.50}");
}

static void edit_env_needs_a_process(void)
{
	check_env("{\"ociVersion\":\"1.0.2\"}", "missing: nothing to change");
	check_env("[]", "missing: nothing to change");
	check_env("{\"process\":7}", "missing: nothing to change");
}

/* Texts that no parser accepted must not lead out of the buffer. */
static void edit_survives_any_prefix(void)
{
	static const char text[] =
		"{\"a\":[1,{\"b\":\"\\u0041\"}],\"process\":{\"env\":[\"A=\\\\\"],"
		"\"cwd\":\"/\"},\"mounts\":[{\"x\":[]},{\"y\":2}]}";
	static const char *const items[] = {"A=1"};
	const bool drop[] = {true, false};

	for (size_t length = 0; length < sizeof(text); length++) {
		char *copy = memcpy(malloc(length ? length : 1), text, length);
		struct failure f = {0};
		char *result;
		size_t size;

		if (!oci_edit_env(copy, length, items, 1, &result, &size, &f))
			free(result);
		if (!oci_edit_drop_mounts(copy, length, drop, 2, &result, &size, &f))
			free(result);
		free(copy);
	}
	CHECK(true);
}

static void check_drop(const char *text, bool first, bool second, const char *want)
{
	const bool drop[] = {first, second};
	struct failure f = {0};
	char *got = NULL;
	size_t length = 0;

	CHECK_INT(oci_edit_drop_mounts(text, strlen(text), drop, 2, &got, &length, &f), 0);
	CHECK_INT(length, strlen(want));
	CHECK(got && !memcmp(got, want, length));
	free(got);
}

static void edit_drops_mounts(void)
{
	static const char text[] = "{\"mounts\": [ {\"a\":[\"}\"]} , {\"b\":2} , 3 ],\"z\":1}";

	check_drop(text, true, false, "{\"mounts\": [{\"b\":2},3],\"z\":1}");
	check_drop(text, false, true, "{\"mounts\": [{\"a\":[\"}\"]},3],\"z\":1}");
	check_drop(text, true, true, "{\"mounts\": [3],\"z\":1}");
	check_drop("{\"mounts\":[]}", true, true, "{\"mounts\":[]}");
}

static void console_size_is_set(void)
{
	static const char text[] = "{\"process\":{\"consoleSize\":{\"width\":1},\"a\":2}}";
	static const char want[] =
		"{\"process\":{\"consoleSize\":{\"height\":24,\"width\":80},\"a\":2}}";
	struct failure f = {0};
	char *got = NULL;
	size_t length = 0;

	CHECK_INT(oci_edit_console_size(text, strlen(text), 24, 80, &got, &length, &f), 0);
	CHECK_INT(length, strlen(want));
	CHECK(got && !memcmp(got, want, length));
	free(got);
}

/* A frame that comes in single bytes, after it a whole one. */
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

static const struct t_case cases[] = {
	{"edit-env-replaces", edit_env_replaces},
	{"edit-env-adds", edit_env_adds},
	{"edit-env-finds-the-right-one", edit_env_finds_the_right_one},
	{"edit-env-keeps-numbers", edit_env_keeps_numbers},
	{"edit-env-needs-a-process", edit_env_needs_a_process},
	{"edit-survives-any-prefix", edit_survives_any_prefix},
	{"edit-drops-mounts", edit_drops_mounts},
	{"console-size-is-set", console_size_is_set},
	{"channel-puts-frames-together", channel_puts_frames_together},
	{"channel-has-a-bounded-queue", channel_has_a_bounded_queue},
	{"tail-keeps-the-end", tail_keeps_the_end},
	{"words-are-quoted", words_are_quoted},
	{"hints-are-near", hints_are_near},
};

T_MAIN("host", cases)
