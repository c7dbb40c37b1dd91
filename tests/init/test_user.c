// SPDX-License-Identifier: Apache-2.0
// A user by name, from the texts of passwd and group.
#include "init/user.h"
#include "tests/t.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken:x:7\n"
			     "web:x:33:44::/srv:/bin/sh\n"
			     "7:x:70:71::/seven:/bin/sh\n"
			     "twin:x:33:99::/:/bin/sh\n"
			     "bad:x:4294967295:1::/:\n"
			     "big:x:4294967294:4294967294::/:";
static const char groups[] = "root:x:0:\n"
			     "web:x:44:\n"
			     "more:x:50:a,web\n"
			     "other:x:51:web\n"
			     "own:x:44:web\n"
			     "prefix:x:52:webx,we\n"
			     "short:x:53\n"
			     "bad:x:-1:web\n"
			     "6:x:60:";

static struct user_ids found;
static struct failure failure;

static int find(const char *words)
{
	found = (struct user_ids){.user = {.uid = 1, .gid = 1}};
	failure = (struct failure){.err = 0};
	return user_find(passwd, sizeof(passwd) - 1, groups, sizeof(groups) - 1, words, &found,
			 &failure);
}

#define CHECK_USER(words, id, group, count_)      \
	do {                                      \
		CHECK_INT(find(words), 0);        \
		CHECK_INT(found.user.uid, id);    \
		CHECK_INT(found.user.gid, group); \
		CHECK_INT(found.count, count_);   \
	} while (0)

static void names(void)
{
	CHECK_USER("web", 33, 44, 2);
	CHECK_INT(found.groups[0], 50);
	CHECK_INT(found.groups[1], 51);
	CHECK_USER("root", 0, 0, 0);
	CHECK_USER("big", 4294967294u, 4294967294u, 0);
}

static void numbers(void)
{
	CHECK_USER("33", 33, 44, 2); /* its first line's name has groups */
	CHECK_USER("1234", 1234, 0, 0);
	CHECK_USER("7", 7, 0, 0); /* a number is no name */
	CHECK_USER("4294967294", 4294967294u, 4294967294u, 0);
}

static void with_a_group(void)
{
	CHECK_USER("web:more", 33, 50, 0);
	CHECK_USER("web:77", 33, 77, 0);
	CHECK_USER("99:99", 99, 99, 0);
	CHECK_USER("web:6", 33, 6, 0);
	CHECK_USER("web:short", 33, 53, 0);
}

static void refused(void)
{
	static const char *const words[] = {"nobody", "we",         "webx",       "broken", "bad",
					    "-1",     "4294967295", "4294967296", "0x1",    " web",
					    "1x",     "WEB",        "12345678901"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		CHECK_INT(find(words[i]), -1);
		CHECK_STR(failure.path, "/etc/passwd");
		CHECK_INT(found.user.uid, 1); /* untouched */
	}
	CHECK_INT(find("web:nix"), -1);
	CHECK_STR(failure.path, "/etc/group");
	CHECK_STR(failure.why, "has no group nix");
	CHECK_INT(find("web:bad"), -1);
}

static void no_files(void)
{
	struct user_ids ids = {.count = 0};
	struct failure f = {0};

	CHECK_INT(user_find("", 0, "", 0, "5", &ids, &f), 0);
	CHECK_INT(ids.user.uid, 5);
	CHECK_INT(user_find("", 0, "", 0, "five", &ids, &f), -1);
}

static void many_groups(void)
{
	static char text[USER_GROUPS_MAX * 32];
	struct failure f = {0};
	size_t length = 0;

	for (unsigned i = 0; i < USER_GROUPS_MAX + 9; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "g%u:x:%u:web\n",
					   i, i + 1000);
	CHECK_INT(user_find(passwd, sizeof(passwd) - 1, text, length, "web", &found, &f), 0);
	CHECK_INT(found.count, USER_GROUPS_MAX);
}

static const struct t_case cases[] = {
	{"names", names},           {"numbers", numbers},   {"with-a-group", with_a_group},
	{"refused-names", refused}, {"no-files", no_files}, {"many-groups", many_groups},
};

T_MAIN("init-user-name", cases)
