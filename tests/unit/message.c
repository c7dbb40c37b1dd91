// SPDX-License-Identifier: Apache-2.0
/* The control channel's messages, there and back. */
#include "oci/message.h"

#include "tests/t.h"

static struct event round_trip(const struct event *event)
{
	struct event back = {.kind = EVENT__COUNT};
	struct failure f = {.stage = STAGE_NONE};
	char text[MESSAGE_MAX_BYTES];
	size_t length = event_encode(event, text, sizeof(text));

	CHECK_INT(length, strlen(text));
	CHECK_INT(event_decode(text, length, &back, &f), 0);
	CHECK_STR(f.why, "");
	return back;
}

static void fill(struct exit_record *record)
{
	*record = (struct exit_record){
		.phase = PHASE_RUN,
		.code = 255,
		.signal = 64,
		.core_dumped = true,
		.oom_killed = true,
		.has_failure = true,
		.failure = {.stage = STAGE_SPAWN,
			    .code = 127,
			    .err = 2,
			    .field = "/process/args/0",
			    .path = "/bin/\"x\"\n",
			    .op = "execve",
			    .why = "caf\xc3\xa9 \\ \x01"},
		.user_us = UINT64_MAX,
		.system_us = (uint64_t)INT64_MAX + 1,
		.max_rss_bytes = 12345,
		.dropped_bytes = 1,
	};
	for (unsigned i = 0; i < MARK__COUNT; i++)
		record->marks.at_ns[i] = 1000000007ULL * (i + 1);
}

static void check_same(const struct exit_record *got, const struct exit_record *want)
{
	CHECK_INT(got->phase, want->phase);
	CHECK_INT(got->code, want->code);
	CHECK_INT(got->signal, want->signal);
	CHECK_INT(got->core_dumped, want->core_dumped);
	CHECK_INT(got->oom_killed, want->oom_killed);
	CHECK_INT(got->has_failure, want->has_failure);
	CHECK_INT(got->failure.stage, want->failure.stage);
	CHECK_INT(got->failure.code, want->failure.code);
	CHECK_INT(got->failure.err, want->failure.err);
	CHECK_STR(got->failure.field, want->failure.field);
	CHECK_STR(got->failure.path, want->failure.path);
	CHECK_STR(got->failure.op, want->failure.op);
	CHECK_STR(got->failure.why, want->failure.why);
	CHECK(memcmp(&got->marks, &want->marks, sizeof(got->marks)) == 0);
	CHECK(got->user_us == want->user_us);
	CHECK(got->system_us == want->system_us);
	CHECK_INT(got->max_rss_bytes, want->max_rss_bytes);
	CHECK_INT(got->dropped_bytes, want->dropped_bytes);
}

static void exit_round_trip(void)
{
	struct event event = {.kind = EVENT_EXIT};
	struct event back;

	fill(&event.exit);
	back = round_trip(&event);
	CHECK_INT(back.kind, EVENT_EXIT);
	check_same(&back.exit, &event.exit);
	event.exit = (struct exit_record){.phase = PHASE_SETUP, .code = 125};
	back = round_trip(&event);
	check_same(&back.exit, &event.exit);
}

static void exit_record_alone(void)
{
	struct failure f = {.stage = STAGE_NONE};
	struct exit_record record;
	struct exit_record back;
	char text[MESSAGE_MAX_BYTES];
	size_t length;

	fill(&record);
	length = exit_record_encode(&record, text, sizeof(text));
	CHECK(!strchr(text, '\n'));
	CHECK_INT(exit_record_decode(text, length, &back, &f), 0);
	check_same(&back, &record);
}

static void other_events_round_trip(void)
{
	struct event hello = {.kind = EVENT_HELLO, .hello = {.version = 1, .init_version = "0.1"}};
	struct event started = {.kind = EVENT_STARTED, .pid = 42};
	struct event error = {.kind = EVENT_ERROR};
	struct event back;

	hello.hello.marks.at_ns[MARK_PLAN] = 77;
	back = round_trip(&hello);
	CHECK_INT(back.kind, EVENT_HELLO);
	CHECK_INT(back.hello.version, 1);
	CHECK_STR(back.hello.init_version, "0.1");
	CHECK_INT(back.hello.marks.at_ns[MARK_PLAN], 77);
	CHECK_INT(back.hello.marks.at_ns[MARK_MAIN], 0);
	back = round_trip(&started);
	CHECK_INT(back.kind, EVENT_STARTED);
	CHECK_INT(back.pid, 42);
	memset(error.text, 'e', sizeof(error.text) - 1);
	back = round_trip(&error);
	CHECK_INT(back.kind, EVENT_ERROR);
	CHECK_STR(back.text, error.text);
}

