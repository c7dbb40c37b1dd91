// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as an image's passwd file, the first line being the user that is looked for. Beside the
 * parser stands one that cuts the text with strsep(3), line by line and field by field.
 */
#include <stdio.h>

#include "fuzz.h"
#include "init/spawn.h"

#define UNTOUCHED '?'

/* The home that one line gives to this user; NULL: none. */
static const char *slow_line(char *line, size_t length, const char *uid)
{
	char *fields[6] = {NULL};
	bool has_nul = strlen(line) < length;
	size_t count = 0;

	/* No byte that matters may be a NUL, but what stands behind the home may. */
	for (size_t i = 0; i < length; i++)
		line[i] = line[i] ? line[i] : '\1';
	while (count < 6 && (fields[count] = strsep(&line, ":")))
		count++;
	if (count < 6 || strlen(fields[2]) > 10 ||
	    strspn(fields[2], "0123456789") != strlen(fields[2]))
		return NULL;
	fields[2] += strspn(fields[2], "0") -
		     (strspn(fields[2], "0") == strlen(fields[2]) && fields[2][0]);
	if (strcmp(fields[2], uid) != 0 || strlen(fields[5]) >= LOOKUP_HOME_MAX)
		return NULL;
	if (has_nul && strchr(fields[5], '\1'))
		return NULL;
	return fields[5][0] ? fields[5] : "/";
}

static const char *slow_home(char *text, size_t length, const char *uid)
{
	char *end = text + length;

	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *stop = newline ? newline : end;
		const char *home;

		*stop = '\0';
		home = slow_line(text, (size_t)(stop - text), uid);
		if (home)
			return home;
		text = stop + 1;
	}
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char home[LOOKUP_HOME_MAX], word[16] = "", *text, *slow;
	const uint8_t *newline = memchr(data, '\n', size);
	const char *expected;
	uint32_t uid;
	bool is_found;

	if (!newline || newline - data > 10 || memchr(data, '\1', size))
		return 0;
	memcpy(word, data, (size_t)(newline - data));
	uid = (uint32_t)strtoull(word, NULL, 10);
	snprintf(word, sizeof(word), "%u", uid);
	size -= (size_t)(newline + 1 - data);
	text = exact_copy(newline + 1, size);
	slow = malloc(size + 1);
	memcpy(slow, text, size);
	memset(home, UNTOUCHED, sizeof(home));
	is_found = passwd_home(text, size, uid, home);
	expected = slow_home(slow, size, word);
	require(is_found == (expected != NULL));
	if (is_found)
		require(strnlen(home, sizeof(home)) < sizeof(home) && strcmp(home, expected) == 0);
	for (size_t i = 0; !is_found && i < sizeof(home); i++)
		require(home[i] == UNTOUCHED);
	free(slow);
	free(text);
	return 0;
}
