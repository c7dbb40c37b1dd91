// SPDX-License-Identifier: Apache-2.0
/* Small pure helpers of oci/: the JSON writer, numbers, UTF-8. */
#include <jansson.h>
#include <stdlib.h>

#include "oci/number.h"
#include "oci/utf8.h"
#include "oci/writer.h"
#include "tests/t.h"

static void writes_nested_values(void)
{
	char text[128];
	struct writer writer = {.text = text, .size = sizeof(text)};

	write_open(&writer, NULL, '{');
	write_string(&writer, "a", "b");
	write_open(&writer, "c", '[');
	write_int(&writer, NULL, INT64_MIN);
	write_uint(&writer, NULL, UINT64_MAX);
	write_open(&writer, NULL, '{');
	write_close(&writer, '}');
	write_bool(&writer, NULL, false);
	write_close(&writer, ']');
	write_bool(&writer, "d", true);
	write_close(&writer, '}');
	CHECK_INT(write_finish(&writer), strlen(text));
	CHECK_STR(text, "{\"a\":\"b\",\"c\":[-9223372036854775808,18446744073709551615,{},false],"
			"\"d\":true}");
}

/* Every pair of bytes, within other text: always JSON, and valid text comes back as it was. */
static void any_bytes_become_json(void)
{
	for (unsigned first = 1; first < 256; first++) {
		for (unsigned second = 1; second < 256; second++) {
			char raw[] = {'<', (char)first, (char)second, '>', '\0'};
			bool is_text = utf8_length(raw + 1, 1) == 1 ? utf8_length(raw + 2, 1) == 1
								    : utf8_length(raw + 1, 2) == 2;
			char text[64];
			struct writer writer = {.text = text, .size = sizeof(text)};
			json_t *back;

			write_string(&writer, NULL, raw);
			write_finish(&writer);
			back = json_loads(text, JSON_DECODE_ANY, NULL);
			CHECK(back != NULL);
			if (back && is_text)
				CHECK_STR(json_string_value(back), raw);
			else if (back)
				CHECK(strstr(json_string_value(back), "\xef\xbf\xbd") != NULL);
			json_decref(back);
		}
	}
}

static void counts_what_does_not_fit(void)
{
	char text[8] = "ZZZZZZZ";
	struct writer writer = {.text = text, .size = 4};

	write_string(&writer, NULL, "abcdef");
	CHECK_INT(write_finish(&writer), 8);
	CHECK_STR(text, "\"ab");
	CHECK_INT(text[4], 'Z');
}

static void scans_numbers(void)
{
	static const struct {
		const char *text;
		enum number_kind kind;
		size_t length;
		int64_t small;
		uint64_t big;
	} rows[] = {
		{"0", NUMBER_INT64, 1, 0, 0},
		{"-0", NUMBER_INT64, 2, 0, 0},
		{"42]", NUMBER_INT64, 2, 42, 0},
		{"9223372036854775807", NUMBER_INT64, 19, INT64_MAX, 0},
		{"-9223372036854775808", NUMBER_INT64, 20, INT64_MIN, 0},
		{"-9223372036854775809", NUMBER_OTHER, 20, 0, 0},
		{"9223372036854775808", NUMBER_UINT64, 19, 0, (uint64_t)INT64_MAX + 1},
		{"18446744073709551615", NUMBER_UINT64, 20, 0, UINT64_MAX},
		{"18446744073709551616", NUMBER_OTHER, 20, 0, 0},
		{"99999999999999999999999", NUMBER_OTHER, 23, 0, 0},
		{"1.0", NUMBER_OTHER, 3, 0, 0},
		{"1E3,", NUMBER_OTHER, 3, 0, 0},
		{"1e+", NUMBER_INT64, 1, 1, 0},
		{"1e-5", NUMBER_OTHER, 4, 0, 0},
		{"1.", NUMBER_INT64, 1, 1, 0},
		{"1.5e", NUMBER_OTHER, 3, 0, 0},
		{"01", NUMBER_NONE, 0, 0, 0},
		{"-", NUMBER_NONE, 0, 0, 0},
		{"-a", NUMBER_NONE, 0, 0, 0},
		{"", NUMBER_NONE, 0, 0, 0},
		{"+1", NUMBER_NONE, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct number number = number_scan(rows[i].text, strlen(rows[i].text));

		CHECK_INT(number.kind, rows[i].kind);
		CHECK_INT(number.length, rows[i].length);
		CHECK_INT(number.small, rows[i].small);
		CHECK(number.big == rows[i].big);
	}
}

/* The length says where the text ends, not a terminator. */
static void numbers_stop_at_the_end(void)
{
	CHECK_INT(number_scan("123", 2).small, 12);
	CHECK_INT(number_scan("1.5", 2).kind, NUMBER_INT64);
	CHECK_INT(number_scan("1e5", 2).kind, NUMBER_INT64);
	CHECK_INT(number_scan("1e-5", 3).kind, NUMBER_INT64);
	CHECK_INT(number_scan("-5", 1).kind, NUMBER_NONE);
}

static void knows_utf8(void)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{"a", 1},
		{"\x7f", 1},
		{"\xc2\x80", 2},
		{"\xdf\xbf", 2},
		{"\xe0\xa0\x80", 3},
		{"\xed\x9f\xbf", 3},
		{"\xee\x80\x80", 3},
		{"\xf0\x90\x80\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\x80", 0},
		{"\xbf", 0},
		{"\xc1\xbf", 0},
		{"\xc2", 0},
		{"\xc2\x41", 0},
		{"\xe0\x9f\xbf", 0},
		{"\xed\xa0\x80", 0},
		{"\xe1\x80", 0},
		{"\xf0\x8f\xbf\xbf", 0},
		{"\xf4\x90\x80\x80", 0},
		{"\xf5\x80\x80\x80", 0},
		{"\xf1\x80\x80\xc0", 0},
		{"\xff", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(utf8_length(rows[i].text, strlen(rows[i].text)), rows[i].length);
	CHECK_INT(utf8_length("\xc2\x80", 1), 0);
	CHECK_INT(utf8_length("a", 0), 0);
}

static const struct t_case cases[] = {
	{"writes nested values", writes_nested_values},
	{"any bytes become JSON", any_bytes_become_json},
	{"counts what does not fit", counts_what_does_not_fit},
	{"scans numbers", scans_numbers},
	{"numbers stop at the end", numbers_stop_at_the_end},
	{"knows UTF-8", knows_utf8},
};
T_MAIN("text", cases)
