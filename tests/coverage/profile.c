// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#define MAGIC   0xff6c70726f667281u
#define VERSION 8
#define PAGE    4096u

struct record {
	char bytes[48];
};

/* What the compiler makes, between symbols that the linker makes. */
extern const struct record __start___llvm_prf_data[], __stop___llvm_prf_data[];
extern uint64_t __start___llvm_prf_cnts[], __stop___llvm_prf_cnts[];
extern const char __start___llvm_prf_names[], __stop___llvm_prf_names[];
extern intptr_t __llvm_profile_counter_bias;

static size_t bytes_between(const void *start, const void *stop)
{
	return (uintptr_t)stop - (uintptr_t)start;
}

static size_t whole_pages(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

struct profile profile_of_program(void)
{
	size_t counters = bytes_between(__start___llvm_prf_cnts, __stop___llvm_prf_cnts);
	struct profile p = {
		.records = __start___llvm_prf_data,
		.records_size = bytes_between(__start___llvm_prf_data, __stop___llvm_prf_data),
		.names = __start___llvm_prf_names,
		.names_size = bytes_between(__start___llvm_prf_names, __stop___llvm_prf_names),
	};

	p.counters_at = whole_pages(sizeof(p.header) + p.records_size);
	p.names_at = whole_pages(p.counters_at + counters);
	p.counters_size = p.names_at - p.counters_at;
	p.size = p.names_at + (p.names_size + 7) / 8 * 8;
	p.header = (struct header){
		.magic = MAGIC,
		.version = VERSION,
		.records = p.records_size / sizeof(struct record),
		.padding_before = p.counters_at - sizeof(p.header) - p.records_size,
		.counters = counters / sizeof(uint64_t),
		.padding_after = p.counters_size - counters,
		.names_size = p.names_size,
		.counters_delta = bytes_between(__start___llvm_prf_data, __start___llvm_prf_cnts),
		.names_delta = (uintptr_t)__start___llvm_prf_names,
		.last_value_kind = 1,
	};
	return p;
}

void profile_count_at(void *memory)
{
	__llvm_profile_counter_bias =
		(intptr_t)((uintptr_t)memory - (uintptr_t)__start___llvm_prf_cnts);
}
