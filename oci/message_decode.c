// SPDX-License-Identifier: Apache-2.0
/*
 * Reading of the control channel's messages. The other end is not trusted: all is checked as in a
 * configuration, and a message of an unknown type is an error that names it. Unknown members are
 * ignored, so that a newer sender may say more.
 */
#include "message.h"

#include <jansson.h>
#include <string.h>

#include "field.h"
#include "message_names.h"

#define MESSAGE_HEAP_MAX_BYTES (1u << 20)

/* The index of the string in a list of names; -1: none. */
static int find_name(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

/* Text of a fixed size: rows give the room in max. What does not fit is cut. */
static int read_text(const struct field *field, const struct rule *rule, void *ret,
		     struct failure *f)
{
	const char *text;
	size_t length;

	if (field_string(field, rule, &text, f))
		return -1;
	length = strnlen(text, (size_t)rule->max - 1);
	while (text[length] && length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--; /* not in the middle of a character */
	memcpy(ret, text, length);
	((char *)ret)[length] = '\0';
	return 0;
}

static int read_stage(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	const char *name;

	if (field_string(field, rule, &name, f))
		return -1;
	for (unsigned i = 0; i < STAGE__COUNT; i++) {
		if (strcmp(name, stage_name((enum stage)i)) == 0) {
			*(enum stage *)ret = (enum stage)i;
			return 0;
		}
	}
	return field_fail(field, f, "unknown stage " SHOWN, name);
}

static int read_phase(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	const char *name;
	int number;

	if (field_string(field, rule, &name, f))
		return -1;
	number = find_name(phase_names, PHASE__COUNT, name);
	if (number < 0)
		return field_fail(field, f, "unknown phase " SHOWN, name);
	*(enum phase *)ret = (enum phase)number;
	return 0;
}

static int read_mark(const struct field *member, void *context, struct failure *f)
{
	static const struct rule rule = {.key = ""};
	struct marks *marks = context;

	for (unsigned i = 0; i < MARK__COUNT; i++) {
		if (strcmp(member->key, mark_name((enum mark)i)) == 0)
			return field_u64(member, &rule, &marks->at_ns[i], f);
	}
	return 0;
}

static int read_marks(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	(void)rule; /* the names are the marks' */
	return field_each(field, read_mark, ret, f);
}

#define TEXT(type, key_, member)                                                  \
	{                                                                         \
		.key = key_, .read = read_text, .offset = offsetof(type, member), \
		.max = sizeof(((type *)0)->member)                                \
	}
#define NEEDED(type, key_, reader, member, max_)                               \
	{                                                                      \
		.key = key_, .read = reader, .offset = offsetof(type, member), \
		.is_required = true, .max = max_                               \
	}
#define MAYBE(type, key_, reader, member)                                     \
	{                                                                     \
		.key = key_, .read = reader, .offset = offsetof(type, member) \
	}

static const struct rule failure_rows[] = {
	NEEDED(struct failure, "stage", read_stage, stage, 0),
	NEEDED(struct failure, "code", field_int, code, 255),
	NEEDED(struct failure, "errno", field_int, err, 4095),
	TEXT(struct failure, "field", field),
	TEXT(struct failure, "path", path),
	TEXT(struct failure, "op", op),
	TEXT(struct failure, "why", why),
};
RULES(failure_rules, failure_rows);

#define ALL(type)                               \
	{                                       \
		.key = "type", .read = read_any \
	}

/* The type has been read already. */
static int read_any(const struct field *field, const struct rule *rule, void *ret,
		    struct failure *f)
{
	(void)field;
	(void)rule;
	(void)ret;
	(void)f;
	return 0;
}

static const struct rule exit_rows[] = {
	ALL(type),
	NEEDED(struct exit_record, "phase", read_phase, phase, 0),
	NEEDED(struct exit_record, "code", field_int, code, 255),
	NEEDED(struct exit_record, "signal", field_int, signal, 64),
	MAYBE(struct exit_record, "coreDumped", field_bool, core_dumped),
	MAYBE(struct exit_record, "oomKilled", field_bool, oom_killed),
	{.key = "failure",
	 .read = field_object,
	 .offset = offsetof(struct exit_record, failure),
	 .present = offsetof(struct exit_record, has_failure),
	 .members = &failure_rules},
	MAYBE(struct exit_record, "timings", read_marks, marks),
	MAYBE(struct exit_record, "userMicroseconds", field_u64, user_us),
	MAYBE(struct exit_record, "systemMicroseconds", field_u64, system_us),
	MAYBE(struct exit_record, "maxRssBytes", field_u64, max_rss_bytes),
	MAYBE(struct exit_record, "droppedBytes", field_u64, dropped_bytes),
};
RULES(exit_rules, exit_rows);

static const struct rule hello_rows[] = {
	ALL(type),
	NEEDED(struct event, "version", field_u32, hello.version, 0),
	TEXT(struct event, "init", hello.init_version),
	MAYBE(struct event, "timings", read_marks, hello.marks),
};
RULES(hello_rules, hello_rows);

static const struct rule started_rows[] = {
	ALL(type),
	NEEDED(struct event, "pid", field_int, pid, INT32_MAX),
};
RULES(started_rules, started_rows);

static const struct rule error_rows[] = {ALL(type), TEXT(struct event, "text", text)};
RULES(error_rules, error_rows);

static const struct rule signal_rows[] = {
	ALL(type),
	{.key = "signal",
	 .read = field_int,
	 .offset = offsetof(struct request, signal),
	 .is_required = true,
	 .min = 1,
	 .max = 64},
};
RULES(signal_rules, signal_rows);

static const struct rule resize_rows[] = {
	ALL(type),
	NEEDED(struct request, "rows", field_u16, size.rows, 0),
	NEEDED(struct request, "columns", field_u16, size.columns, 0),
};
RULES(resize_rules, resize_rows);

static const struct rules *const request_rules[REQUEST__COUNT] = {
	[REQUEST_SIGNAL] = &signal_rules,
	[REQUEST_RESIZE] = &resize_rules,
};

/* A record is a member of the event, so its rules have another base. */
static const struct {
	const struct rules *rules;
	size_t offset;
} event_rules[EVENT__COUNT] = {
	[EVENT_HELLO] = {&hello_rules, 0},
	[EVENT_STARTED] = {&started_rules, 0},
	[EVENT_EXIT] = {&exit_rules, offsetof(struct event, exit)},
	[EVENT_ERROR] = {&error_rules, 0},
};

/* Finds the message's type among the names. */
static int read_type(const struct field *top, const char *const *names, unsigned count, int *ret,
		     struct failure *f)
{
	struct field type = {.up = top, .key = "type", .document = top->document};
	int number;

	type.value = json_object_get(top->value, "type");
	if (!type.value)
		return field_fail(&type, f, "must be given");
	if (field_expect(&type, 's', f))
		return -1;
	number = find_name(names, count, field_text(&type));
	if (number < 0)
		return field_fail(&type, f, "unknown message " SHOWN, field_text(&type));
	*ret = number;
	return 0;
}

/* One reading: the tree, and where in it. Members that no rule reads are ignored. */
struct reading {
	struct document document;
	struct field top;
};

static int reading_init(struct reading *ret, const char *text, size_t length, struct failure *f)
{
	struct arena *arena;

	if (length > MESSAGE_MAX_BYTES)
		return fail_err(f, 0, "", "message", "must be at most %d bytes, not %zu",
				MESSAGE_MAX_BYTES, length);
	arena = arena_create(MESSAGE_HEAP_MAX_BYTES);
	if (!arena)
		return fail_memory(f);
	if (document_load(&ret->document, arena, "message", text, length, f)) {
		arena_destroy(arena);
		return -1;
	}
	ret->top = (struct field){.value = ret->document.root, .document = &ret->document};
	return 0;
}

static int read_event(const struct field *top, struct event *ret, struct failure *f)
{
	struct event event = {.kind = EVENT__COUNT};
	int kind;

	if (read_type(top, event_names, EVENT__COUNT, &kind, f))
		return -1;
	memset(&event, 0, sizeof(event));
	event.kind = (enum event_kind)kind;
	if (field_members(top, event_rules[kind].rules, (char *)&event + event_rules[kind].offset,
			  f))
		return -1;
	*ret = event;
	return 0;
}

int event_decode(const char *text, size_t length, struct event *ret, struct failure *f)
{
	struct reading reading;
	int result;

	if (reading_init(&reading, text, length, f))
		return -1;
	result = read_event(&reading.top, ret, f);
	arena_destroy(reading.document.arena);
	return result;
}

static int read_request(const struct field *top, struct request *ret, struct failure *f)
{
	struct request request = {.signal = 0};
	int kind;

	if (read_type(top, request_names, REQUEST__COUNT, &kind, f))
		return -1;
	request.kind = (enum request_kind)kind;
	if (field_members(top, request_rules[kind], &request, f))
		return -1;
	*ret = request;
	return 0;
}

int request_decode(const char *text, size_t length, struct request *ret, struct failure *f)
{
	struct reading reading;
	int result;

	if (reading_init(&reading, text, length, f))
		return -1;
	result = read_request(&reading.top, ret, f);
	arena_destroy(reading.document.arena);
	return result;
}

int exit_record_decode(const char *text, size_t length, struct exit_record *ret, struct failure *f)
{
	struct exit_record record = {.code = 0};
	struct reading reading;
	int result;

	if (reading_init(&reading, text, length, f))
		return -1;
	result = field_members(&reading.top, &exit_rules, &record, f);
	arena_destroy(reading.document.arena);
	if (!result)
		*ret = record;
	return result;
}
