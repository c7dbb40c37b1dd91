// SPDX-License-Identifier: Apache-2.0
/*
 * The examples of docs/control-channel.md and docs/exit-codes.md, read by the code that they
 * describe: each message must decode, and encode to the same text. The failure of the last exit
 * record must print as the line that stands in the document.
 */
#include <smk/channel.h>
#include <smk/contract.h>

#include "oci/message.h"
#include "tests/t.h"

static char document[65536];

static void load(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(document, 1, sizeof(document) - 1, file) : 0;

	CHECK(file && length > 0 && length < sizeof(document) - 1);
	document[length] = '\0';
	if (file)
		fclose(file);
}

/* The next line of the document that begins with four blanks and prefix; NULL: no more. */
static const char *next_line(const char *from, const char *prefix, size_t *ret_length)
{
	char wanted[64];
	const char *line;

	snprintf(wanted, sizeof(wanted), "\n    %s", prefix);
	line = strstr(from, wanted);
	if (!line)
		return NULL;
	line += 5;
	*ret_length = strcspn(line, "\n");
	return line;
}

static void check_same(const char *line, size_t length, const char *encoded, size_t encoded_length)
{
	char text[MESSAGE_MAX_BYTES];

	snprintf(text, sizeof(text), "%.*s", (int)length, line);
	CHECK_INT(encoded_length, strlen(encoded));
	CHECK(!strcmp(encoded, text));
	if (strcmp(encoded, text))
		printf("    document: %s\n    code:     %s\n", text, encoded);
}

static void check_message(const char *line, size_t length)
{
	char encoded[MESSAGE_MAX_BYTES] = "";
	struct failure f = {.stage = STAGE_NONE};
	struct request request;
	struct event event;
	size_t encoded_length = 0;

	if (event_decode(line, length, &event, &f) == 0)
		encoded_length = event_encode(&event, encoded, sizeof(encoded));
	else if (request_decode(line, length, &request, &f) == 0)
		encoded_length = request_encode(&request, encoded, sizeof(encoded));
	check_same(line, length, encoded, encoded_length);
}

static void test_messages(void)
{
	const char *line = document;
	size_t length;
	int count = 0;

	load("docs/control-channel.md");
	while ((line = next_line(line, "{\"type\":", &length))) {
		check_message(line, length);
		count++;
	}
	CHECK_INT(count, 7);
}

static void test_exit_line(void)
{
	char encoded[MESSAGE_MAX_BYTES] = "";
	struct failure f = {.stage = STAGE_NONE};
	struct exit_record record;
	const char *line;
	size_t length;

	load("docs/control-channel.md");
	line = next_line(document, SMK_EXIT_LINE_PREFIX, &length);
	CHECK(line);
	if (!line)
		return;
	line += strlen(SMK_EXIT_LINE_PREFIX);
	length -= strlen(SMK_EXIT_LINE_PREFIX);
	CHECK_INT(exit_record_decode(line, length, &record, &f), 0);
	check_same(line, length, encoded, exit_record_encode(&record, encoded, sizeof(encoded)));
}

static void test_failure_line(void)
{
	static const char prefix[] = "init-oci: fatal: spawn: ";
	char wanted[FAIL_LINE_MAX], got[FAIL_LINE_MAX];
	struct failure f = {.stage = STAGE_NONE};
	struct event event = {.kind = EVENT_EXIT};
	const char *line;
	size_t length;

	load("docs/control-channel.md");
	line = next_line(document, "{\"type\":\"exit\",\"phase\":\"setup\"", &length);
	CHECK(line && event_decode(line, length, &event, &f) == 0 && event.exit.has_failure);
	fail_format(&event.exit.failure, got);
	line = next_line(document, prefix, &length);
	CHECK(line);
	snprintf(wanted, sizeof(wanted), "%.*s", line ? (int)length : 0, line ? line : "");
	CHECK(!strcmp(got, wanted));
}

/* The shape of the line in docs/exit-codes.md, with its example. */
static void test_failure_form(void)
{
	struct failure f = {
		.stage = STAGE_APPLY,
		.err = 2,
		.field = "/mounts/2/source",
		.path = "/newroot/data",
		.op = "mount(virtiofs)",
	};
	char got[FAIL_LINE_MAX];
	const char *line;
	size_t length;

	load("docs/exit-codes.md");
	fail_format(&f, got);
	line = next_line(document, got, &length);
	CHECK(line && length == strlen(got));
}

static void test_numbers(void)
{
	char text[64];

	load("docs/control-channel.md");
	snprintf(text, sizeof(text), "bytes of payload, at most %u |", SMK_FRAME_MAX_PAYLOAD);
	CHECK(strstr(document, text));
	snprintf(text, sizeof(text), "begins with %u\nbytes of credit", SMK_STREAM_CREDIT);
	CHECK(strstr(document, text));
	snprintf(text, sizeof(text), "one JSON object of at most %d bytes", MESSAGE_MAX_BYTES);
	CHECK(strstr(document, text));
	snprintf(text, sizeof(text), "# Control channel, version %d\n", SMK_CHANNEL_VERSION);
	CHECK(strstr(document, text));
	for (unsigned i = 0; i < MARK__COUNT; i++) {
		snprintf(text, sizeof(text), "`%s`", mark_name((enum mark)i));
		CHECK(strstr(document, text));
	}
}

static const struct t_case cases[] = {
	{"messages", test_messages},         {"exit-line", test_exit_line},
	{"failure-line", test_failure_line}, {"failure-form", test_failure_form},
	{"numbers", test_numbers},
};

T_MAIN("docs", cases)
