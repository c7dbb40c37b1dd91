// SPDX-License-Identifier: Apache-2.0
/* The failure record: filled by the first failure, completed by callers, printed as one line. */
#include <smk/fail.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const stage_names[] = {
	[STAGE_NONE] = "unknown", [STAGE_BOOTARGS] = "bootargs",   [STAGE_DISCOVER] = "discover",
	[STAGE_PARSE] = "parse",  [STAGE_PLAN] = "plan",           [STAGE_APPLY] = "apply",
	[STAGE_SPAWN] = "spawn",  [STAGE_SUPERVISE] = "supervise", [STAGE_REPORT] = "report",
};
_Static_assert(sizeof(stage_names) / sizeof(stage_names[0]) == STAGE__COUNT,
	       "a name for each stage");

const char *stage_name(enum stage stage)
{
	return (unsigned)stage < STAGE__COUNT ? stage_names[stage] : stage_names[STAGE_NONE];
}

static bool is_recorded(const struct failure *f)
{
	return f->err || f->op[0] || f->why[0];
}

/* Keeps the end of a text that is too long: it says more than the beginning. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t length = from ? strlen(from) : 0;

	if (length < size) {
		memcpy(to, length ? from : "", length);
		to[length] = '\0';
		return;
	}
	memcpy(to, "...", 3);
	memcpy(to + 3, from + length - (size - 4), size - 4);
	to[size - 1] = '\0';
}

int fail_sys(struct failure *f, const char *op, const char *path)
{
	int err = errno;

	if (is_recorded(f))
		return -1;
	f->err = err;
	copy_text(f->op, sizeof(f->op), op);
	copy_text(f->path, sizeof(f->path), path);
	return -1;
}

int fail_err(struct failure *f, int err, const char *op, const char *path, const char *fmt, ...)
{
	va_list args;

	if (is_recorded(f))
		return -1;
	f->err = err;
	copy_text(f->op, sizeof(f->op), op);
	copy_text(f->path, sizeof(f->path), path);
	va_start(args, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, args);
	va_end(args);
	return -1;
}

int fail_config(struct failure *f, const char *field, const char *fmt, ...)
{
	va_list args;

	if (is_recorded(f))
		return -1;
	copy_text(f->field, sizeof(f->field), field);
	va_start(args, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, args);
	va_end(args);
	return -1;
}

int fail_at(struct failure *f, enum stage stage, const char *field)
{
	if (f->stage == STAGE_NONE)
		f->stage = stage;
	if (!f->field[0])
		copy_text(f->field, sizeof(f->field), field);
	return -1;
}

int fail_code(struct failure *f, enum smk_exit_code code)
{
	if (!f->code)
		f->code = (int)code;
	return -1;
}

int fail_exit_code(const struct failure *f)
{
	return f->code ? f->code : SMK_EXIT_SETUP;
}

/* Where the line is being written; what does not fit is dropped. */
struct line {
	char *text;
	size_t used;
};

static void line_add(struct line *line, const char *bytes, size_t length)
{
	if (length > FAIL_LINE_MAX - 1 - line->used)
		return;
	memcpy(line->text + line->used, bytes, length);
	line->used += length;
}

/* Adds ": " and the text, its control characters as \xHH: a name cannot forge a second line. */
static void line_part(struct line *line, const char *text)
{
	char escaped[5];

	if (!text[0])
		return;
	line_add(line, ": ", 2);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte != 0x7f) {
			line_add(line, text, 1);
			continue;
		}
		snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
		line_add(line, escaped, 4);
	}
}

void fail_format(const struct failure *f, char buf[static FAIL_LINE_MAX])
{
	static const char prefix[] = "init-oci: fatal";
	struct line line = {.text = buf};
	char words[128];

	line_add(&line, prefix, sizeof(prefix) - 1);
	line_part(&line, stage_name(f->stage));
	line_part(&line, f->field);
	line_part(&line, f->path);
	line_part(&line, f->op);
	line_part(&line, f->why);
	if (f->err) {
		snprintf(words, sizeof(words), "%s (errno %d)", strerror(f->err), f->err);
		line_part(&line, words);
	}
	buf[line.used] = '\0';
}
