// SPDX-License-Identifier: Apache-2.0
/* The failure record and its line. */
#include <smk/fail.h>

#include <errno.h>
#include <stdlib.h>

#include "tests/t.h"

static void formats_a_system_call(void)
{
	struct failure f = {.stage = STAGE_NONE};
	char line[FAIL_LINE_MAX];

	errno = ENOENT;
	CHECK_INT(fail_sys(&f, "mount(virtiofs)", "/newroot/data"), -1);
	CHECK_INT(fail_at(&f, STAGE_APPLY, "/mounts/2/source"), -1);
	fail_format(&f, line);
	CHECK_STR(line, "init-oci: fatal: apply: /mounts/2/source: /newroot/data: mount(virtiofs): "
			"No such file or directory (errno 2)");
}

static void formats_a_configuration_error(void)
{
	struct failure f = {.stage = STAGE_NONE};
	char line[FAIL_LINE_MAX];

	fail_config(&f, "/process/cwd", "must be %d", 5);
	fail_at(&f, STAGE_PARSE, NULL);
	fail_format(&f, line);
	CHECK_STR(line, "init-oci: fatal: parse: /process/cwd: must be 5");
}

static void formats_words_before_the_error(void)
{
	struct failure f = {.stage = STAGE_SPAWN};
	char line[FAIL_LINE_MAX];

	fail_err(&f, EACCES, "execve", "/bin/x", "is a %s", "directory");
	fail_format(&f, line);
	CHECK_STR(line, "init-oci: fatal: spawn: /bin/x: execve: is a directory: Permission denied "
			"(errno 13)");
}

static void first_failure_wins(void)
{
	struct failure f = {.stage = STAGE_NONE};

	errno = EIO;
	fail_sys(&f, "read", "/a");
	errno = ENOENT;
	fail_sys(&f, "open", "/b");
	fail_config(&f, "/c", "no");
	fail_err(&f, EPERM, "x", "/d", "no");
	CHECK_INT(f.err, EIO);
	CHECK_STR(f.op, "read");
	CHECK_STR(f.path, "/a");
	CHECK_STR(f.why, "");
	CHECK_STR(f.field, "");
	fail_at(&f, STAGE_APPLY, "/e");
	fail_at(&f, STAGE_REPORT, "/f");
	CHECK_INT(f.stage, STAGE_APPLY);
	CHECK_STR(f.field, "/e");
}

static void codes(void)
{
	struct failure f = {.stage = STAGE_NONE};

	CHECK_INT(fail_exit_code(&f), 125);
	CHECK_INT(fail_code(&f, SMK_EXIT_NOT_FOUND), -1);
	fail_code(&f, SMK_EXIT_CANNOT_RUN);
	CHECK_INT(fail_exit_code(&f), 127);
}

static void long_texts_keep_their_end(void)
{
	struct failure f = {.stage = STAGE_NONE};
	char path[400];

	memset(path, 'p', sizeof(path));
	strcpy(path + sizeof(path) - 5, "/end");
	fail_err(&f, EIO, "open", path, "w");
	CHECK_INT(strlen(f.path), sizeof(f.path) - 1);
	CHECK(strncmp(f.path, "...p", 4) == 0);
	CHECK_STR(f.path + sizeof(f.path) - 5, "/end");
}

static void control_characters_are_escaped(void)
{
	struct failure f = {.stage = STAGE_NONE};
	char line[FAIL_LINE_MAX];

	fail_err(&f, 0, "", "a\nb\x1b\x7f", "%s", "ü");
	fail_format(&f, line);
	CHECK_STR(line, "init-oci: fatal: unknown: a\\x0ab\\x1b\\x7f: ü");
}

static void the_longest_line_fits(void)
{
	struct failure f = {.stage = STAGE_SUPERVISE, .err = ENOENT};
	char line[FAIL_LINE_MAX + 1];

	line[FAIL_LINE_MAX] = 'G';
	memset(f.field, 1, sizeof(f.field) - 1);
	memset(f.path, 1, sizeof(f.path) - 1);
	memset(f.op, 1, sizeof(f.op) - 1);
	memset(f.why, 1, sizeof(f.why) - 1);
	fail_format(&f, line);
	CHECK(strlen(line) < FAIL_LINE_MAX);
	CHECK_INT(line[FAIL_LINE_MAX], 'G');
	memset(f.field, 'f', sizeof(f.field) - 1);
	memset(f.path, 'p', sizeof(f.path) - 1);
	memset(f.op, 'o', sizeof(f.op) - 1);
	memset(f.why, 'w', sizeof(f.why) - 1);
	fail_format(&f, line);
	CHECK(strstr(line, "(errno 2)") != NULL);
}

static void stages_have_names(void)
{
	for (int i = 1; i < STAGE__COUNT; i++)
		CHECK(strcmp(stage_name((enum stage)i), stage_name(STAGE_NONE)) != 0);
	CHECK_STR(stage_name((enum stage)99), "unknown");
	CHECK_STR(stage_name(STAGE_DISCOVER), "discover");
}

static const struct t_case cases[] = {
	{"formats a system call", formats_a_system_call},
	{"formats a configuration error", formats_a_configuration_error},
	{"formats words before the error", formats_words_before_the_error},
	{"first failure wins", first_failure_wins},
	{"codes", codes},
	{"long texts keep their end", long_texts_keep_their_end},
	{"control characters are escaped", control_characters_are_escaped},
	{"the longest line fits", the_longest_line_fits},
	{"stages have names", stages_have_names},
};
T_MAIN("fail", cases)
