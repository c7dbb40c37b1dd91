// SPDX-License-Identifier: Apache-2.0
/* How the process runs: scheduler, I/O priority, CPUs, execution domain, memory policy. */
#include <linux/sched.h>
#include <string.h>

#include "names.h"
#include "parse.h"

#define NICE_MIN        (-20)
#define NICE_MAX        19
#define RT_PRIORITY_MAX 99
#define IO_PRIORITY_MAX 7
#define NODES_MAX       64u

struct raw_scheduler {
	struct oci_scheduler scheduler;
	uint32_t flags;
	bool has_nice;
	bool has_priority;
};

#define MEMBER(name) offsetof(struct raw_scheduler, name)

static const struct rule scheduler_rows[] = {
	{.key = "policy",
	 .read = field_name,
	 .offset = MEMBER(scheduler.policy),
	 .names = &names_policies,
	 .is_required = true},
	{.key = "nice",
	 .read = field_int,
	 .offset = MEMBER(scheduler.nice),
	 .present = MEMBER(has_nice),
	 .min = NICE_MIN,
	 .max = NICE_MAX},
	{.key = "priority",
	 .read = field_u32,
	 .offset = MEMBER(scheduler.priority),
	 .present = MEMBER(has_priority),
	 .max = RT_PRIORITY_MAX},
	{.key = "flags", .read = field_flags, .offset = MEMBER(flags), .names = &names_sched_flags},
	{.key = "runtime", .read = field_u64, .offset = MEMBER(scheduler.runtime)},
	{.key = "deadline", .read = field_u64, .offset = MEMBER(scheduler.deadline)},
	{.key = "period", .read = field_u64, .offset = MEMBER(scheduler.period)},
};
RULES(scheduler_rules, scheduler_rows);

int parse_scheduler(const struct field *field, const struct rule *rule, void *ret,
		    struct failure *f)
{
	struct raw_scheduler raw = {.scheduler.present = true};
	struct field priority = {.up = field, .key = "priority"};
	bool is_realtime;

	(void)rule; /* the table says it */
	if (field_members(field, &scheduler_rules, &raw, f))
		return -1;
	is_realtime = raw.scheduler.policy == SCHED_FIFO || raw.scheduler.policy == SCHED_RR;
	if (is_realtime && !raw.scheduler.priority)
		return field_fail(&priority, f, "must be from 1 to %d for a real-time policy",
				  RT_PRIORITY_MAX);
	if (!is_realtime && raw.scheduler.priority)
		return field_fail(&priority, f, "must be 0 without a real-time policy");
	raw.scheduler.flags = raw.flags;
	*(struct oci_scheduler *)ret = raw.scheduler;
	return 0;
}

static const struct rule io_rows[] = {
	{.key = "class",
	 .read = field_name,
	 .offset = offsetof(struct oci_io_priority, class),
	 .names = &names_io_classes,
	 .is_required = true},
	{.key = "priority",
	 .read = field_int,
	 .offset = offsetof(struct oci_io_priority, priority),
	 .max = IO_PRIORITY_MAX,
	 .is_required = true},
};
RULES(io_rules, io_rows);

int parse_io_priority(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	struct oci_io_priority *priority = ret;

	(void)rule; /* the table says it */
	if (field_members(field, &io_rules, priority, f))
		return -1;
	priority->present = true;
	return 0;
}

/* A decimal number below limit at *text, which is moved behind it; -1: there is none. */
static int scan_number(const char **text, unsigned limit)
{
	unsigned value = 0;
	size_t digits = strspn(*text, "0123456789");

	for (size_t i = 0; i < digits && value < limit; i++)
		value = value * 10 + (unsigned)((*text)[i] - '0');
	*text += digits;
	return digits && value < limit ? (int)value : -1;
}

/* "0-3,7" into bits, as the kernel's lists are written. */
static int read_list(const struct field *field, unsigned limit, uint64_t *bits, struct failure *f)
{
	const char *text;

	if (field_string(field, NULL, &text, f))
		return -1;
	for (const char *at = text; *at; at++) {
		int first = scan_number(&at, limit);
		int last = first;

		if (*at == '-') {
			at++;
			last = scan_number(&at, limit);
		}
		if (first < 0 || last < first || (*at && (*at != ',' || !at[1])))
			return field_fail(field, f,
					  "must be a list like 0-3,7 with numbers below %u", limit);
		for (unsigned i = (unsigned)first; i <= (unsigned)last; i++)
			bits[i / 64] |= (uint64_t)1 << i % 64;
		if (!*at)
			break;
	}
	return 0;
}

int parse_cpu_set(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_cpu_set *set = ret;

	(void)rule; /* nothing in it */
	if (read_list(field, OCI_CPUS_MAX, set->bits, f))
		return -1;
	set->present = !field_is_empty(field);
	return 0;
}

struct raw_personality {
	int domain;
	struct oci_strings flags;
};

static const struct rule personality_rows[] = {
	{.key = "domain",
	 .read = field_name,
	 .offset = offsetof(struct raw_personality, domain),
	 .names = &names_domains,
	 .is_required = true},
	{.key = "flags", .read = field_strings, .offset = offsetof(struct raw_personality, flags)},
};
RULES(personality_rules, personality_rows);

int parse_personality(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	struct oci_personality *personality = ret;
	struct field flags = {.up = field, .key = "flags"};
	struct raw_personality raw = {.domain = 0};

	(void)rule; /* the table says it */
	if (field_members(field, &personality_rules, &raw, f))
		return -1;
	if (raw.flags.count)
		return field_fail(&flags, f, "no flag is defined, not " SHOWN, raw.flags.items[0]);
	*personality = (struct oci_personality){.present = true, .domain = (unsigned)raw.domain};
	return 0;
}

static int read_nodes(const struct field *field, const struct rule *rule, void *ret,
		      struct failure *f)
{
	(void)rule; /* nothing in it */
	return read_list(field, NODES_MAX, ret, f);
}

static const struct rule policy_rows[] = {
	{.key = "mode",
	 .read = field_name,
	 .offset = offsetof(struct oci_memory_policy, mode),
	 .names = &names_mpol_modes,
	 .is_required = true},
	{.key = "nodes", .read = read_nodes, .offset = offsetof(struct oci_memory_policy, nodes)},
	{.key = "flags",
	 .read = field_flags,
	 .offset = offsetof(struct oci_memory_policy, flags),
	 .names = &names_mpol_flags},
};
RULES(policy_rules, policy_rows);

int parse_memory_policy(const struct field *field, const struct rule *rule, void *ret,
			struct failure *f)
{
	struct oci_memory_policy *policy = ret;

	(void)rule; /* the table says it */
	if (field_members(field, &policy_rules, policy, f))
		return -1;
	policy->present = true;
	return 0;
}
