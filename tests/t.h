// SPDX-License-Identifier: Apache-2.0
/*
 * The unit-test harness: a test is a function in a table, CHECK() records the first thing that is
 * not so, and each test prints one line, "ok NAME" or "not ok NAME: file:line: what".
 */
#ifndef TESTS_T_H
#define TESTS_T_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct t_case {
	const char *name;
	void (*run)(void);
};

static char t_why[512];

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition) && !t_why[0])                                          \
			snprintf(t_why, sizeof(t_why), "%s:%d: %s", __FILE__, __LINE__, \
				 #condition);                                           \
	} while (0)

#define CHECK_INT(got, want)                                                                    \
	do {                                                                                    \
		long long t_got = (long long)(got), t_want = (long long)(want);                 \
		if (t_got != t_want && !t_why[0])                                               \
			snprintf(t_why, sizeof(t_why), "%s:%d: %s is %lld, not %lld", __FILE__, \
				 __LINE__, #got, t_got, t_want);                                \
	} while (0)

#define CHECK_STR(got, want)                                                                      \
	do {                                                                                      \
		const char *t_got = (got), *t_want = (want);                                      \
		if ((!t_got || strcmp(t_got, t_want)) && !t_why[0])                               \
			snprintf(t_why, sizeof(t_why), "%s:%d: %s is \"%.160s\", not \"%.160s\"", \
				 __FILE__, __LINE__, #got, t_got ? t_got : "(null)", t_want);     \
	} while (0)

static inline int t_run(const char *suite, const struct t_case *cases, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++) {
		t_why[0] = '\0';
		cases[i].run();
		if (t_why[0])
			printf("not ok %s/%s: %s\n", suite, cases[i].name, t_why);
		else
			printf("ok %s/%s\n", suite, cases[i].name);
		fflush(stdout);
		failed += t_why[0] != '\0';
	}
	return failed ? 1 : 0;
}

#define T_MAIN(suite, cases)                                                    \
	int main(void)                                                          \
	{                                                                       \
		return t_run(suite, cases, sizeof(cases) / sizeof((cases)[0])); \
	}

#endif
