// SPDX-License-Identifier: Apache-2.0
// JSON on standard output.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/probe/probe.h"

static bool needs_comma;

/* Bytes that are no ASCII text come out as \u00XX, whatever they were: the reader gets Latin-1. */
static void put_string(const char *text, size_t length)
{
	putchar('"');
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_key(const char *key)
{
	if (needs_comma)
		putchar(',');
	needs_comma = true;
	if (key) {
		put_string(key, strlen(key));
		putchar(':');
	}
}

void json_open(const char *key, char bracket)
{
	put_key(key);
	putchar(bracket);
	needs_comma = false;
}

void json_close(char bracket)
{
	putchar(bracket);
	needs_comma = true;
}

void json_bytes(const char *key, const char *value, size_t length)
{
	put_key(key);
	if (value)
		put_string(value, length);
	else
		fputs("null", stdout);
}

void json_text(const char *key, const char *value)
{
	json_bytes(key, value, value ? strlen(value) : 0);
}

void json_number(const char *key, uint64_t value)
{
	put_key(key);
	printf("%llu", (unsigned long long)value);
}

void json_signed(const char *key, int64_t value)
{
	put_key(key);
	printf("%lld", (long long)value);
}
