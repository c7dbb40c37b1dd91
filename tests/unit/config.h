// SPDX-License-Identifier: Apache-2.0
/* What tests of parsed configurations share: the least process, and a parse that has to work. */
#ifndef TESTS_UNIT_CONFIG_H
#define TESTS_UNIT_CONFIG_H

#include "oci/oci.h"
#include "tests/t.h"

#define RUN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"}"

static inline bool parse(const char *text, struct oci_spec *spec)
{
	struct failure f = {.stage = STAGE_NONE};
	char line[FAIL_LINE_MAX];

	*spec = (struct oci_spec){.arena = NULL};
	if (oci_parse(text, strlen(text), 5, spec, &f) == 0)
		return true;
	fail_format(&f, line);
	CHECK_STR(line, "a configuration that parses");
	return false;
}

#endif
