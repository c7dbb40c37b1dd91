// SPDX-License-Identifier: Apache-2.0
/* The parts of the config.json parser, one file each. */
#ifndef OCI_PARSE_H
#define OCI_PARSE_H

#include "field.h"

/* Rows of the top-level table; ret is the spec (or its part, for the process and the root). */
int parse_process(const struct field *, const struct rule *, void *ret_process, struct failure *);
int parse_capabilities(const struct field *, const struct rule *, void *ret_caps, struct failure *);
int parse_rlimits(const struct field *, const struct rule *, void *ret_process, struct failure *);
int parse_env(const struct field *, const struct rule *, void *ret_strings, struct failure *);
int parse_scheduler(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_io_priority(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_cpu_set(const struct field *, const struct rule *, void *ret_set, struct failure *);
int parse_hooks(const struct field *, const struct rule *, void *ret_hooks, struct failure *);
int parse_mounts(const struct field *, const struct rule *, void *ret_spec, struct failure *);
int parse_linux(const struct field *, const struct rule *, void *ret_spec, struct failure *);

/* Rows of the table of "linux"; ret is a struct oci_linux, or the member that is named. */
int parse_namespaces(const struct field *, const struct rule *, void *ret_linux, struct failure *);
int parse_id_maps(const struct field *, const struct rule *, void *ret_maps, struct failure *);
int parse_time_offsets(const struct field *, const struct rule *, void *ret_linux,
		       struct failure *);
int parse_devices(const struct field *, const struct rule *, void *ret_spec, struct failure *);
int parse_sysctl(const struct field *, const struct rule *, void *ret_linux, struct failure *);
int parse_paths(const struct field *, const struct rule *, void *ret_strings, struct failure *);
int parse_net_devices(const struct field *, const struct rule *, void *ret_linux, struct failure *);
int parse_root_propagation(const struct field *, const struct rule *, void *ret_linux,
			   struct failure *);
int parse_cgroups_path(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_resources(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_seccomp(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_personality(const struct field *, const struct rule *, void *ret, struct failure *);
int parse_memory_policy(const struct field *, const struct rule *, void *ret, struct failure *);

/* Settings that need a namespace which is not there, or the other way round. */
int check_namespaces(const struct field *field, struct oci_linux *linux_,
		     struct failure *f) FAIL_MUST_CHECK;

/* A mount's options sorted into the mount: see oci/names.h. */
int parse_options(const struct field *field, const struct oci_strings *options,
		  struct oci_mount *mount, struct failure *f) FAIL_MUST_CHECK;

/* oci_parse() with another limit than OCI_HEAP_MAX_BYTES. */
int oci_parse_within(size_t heap_max_bytes, const char *bytes, size_t length, uint32_t hash_seed,
		     struct oci_spec *ret, struct failure *f) FAIL_MUST_CHECK;

/* The tables as (JSON pointer) lines, for the test that holds them against the fates. */
extern const struct rules parse_top_rules;

#endif
