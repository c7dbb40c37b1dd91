// SPDX-License-Identifier: Apache-2.0
/* Writing of the control channel's messages. Reading: message_decode.c. */
#include "message.h"

#include "message_names.h"
#include "writer.h"

const char *const event_names[EVENT__COUNT] = {
	[EVENT_HELLO] = "hello",
	[EVENT_STARTED] = "started",
	[EVENT_EXIT] = "exit",
	[EVENT_ERROR] = "error",
};

const char *const request_names[REQUEST__COUNT] = {
	[REQUEST_SIGNAL] = "signal",
	[REQUEST_RESIZE] = "resize",
};

const char *const phase_names[PHASE__COUNT] = {
	[PHASE_SETUP] = "setup",
	[PHASE_RUN] = "run",
};

static const char *const mark_names[] = {
	[MARK_MAIN] = "main",   [MARK_BOOTARGS] = "bootargs", [MARK_DISCOVER] = "discover",
	[MARK_PARSE] = "parse", [MARK_PLAN] = "plan",         [MARK_APPLY] = "apply",
	[MARK_SPAWN] = "spawn", [MARK_EXIT] = "exit",         [MARK_REPORT] = "report",
};
_Static_assert(sizeof(mark_names) / sizeof(mark_names[0]) == MARK__COUNT, "a name for each mark");

const char *mark_name(enum mark mark)
{
	return (unsigned)mark < MARK__COUNT ? mark_names[mark] : "unknown";
}

/* Only the marks that were reached. */
static void write_marks(struct writer *writer, const struct marks *marks)
{
	write_open(writer, "timings", '{');
	for (unsigned i = 0; i < MARK__COUNT; i++) {
		if (marks->at_ns[i])
			write_uint(writer, mark_names[i], marks->at_ns[i]);
	}
	write_close(writer, '}');
}

static void write_failure(struct writer *writer, const struct failure *failure)
{
	write_open(writer, "failure", '{');
	write_string(writer, "stage", stage_name(failure->stage));
	write_int(writer, "code", failure->code);
	write_int(writer, "errno", failure->err);
	write_string(writer, "field", failure->field);
	write_string(writer, "path", failure->path);
	write_string(writer, "op", failure->op);
	write_string(writer, "why", failure->why);
	write_close(writer, '}');
}

static void write_exit(struct writer *writer, const struct exit_record *record)
{
	write_string(writer, "phase", phase_names[record->phase]);
	write_int(writer, "code", record->code);
	write_int(writer, "signal", record->signal);
	write_bool(writer, "coreDumped", record->core_dumped);
	write_bool(writer, "oomKilled", record->oom_killed);
	if (record->has_failure)
		write_failure(writer, &record->failure);
	write_marks(writer, &record->marks);
	write_uint(writer, "userMicroseconds", record->user_us);
	write_uint(writer, "systemMicroseconds", record->system_us);
	write_uint(writer, "maxRssBytes", record->max_rss_bytes);
	write_uint(writer, "droppedBytes", record->dropped_bytes);
}

static void write_hello(struct writer *writer, const struct hello *hello)
{
	write_uint(writer, "version", hello->version);
	write_string(writer, "init", hello->init_version);
	write_marks(writer, &hello->marks);
}

size_t event_encode(const struct event *event, char *buffer, size_t size)
{
	struct writer writer = {.text = buffer, .size = size};

	write_open(&writer, NULL, '{');
	write_string(&writer, "type", event_names[event->kind]);
	switch (event->kind) {
	case EVENT_HELLO:
		write_hello(&writer, &event->hello);
		break;
	case EVENT_STARTED:
		write_int(&writer, "pid", event->pid);
		break;
	case EVENT_EXIT:
		write_exit(&writer, &event->exit);
		break;
	case EVENT_ERROR:
		write_string(&writer, "text", event->text);
		break;
	case EVENT__COUNT:
		break;
	}
	write_close(&writer, '}');
	return write_finish(&writer);
}

size_t request_encode(const struct request *request, char *buffer, size_t size)
{
	struct writer writer = {.text = buffer, .size = size};

	write_open(&writer, NULL, '{');
	write_string(&writer, "type", request_names[request->kind]);
	switch (request->kind) {
	case REQUEST_SIGNAL:
		write_int(&writer, "signal", request->signal);
		break;
	case REQUEST_RESIZE:
		write_uint(&writer, "rows", request->size.rows);
		write_uint(&writer, "columns", request->size.columns);
		break;
	case REQUEST__COUNT:
		break;
	}
	write_close(&writer, '}');
	return write_finish(&writer);
}

size_t exit_record_encode(const struct exit_record *record, char *buffer, size_t size)
{
	struct writer writer = {.text = buffer, .size = size};

	write_open(&writer, NULL, '{');
	write_exit(&writer, record);
	write_close(&writer, '}');
	return write_finish(&writer);
}
