// SPDX-License-Identifier: Apache-2.0
/* "linux.resources.memory" and ".cpu", in the words of cgroup v2. */
#include <inttypes.h>
#include <string.h>

#include "parse_resources.h"

/* What cgroup v2 has no file for cannot be asked for. */
static int refuse(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	int64_t value;

	(void)ret; /* nothing is kept */
	if (field_i64(field, rule, &value, f))
		return -1;
	return field_fail(field, f, "is not supported by cgroup v2");
}

/* true asks for what version 2 does not have; false for what it does. */
static int refuse_true(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	bool value;

	(void)ret; /* nothing is kept */
	if (field_bool(field, rule, &value, f))
		return -1;
	return value ? field_fail(field, f, "is not supported by cgroup v2") : 0;
}

/* Version 2 is hierarchical, and a new cgroup uses less than any limit. */
static int accept_bool(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	bool value;

	(void)ret; /* nothing is kept */
	return field_bool(field, rule, &value, f);
}

struct memory {
	int64_t limit;
	int64_t reservation;
	int64_t swap;
	bool has_limit;
	bool has_reservation;
	bool has_swap;
};

#define MEMBER(name) offsetof(struct memory, name)

static const struct rule memory_rows[] = {
	{.key = "limit",
	 .read = parse_limit,
	 .offset = MEMBER(limit),
	 .present = MEMBER(has_limit)},
	{.key = "reservation",
	 .read = parse_limit,
	 .offset = MEMBER(reservation),
	 .present = MEMBER(has_reservation)},
	{.key = "swap", .read = parse_limit, .offset = MEMBER(swap), .present = MEMBER(has_swap)},
	{.key = "kernel", .read = refuse},
	{.key = "kernelTCP", .read = refuse},
	{.key = "swappiness", .read = refuse},
	{.key = "disableOOMKiller", .read = refuse_true},
	{.key = "useHierarchy", .read = accept_bool},
	{.key = "checkBeforeUpdate", .read = accept_bool},
};
RULES(memory_rules, memory_rows);

static int write_limit(struct resources *resources, const struct field *object, const char *key,
		       const char *file, int64_t limit, struct failure *f)
{
	struct field field = {.up = object, .key = key, .document = object->document};
	char buffer[24];

	return resources_write(resources, &field, file, "%s", limit_text(limit, buffer))
		       ? fail_memory(f)
		       : 0;
}

/* The specification counts memory and swap together, version 2 swap alone. */
static int write_swap(struct resources *resources, const struct field *object,
		      const struct memory *memory, struct failure *f)
{
	struct field field = {.up = object, .key = "swap"};
	int64_t swap = memory->swap;

	if (swap == 0) /* none at all, as under crun */
		return write_limit(resources, object, "swap", "memory.swap.max", 0, f);
	if (swap >= 0 && (!memory->has_limit || memory->limit < 0))
		return field_fail(&field, f, "cannot be given without memory's limit");
	if (swap >= 0 && swap < memory->limit)
		return field_fail(&field, f, "counts memory too: must not be below its limit");
	return write_limit(resources, object, "swap", "memory.swap.max",
			   swap < 0 ? -1 : swap - memory->limit, f);
}

int parse_memory(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct memory memory = {.has_limit = false};

	(void)rule; /* the table says it */
	if (field_members(field, &memory_rules, &memory, f))
		return -1;
	if (memory.has_limit && write_limit(ret, field, "limit", "memory.max", memory.limit, f))
		return -1;
	if (memory.has_reservation &&
	    write_limit(ret, field, "reservation", "memory.low", memory.reservation, f))
		return -1;
	return memory.has_swap ? write_swap(ret, field, &memory, f) : 0;
}

struct cpu {
	uint64_t shares;
	int64_t quota;
	uint64_t burst;
	uint64_t period;
	int64_t idle;
	const char *cpus;
	const char *mems;
	bool has_quota;
	bool has_period;
	bool has_burst;
	bool has_idle;
};

