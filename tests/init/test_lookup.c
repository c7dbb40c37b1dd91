// SPDX-License-Identifier: Apache-2.0
// The home directory in a passwd file, and variables of an environment.
#include "init/spawn.h"
#include "tests/t.h"

static const char *home(const char *text, size_t length, uint32_t uid)
{
	static char found[LOOKUP_HOME_MAX];

	return passwd_home(text, length, uid, found) ? found : NULL;
}

#define HOME(text, uid) home(text, sizeof(text) - 1, uid)

static void ordinary(void)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
				   "user:x:1000:100::/home/user:/bin/sh\n"
				   "last:x:4294967294:1::/last:";

	CHECK_STR(HOME(text, 0), "/root");
	CHECK_STR(HOME(text, 1000), "/home/user");
	CHECK_STR(HOME(text, 4294967294u), "/last");
	CHECK(HOME(text, 1) == NULL);
	CHECK(HOME(text, 100) == NULL);
}

static void the_first_line_wins(void)
{
	CHECK_STR(HOME("a:x:5:5::/a:\nb:x:5:5::/b:\n", 5), "/a");
}

static void odd_lines(void)
{
	CHECK(HOME("", 0) == NULL);
	CHECK(HOME("\n\n:\n::\n:::::\n", 0) == NULL);
	CHECK(HOME("root:x:0:0:root\n", 0) == NULL);          /* too few fields */
	CHECK_STR(HOME("root:x:0:0:root:/root", 0), "/root"); /* no shell, no newline */
	CHECK_STR(HOME("root:x:0:0:root::/bin/sh\n", 0), "/");
	CHECK(HOME("a:x: 0:0::/a:\na:x:0x0:0::/a:\na:x:-0:0::/a:\na:x::0::/a:\n", 0) == NULL);
	CHECK(HOME("a:x:4294967296:0::/a:\n", 0) == NULL); /* 2^32 is not 0 */
	CHECK(HOME("a:x:18446744073709551616:0::/a:\n", 0) == NULL);
	CHECK(HOME("a:x:0:0::/a\0b:\n", 0) == NULL);
}

static void a_home_that_does_not_fit(void)
{
	char text[LOOKUP_HOME_MAX + 64] = "a:x:0:0::/";
	size_t begin = strlen(text) - 1;

	memset(text + begin + 1, 'h', LOOKUP_HOME_MAX - 1);
	strcpy(text + begin + LOOKUP_HOME_MAX, ":\n");
	CHECK(home(text, strlen(text), 0) == NULL);
	strcpy(text + begin + LOOKUP_HOME_MAX - 1, ":\n");
	CHECK_INT(strlen(home(text, strlen(text), 0)), LOOKUP_HOME_MAX - 1);
}

static void environments(void)
{
	static const char *const strings[] = {"PATHS=/wrong", "PATH",  "PATH=/bin",
					      "PATH=/second", "HOME=", NULL};

	char *const *env = (char *const *)strings; /* the type of execve's argument */

	CHECK_STR(lookup_env(env, "PATH"), "/bin");
	CHECK_STR(lookup_env(env, "HOME"), "");
	CHECK(lookup_env(env, "PAT") == NULL);
}

static const struct t_case cases[] = {
	{"ordinary", ordinary},         {"the-first-line-wins", the_first_line_wins},
	{"odd-lines", odd_lines},       {"a-home-that-does-not-fit", a_home_that_does_not_fit},
	{"environments", environments},
};

T_MAIN("init-lookup", cases)