static void requests_round_trip(void)
{
	struct request rows[] = {
		{.kind = REQUEST_SIGNAL, .signal = 64},
		{.kind = REQUEST_RESIZE, .size = {.rows = 65535, .columns = 1}},
	};
	struct failure f = {.stage = STAGE_NONE};
	char text[MESSAGE_MAX_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request back = {.signal = 0};
		size_t length = request_encode(&rows[i], text, sizeof(text));

		CHECK_INT(request_decode(text, length, &back, &f), 0);
		CHECK_INT(back.kind, rows[i].kind);
		CHECK_INT(back.size.rows, rows[i].size.rows);
		CHECK_INT(back.size.columns, rows[i].size.columns);
	}
}

/* The worst texts there are fit the buffer that everybody uses. */
static void the_largest_message_fits(void)
{
	struct event event = {.kind = EVENT_EXIT};
	struct failure *failure = &event.exit.failure;
	char text[MESSAGE_MAX_BYTES];

	fill(&event.exit);
	memset(failure->field, 1, sizeof(failure->field) - 1);
	memset(failure->path, 0xff, sizeof(failure->path) - 1);
	memset(failure->op, 1, sizeof(failure->op) - 1);
	memset(failure->why, 0x80, sizeof(failure->why) - 1);
	memset(&event.exit.marks, 0xff, sizeof(event.exit.marks));
	CHECK(event_encode(&event, text, sizeof(text)) < sizeof(text));
	round_trip(&event);
	event = (struct event){.kind = EVENT_ERROR};
	memset(event.text, 0xff, sizeof(event.text) - 1);
	CHECK(event_encode(&event, text, sizeof(text)) < sizeof(text));
	/* Replaced characters are longer than the bytes were: the text is cut at a character. */
	event = round_trip(&event);
	CHECK_INT(strlen(event.text), 510);
	CHECK_INT(event_encode(&event, text, 10), event_encode(&event, text, sizeof(text)));
}