/* A list of CPUs or nodes: the kernel reads it, in one line. */
static int read_set(const struct field *field, const struct rule *rule, void *ret,
		    struct failure *f)
{
	const char *text;

	if (field_string(field, rule, &text, f))
		return -1;
	if (text[strspn(text, "0123456789-, ")])
		return field_fail(field, f, "must be a list like 0-3,7");
	*(const char **)ret = text;
	return 0;
}

#undef MEMBER
#define MEMBER(name) offsetof(struct cpu, name)

static const struct rule cpu_rows[] = {
	{.key = "shares", .read = field_u64, .offset = MEMBER(shares)},
	{.key = "quota",
	 .read = parse_limit,
	 .offset = MEMBER(quota),
	 .present = MEMBER(has_quota)},
	{.key = "burst", .read = field_u64, .offset = MEMBER(burst), .present = MEMBER(has_burst)},
	{.key = "period",
	 .read = field_u64,
	 .offset = MEMBER(period),
	 .present = MEMBER(has_period)},
	{.key = "realtimeRuntime", .read = refuse},
	{.key = "realtimePeriod", .read = refuse},
	{.key = "cpus", .read = read_set, .offset = MEMBER(cpus)},
	{.key = "mems", .read = read_set, .offset = MEMBER(mems)},
	{.key = "idle",
	 .read = field_i64,
	 .offset = MEMBER(idle),
	 .present = MEMBER(has_idle),
	 .max = 1},
};
RULES(cpu_rules, cpu_rows);

#define SHARES_MIN 2u
#define SHARES_MAX 262144u

/* 2-262144 to 1-10000, linearly, as crun 1.8 does it; 0 asks for nothing. */
static uint64_t weight_of(uint64_t shares)
{
	if (shares < SHARES_MIN)
		shares = SHARES_MIN;
	if (shares > SHARES_MAX)
		shares = SHARES_MAX;
	return 1 + (shares - SHARES_MIN) * 9999 / (SHARES_MAX - SHARES_MIN);
}

/* A quota of 0, and a period of 0, ask for nothing. */
static int write_bandwidth(struct resources *resources, const struct field *object,
			   const struct cpu *cpu)
{
	struct field quota = {.up = object, .key = "quota", .document = object->document};
	struct field period = {.up = object, .key = "period", .document = object->document};
	bool has_quota = cpu->has_quota && cpu->quota;
	bool has_period = cpu->has_period && cpu->period;
	char buffer[24];
	const char *max = limit_text(has_quota ? cpu->quota : -1, buffer);

	if (!has_quota && !has_period)
		return 0;
	if (!has_period)
		return resources_write(resources, &quota, "cpu.max", "%s", max);
	return resources_write(resources, has_quota ? &quota : &period, "cpu.max", "%s %" PRIu64,
			       max, cpu->period);
}

int parse_cpu(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct field member = {.up = field, .document = field->document};
	struct cpu cpu = {.shares = 0};
	int status = 0;

	(void)rule; /* the table says it */
	if (field_members(field, &cpu_rules, &cpu, f))
		return -1;
	member.key = "cpus";
	if (cpu.cpus && cpu.cpus[0])
		status |= resources_write_string(ret, &member, "cpuset.cpus", cpu.cpus);
	member.key = "mems";
	if (cpu.mems && cpu.mems[0])
		status |= resources_write_string(ret, &member, "cpuset.mems", cpu.mems);
	member.key = "shares";
	if (cpu.shares)
		status |= resources_write(ret, &member, "cpu.weight", "%" PRIu64,
					  weight_of(cpu.shares));
	status |= write_bandwidth(ret, field, &cpu);
	member.key = "burst";
	if (cpu.has_burst)
		status |= resources_write(ret, &member, "cpu.max.burst", "%" PRIu64, cpu.burst);
	member.key = "idle";
	if (cpu.has_idle)
		status |= resources_write(ret, &member, "cpu.idle", "%" PRId64, cpu.idle);
	return status ? fail_memory(f) : 0;
}
