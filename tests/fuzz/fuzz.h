// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets have in common: bytes to decide by, and what holds of every failure.
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <smk/fail.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

/* A copy of exactly this size, so that a read behind it is seen. */
static inline void *exact_copy(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	require(copy != NULL);
	memcpy(copy, bytes, size);
	return copy;
}

/* The input as a string: up to its first NUL. */
static inline char *exact_string(const uint8_t *data, size_t size)
{
	size_t length = strnlen((const char *)data, size);
	char *text = malloc(length + 1);

	require(text != NULL);
	memcpy(text, data, length);
	text[length] = '\0';
	return text;
}

/* Bytes that choices are made of; zeros when there are no more. */
struct choices {
	const uint8_t *at;
	const uint8_t *end;
};

static inline uint8_t choose(struct choices *c)
{
	return c->at < c->end ? *c->at++ : 0;
}

static inline uint64_t choose_number(struct choices *c, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | choose(c);
	return value;
}

static inline void require_printable(const char *text)
{
	for (; *text; text++)
		require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

/* A failure says something, in one line without control characters. */
static inline void require_failure(const struct failure *f)
{
	char line[FAIL_LINE_MAX];

	require(f->why[0] || f->err);
	require(memchr(f->field, 0, sizeof(f->field)) && memchr(f->path, 0, sizeof(f->path)) &&
		memchr(f->op, 0, sizeof(f->op)) && memchr(f->why, 0, sizeof(f->why)));
	require(fail_exit_code(f) >= SMK_EXIT_SETUP && fail_exit_code(f) <= SMK_EXIT_NOT_FOUND);
	memset(line, 'x', sizeof(line));
	fail_format(f, line);
	require(memchr(line, 0, sizeof(line)) != NULL);
	require(strncmp(line, "init-oci: fatal: ", 17) == 0);
	require_printable(line);
}

static inline void require_no_failure(const struct failure *f)
{
	require(f->stage == STAGE_NONE && !f->code && !f->err && !f->field[0] && !f->why[0]);
}

#endif
