// SPDX-License-Identifier: Apache-2.0
/* The last bytes of an output, kept so that a failure can show them. */
#include "host.h"

#include <stdio.h>
#include <string.h>

void tail_add(struct tail *tail, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		tail->bytes[(tail->written + i) % TAIL_SIZE] = bytes[i];
	tail->written += length;
}

static char tail_at(const struct tail *tail, uint64_t position)
{
	return tail->bytes[position % TAIL_SIZE];
}

static uint64_t tail_begin(const struct tail *tail)
{
	return tail->written > TAIL_SIZE ? tail->written - TAIL_SIZE : 0;
}

/* Where the last `lines` lines begin, line ends at the very end not counted. */
static uint64_t find_lines(const struct tail *tail, uint64_t end, unsigned lines)
{
	uint64_t begin = tail_begin(tail);
	uint64_t position = end;

	while (position > begin) {
		if (tail_at(tail, position - 1) == '\n' && !--lines)
			break;
		position--;
	}
	return position;
}

static uint64_t trimmed_end(const struct tail *tail)
{
	uint64_t end = tail->written;

	while (end > tail_begin(tail) && strchr("\r\n ", tail_at(tail, end - 1)))
		end--;
	return end;
}

static char printable(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f ? '.' : c;
}

void tail_print(const struct tail *tail, unsigned lines, const char *prefix)
{
	uint64_t end = trimmed_end(tail);
	bool is_line_begin = true;

	if (end == tail_begin(tail))
		return;
	for (uint64_t i = find_lines(tail, end, lines); i < end; i++) {
		char c = tail_at(tail, i);

		if (c == '\r')
			continue;
		if (is_line_begin)
			fputs(prefix, stderr);
		is_line_begin = c == '\n';
		fputc(is_line_begin ? '\n' : printable(c), stderr);
	}
	fputc('\n', stderr);
}

void tail_last_line(const struct tail *tail, char *buffer, size_t size)
{
	uint64_t end = trimmed_end(tail);
	size_t length = 0;

	for (uint64_t i = find_lines(tail, end, 1); i < end && length + 1 < size; i++)
		buffer[length++] = printable(tail_at(tail, i));
	buffer[length] = '\0';
}

void tail_last_words(const struct tail *tail, const char *program, char *buffer, size_t size)
{
	size_t length = strlen(program);

	tail_last_line(tail, buffer, size);
	if (!strncmp(buffer, program, length) && !strncmp(buffer + length, ": ", 2))
		memmove(buffer, buffer + length + 2, strlen(buffer + length + 2) + 1);
}
