// SPDX-License-Identifier: Apache-2.0
/* The parts of the config.json parser, one file each. */
#ifndef OCI_PARSE_H
#define OCI_PARSE_H

#include "field.h"

/* Rows of the top-level table; ret is the spec (or its part, for the process and the root). */
int parse_process(const struct field *, const struct rule *, void *ret_process, struct failure *);
int parse_capabilities(const struct field *, const struct rule *, void *ret_caps, struct failure *);
int parse_rlimits(const struct field *, const struct rule *, void *ret_process, struct failure *);
int parse_mounts(const struct field *, const struct rule *, void *ret_spec, struct failure *);
int parse_linux(const struct field *, const struct rule *, void *ret_spec, struct failure *);

/* A mount's options sorted into the mount: see oci/names.h. */
int parse_options(const struct field *field, const struct oci_strings *options,
		  struct oci_mount *mount, struct failure *f) FAIL_MUST_CHECK;

/* oci_parse() with another limit than OCI_HEAP_MAX_BYTES. */
int oci_parse_within(size_t heap_max_bytes, const char *bytes, size_t length, uint32_t hash_seed,
		     struct oci_spec *ret, struct failure *f) FAIL_MUST_CHECK;

/* The tables as (JSON pointer) lines, for the test that holds them against the fates. */
extern const struct rules parse_top_rules;

#endif
