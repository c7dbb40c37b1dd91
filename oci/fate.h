// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of each property of the runtime specification, in one table: honoured, left to
 * the host, not applied (with a warning), or refused. The parser and the features document both read it.
 */
#ifndef OCI_FATE_H
#define OCI_FATE_H

#include <stddef.h>

#include "field.h"

enum fate {
	FATE_HONOURED,
	FATE_HOST,        /* checked here, done by the part of the runtime outside of the machine */
	FATE_NOT_APPLIED, /* harmless: a warning says so */
	FATE_REFUSED,     /* the container would silently be another one */
	FATE__COUNT,
};

struct fate_row {
	const char *path; /* JSON pointer; "*" stands for any one element or key */
	enum fate fate;
	char type; /* as field_expect() takes it */
	const char *why;
};

extern const struct fate_row fate_rows[];
extern const size_t fate_row_count;

/*
 * Decides about a member that no rule reads: unknown ones are ignored, as the specification
 * demands; empty ones ask for nothing; the rest is warned about or refused by the table.
 */
int fate_apply(const struct field *field, struct failure *f) FAIL_MUST_CHECK;
/* The row for a JSON pointer, or NULL. */
const struct fate_row *fate_find(const char *pointer);

#endif
