// SPDX-License-Identifier: Apache-2.0
/*
 * The profile of a coverage build: llvm's raw format of version 8, with the counters on pages of their
 * own, so that they can be mapped. Header, records, counters, names.
 */
#ifndef TESTS_COVERAGE_PROFILE_H
#define TESTS_COVERAGE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

struct header {
	uint64_t magic;
	uint64_t version;
	uint64_t binary_ids_size;
	uint64_t records;
	uint64_t padding_before;
	uint64_t counters;
	uint64_t padding_after;
	uint64_t names_size;
	uint64_t counters_delta;
	uint64_t names_delta;
	uint64_t last_value_kind;
};

struct profile {
	struct header header;
	const void *records, *names;
	size_t records_size, names_size, counters_at, counters_size, names_at, size;
};

/* Where the parts of this program's profile are in memory, and where they belong in a file. */
struct profile profile_of_program(void);
/* From now on counters are incremented there: counters_size bytes. */
void profile_count_at(void *memory);

#endif