static void refuses(void)
{
	static const struct {
		const char *text;
		const char *field;
		const char *why;
	} rows[] = {
		{"{\"type\":\"started\",\"pid\":true}", "/pid",
		 "must be an integer, not a boolean"},
		{"{\"type\":\"started\",\"pid\":-1}", "/pid",
		 "must be an integer from 0 to 2147483647"},
		{"{\"type\":\"started\"}", "/pid", "must be given"},
		{"{\"type\":\"dance\"}", "/type", "unknown message \"dance\""},
		{"{\"type\":7}", "/type", "must be a string, not a number"},
		{"{}", "/type", "must be given"},
		{"{\"type\":\"exit\",\"phase\":\"run\",\"code\":256,\"signal\":0}", "/code",
		 "must be an integer from 0 to 255"},
		{"{\"type\":\"exit\",\"phase\":\"run\",\"code\":0,\"signal\":65}", "/signal",
		 "must be an integer from 0 to 64"},
		{"{\"type\":\"exit\",\"phase\":\"rest\",\"code\":0,\"signal\":0}", "/phase",
		 "unknown phase \"rest\""},
		{"{\"type\":\"exit\",\"code\":0,\"signal\":0}", "/phase", "must be given"},
		{"{\"type\":\"exit\",\"phase\":1}", "/phase", "must be a string, not a number"},
		{"{\"type\":\"exit\",\"failure\":{\"stage\":1}}", "/failure/stage",
		 "must be a string, not a number"},
		{"{\"type\":\"exit\",\"failure\":{\"stage\":\"lunch\"}}", "/failure/stage",
		 "unknown stage \"lunch\""},
		{"{\"type\":\"hello\",\"version\":1,\"timings\":{\"main\":-1}}", "/timings/main",
		 "must be an integer from 0 to 18446744073709551615"},
		{"{\"type\":\"hello\"}", "/version", "must be given"},
		{"{\"type\":\"error\",\"text\":[]}", "/text", "must be a string, not an array"},
		{"{\"type\":\"error\",\"type\":\"error\"}", "", "this key is there twice"},
		{"[]", "", "expected an object"},
		{"", "", "expected an object"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event event = {.kind = EVENT__COUNT};
		struct failure f = {.stage = STAGE_NONE};

		CHECK_INT(event_decode(rows[i].text, strlen(rows[i].text), &event, &f), -1);
		CHECK_STR(f.field, rows[i].field);
		CHECK_STR(f.why, rows[i].why);
		CHECK_INT(event.kind, EVENT__COUNT);
	}
}

static void refuses_requests(void)
{
	static const struct {
		const char *text;
		const char *field;
	} rows[] = {
		{"{\"type\":\"signal\",\"signal\":0}", "/signal"},
		{"{\"type\":\"signal\",\"signal\":65}", "/signal"},
		{"{\"type\":\"signal\"}", "/signal"},
		{"{\"type\":\"resize\",\"rows\":1}", "/columns"},
		{"{\"type\":\"resize\",\"rows\":65536,\"columns\":1}", "/rows"},
		{"{\"type\":\"exec\"}", "/type"},
		{"{\"type\":\"started\",\"pid\":1}", "/type"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = {.signal = 99};
		struct failure f = {.stage = STAGE_NONE};

		CHECK_INT(request_decode(rows[i].text, strlen(rows[i].text), &request, &f), -1);
		CHECK_STR(f.field, rows[i].field);
		CHECK_INT(request.signal, 99);
	}
}

static void newer_members_are_ignored(void)
{
	static const char text[] =
		"{\"hooks\":{\"a\":1},\"type\":\"started\",\"pid\":7,\"new\":[{}]}";
	static const char hello[] = "{\"type\":\"hello\",\"version\":1,\"init\":\"x\",\"timings\":{"
				    "\"new\":1,\"main\":2}}";
	struct event event = {.kind = EVENT__COUNT};
	struct failure f = {.stage = STAGE_NONE};

	CHECK_INT(event_decode(text, sizeof(text) - 1, &event, &f), 0);
	CHECK_INT(event.pid, 7);
	CHECK_INT(event_decode(hello, sizeof(hello) - 1, &event, &f), 0);
	CHECK_INT(event.hello.marks.at_ns[MARK_MAIN], 2);
}

/* Of a newer version, or overwritten: the names have no row. */
static void unknown_numbers_have_a_name(void)
{
	CHECK_STR(mark_name((enum mark)MARK__COUNT), "unknown");
	CHECK_STR(stage_name((enum stage)STAGE__COUNT), stage_name(STAGE_NONE));
}

static void too_long_is_refused(void)
{
	static char text[MESSAGE_MAX_BYTES + 1];
	struct event event;
	struct failure f = {.stage = STAGE_NONE};

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"type\":\"started\",\"pid\":7}", 26);
	CHECK_INT(event_decode(text, MESSAGE_MAX_BYTES, &event, &f), 0);
	CHECK_INT(event_decode(text, MESSAGE_MAX_BYTES + 1, &event, &f), -1);
	CHECK_STR(f.why, "must be at most 8192 bytes, not 8193");
	f = (struct failure){.stage = STAGE_NONE};
	CHECK_INT(exit_record_decode(text, MESSAGE_MAX_BYTES + 1, &event.exit, &f), -1);
	CHECK_STR(f.why, "must be at most 8192 bytes, not 8193");
}

static const struct t_case cases[] = {
	{"exit round trip", exit_round_trip},
	{"exit record alone", exit_record_alone},
	{"other events round trip", other_events_round_trip},
	{"requests round trip", requests_round_trip},
	{"the largest message fits", the_largest_message_fits},
	{"refuses", refuses},
	{"refuses requests", refuses_requests},
	{"newer members are ignored", newer_members_are_ignored},
	{"unknown numbers have a name", unknown_numbers_have_a_name},
	{"too long is refused", too_long_is_refused},
};
T_MAIN("message", cases)
