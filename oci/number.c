// SPDX-License-Identifier: Apache-2.0
/* number = [ "-" ] int [ "." digits ] [ ("e" / "E") [ "+" / "-" ] digits ] */
#include "number.h"

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

/* Length of the fraction and the exponent that text begins with. */
static size_t scan_tail(const char *text, size_t length)
{
	size_t at = 0;
	size_t sign;

	if (length > 1 && text[0] == '.' && is_digit(text[1]))
		at = 1 + digits(text + 1, length - 1);
	if (length - at < 2 || (text[at] != 'e' && text[at] != 'E'))
		return at;
	sign = text[at + 1] == '+' || text[at + 1] == '-';
	if (length - at - 1 - sign == 0 || !is_digit(text[at + 1 + sign]))
		return at;
	return at + 1 + sign + digits(text + at + 1 + sign, length - at - 1 - sign);
}

/* The value of digits; false: 2^64 or more. */
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

struct number number_scan(const char *text, size_t length)
{
	struct number number = {.kind = NUMBER_NONE};
	size_t sign = length && text[0] == '-';
	size_t whole = digits(text + sign, length - sign);
	size_t tail;
	uint64_t value;

	if (!whole || (whole > 1 && text[sign] == '0'))
		return number;
	tail = scan_tail(text + sign + whole, length - sign - whole);
	number.length = sign + whole + tail;
	number.kind = NUMBER_OTHER;
	if (tail || !read_digits(text + sign, whole, &value))
		return number;
	if (value <= (uint64_t)INT64_MAX + sign) {
		number.kind = NUMBER_INT64;
		number.small = (int64_t)(sign ? 0 - value : value);
	} else if (!sign) {
		number.kind = NUMBER_UINT64;
		number.big = value;
	}
	return number;
}
