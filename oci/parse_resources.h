// SPDX-License-Identifier: Apache-2.0
/* "linux.resources" becomes a list of files of cgroup v2 and what is written into them. */
#ifndef OCI_PARSE_RESOURCES_H
#define OCI_PARSE_RESOURCES_H

#include "parse.h"

struct resources {
	struct oci_cgroup_write *writes;
	size_t count;
	size_t room;
	struct oci_device_rule *devices;
	size_t device_count;
	const struct field *unified; /* comes last */
	struct field unified_field;
};

/* Appends a write of a text of any length to a file, asked for by field. */
int resources_write_string(struct resources *resources, const struct field *field, const char *file,
			   const char *text);
/* The same for fmt's text: numbers, and names of known length. */
int resources_write(struct resources *resources, const struct field *field, const char *file,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Rows of "resources"; ret is the struct resources. */
int parse_memory(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_cpu(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_block_io(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_device_rules(const struct field *, const struct rule *, void *ret, struct failure *);

/* -1 in JSON is no limit: "max". */
int parse_limit(const struct field *, const struct rule *, void *ret_int64, struct failure *);
const char *limit_text(int64_t limit, char buffer[24]);

#endif
