// SPDX-License-Identifier: Apache-2.0
/*
 * A first look at JSON text, before jansson's.
 *
 * jansson holds integers as int64_t and refuses larger ones, but OCI has uint64 fields, and
 * RLIM_INFINITY is written as 18446744073709551615 by every tool. So numbers are respelled in a
 * copy of the same length, which keeps jansson's line and column right:
 *
 *   the n-th integer from 2^63 to 2^64-1   a negative real, "-n.000..."
 *   an integer beyond either end           a positive real: a number, but no integer
 *   a negative real                        a positive one: no field takes reals
 *
 * A negative real in jansson's tree is therefore always one of ours. Only tokens that are numbers
 * by JSON's grammar are touched: all else is jansson's to refuse.
 */
#include "document.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct lexer {
	const char *name;
	const char *bytes;
	size_t length;
	size_t depth;
	char *copy; /* NULL while nothing had to be respelled */
	uint64_t *big;
	size_t big_count;
	struct document *document;
};

struct number {
	size_t length; /* of the token; 0: no number */
	bool is_negative;
	bool is_real;
};

int fail_memory(struct failure *f)
{
	return fail_err(f, 0, "", "", "more memory is needed than it may use");
}

static int fail_text(const struct lexer *lexer, size_t at, const char *why, struct failure *f)
{
	char place[64];
	size_t line = 1;
	size_t column = 1;

	for (size_t i = 0; i < at; i++) {
		if (lexer->bytes[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)lexer->bytes[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	snprintf(place, sizeof(place), "%s:%zu:%zu", lexer->name, line, column);
	return fail_err(f, 0, "", place, "%s", why);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && is_digit(text[n]))
		n++;
	return n;
}

/* number = [ "-" ] int [ "." digits ] [ ("e" / "E") [ "+" / "-" ] digits ] */
static struct number scan_number(const char *text, size_t length)
{
	struct number number = {.is_negative = text[0] == '-'};
	size_t at = number.is_negative;
	size_t whole = digits(text + at, length - at);

	if (!whole || (whole > 1 && text[at] == '0'))
		return number;
	at += whole;
	if (at + 1 < length && text[at] == '.' && is_digit(text[at + 1])) {
		number.is_real = true;
		at += 1 + digits(text + at + 1, length - at - 1);
	}
	if (at + 1 < length && (text[at] == 'e' || text[at] == 'E')) {
		size_t sign = text[at + 1] == '+' || text[at + 1] == '-';
		size_t exponent = digits(text + at + 1 + sign, length - at - 1 - sign);

		if (exponent) {
			number.is_real = true;
			at += 1 + sign + exponent;
		}
	}
	number.length = at;
	return number;
}

static char *copy_text(struct lexer *lexer)
{
	if (lexer->copy)
		return lexer->copy;
	lexer->copy = arena_alloc(lexer->document->arena, lexer->length);
	if (lexer->copy)
		memcpy(lexer->copy, lexer->bytes, lexer->length);
	return lexer->copy;
}

/* Remembers a big integer; its index, from 1, or 0 when there is no memory. */
static size_t add_big(struct lexer *lexer, uint64_t value)
{
	size_t count = lexer->big_count;

	if (!(count & (count - 1))) {
		size_t room = count ? 2 * count : 1;
		uint64_t *grown = arena_alloc(lexer->document->arena, room * sizeof(*grown));

		if (!grown)
			return 0;
		if (count)
			memcpy(grown, lexer->big, count * sizeof(*grown));
		lexer->big = grown;
	}
	lexer->big[lexer->big_count++] = value;
	return lexer->big_count;
}

/* The value of an integer without sign; false: 2^64 or more. */
static bool read_digits(const char *text, size_t length, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

/* Writes "-n.000" (n given) or "1e0000" over a token of at least 19 bytes. */
static int respell(struct lexer *lexer, size_t at, size_t length, size_t n, struct failure *f)
{
	char *text = copy_text(lexer);
	char head[32];
	int used;

	if (!text)
		return fail_memory(f);
	used = n ? snprintf(head, sizeof(head), "-%zu.", n) : snprintf(head, sizeof(head), "1e");
	memset(text + at, '0', length);
	memcpy(text + at, head, (size_t)used);
	return 0;
}

static int check_number(struct lexer *lexer, size_t at, struct number number, struct failure *f)
{
	const char *text = lexer->bytes + at;
	uint64_t value;
	size_t n;

	if (number.is_real && number.is_negative) {
		if (!copy_text(lexer))
			return fail_memory(f);
		lexer->copy[at] = ' ';
	}
	if (number.is_real || number.length < 19)
		return 0;
	if (!read_digits(text + number.is_negative, number.length - number.is_negative, &value))
		return respell(lexer, at, number.length, 0, f);
	if (number.is_negative)
		return value > (uint64_t)INT64_MAX + 1 ? respell(lexer, at, number.length, 0, f)
						       : 0;
	if (value <= INT64_MAX)
		return 0;
	n = add_big(lexer, value);
	return n ? respell(lexer, at, number.length, n, f) : fail_memory(f);
}

/* The offset after the string that begins at a quote. */
static size_t skip_string(const struct lexer *lexer, size_t at)
{
	for (at++; at < lexer->length && lexer->bytes[at] != '"'; at++)
		at += lexer->bytes[at] == '\\';
	return at + 1;
}

static int scan(struct lexer *lexer, struct failure *f)
{
	size_t at = 0;

	while (at < lexer->length) {
		char c = lexer->bytes[at];

		if (c == '"') {
			at = skip_string(lexer, at);
			continue;
		}
		if (is_digit(c) || c == '-') {
			struct number number = scan_number(lexer->bytes + at, lexer->length - at);

			if (number.length && check_number(lexer, at, number, f))
				return -1;
			at += number.length ? number.length : 1;
			continue;
		}
		if (c == '{' || c == '[') {
			if (++lexer->depth > DOCUMENT_DEPTH_MAX)
				return fail_text(lexer, at, "nested too deeply", f);
		} else if ((c == '}' || c == ']') && lexer->depth) {
			lexer->depth--;
		}
		at++;
	}
	return 0;
}

int lex_prepare(struct document *document, const char *name, const char *bytes, size_t length,
		const char **ret_text, struct failure *f)
{
	struct lexer lexer = {.name = name, .bytes = bytes, .length = length, .document = document};
	const char *nul = length ? memchr(bytes, 0, length) : NULL;

	if (nul)
		return fail_text(&lexer, (size_t)(nul - bytes), "a NUL byte", f);
	if (scan(&lexer, f))
		return -1;
	document->big = lexer.big;
	document->big_count = lexer.big_count;
	*ret_text = lexer.copy ? lexer.copy : bytes;
	return 0;
}
