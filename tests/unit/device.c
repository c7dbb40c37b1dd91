// SPDX-License-Identifier: Apache-2.0
/*
 * The program of linux.resources.devices, run by an interpreter: random rules against their meaning
 * in plain words, and the cases that engines write.
 */
#include "oci/device_filter.h"
#include "tests/t.h"

#define RULES_MAX 12

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static bool jumps(uint8_t code, uint32_t value, uint32_t with)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return value == with;
	case BPF_JNE:
		return value != with;
	case BPF_JSET:
		return value & with;
	default:
		return false;
	}
}

/* Of the instructions those that the program has; -1: it runs out of itself or never ends. */
static int run(const struct bpf_insn *code, size_t length, const struct bpf_cgroup_dev_ctx *context)
{
	uint32_t r[16] = {0};

	for (size_t i = 0; i < length; i++) {
		const struct bpf_insn *at = &code[i];
		uint32_t with = at->code & BPF_X ? r[at->src_reg] : (uint32_t)at->imm;

		if (BPF_CLASS(at->code) == BPF_LDX)
			memcpy(&r[at->dst_reg], (const char *)context + at->off, 4);
		else if (at->code == (BPF_JMP | BPF_EXIT))
			return (int)r[0];
		else if (at->code == (BPF_JMP | BPF_JA))
			i += (size_t)at->off;
		else if (BPF_CLASS(at->code) == BPF_JMP32)
			i += jumps(at->code, r[at->dst_reg], with) ? (size_t)at->off : 0;
		else if (BPF_OP(at->code) == BPF_AND)
			r[at->dst_reg] &= with;
		else if (BPF_OP(at->code) == BPF_OR)
			r[at->dst_reg] |= with;
		else if (BPF_OP(at->code) == BPF_LSH)
			r[at->dst_reg] <<= with;
		else if (BPF_OP(at->code) == BPF_RSH)
			r[at->dst_reg] >>= with;
		else
			r[at->dst_reg] = with;
	}
	return -1;
}

static int ask(const struct oci_device_rule *rules, size_t count, char type, uint32_t access,
	       uint32_t major, uint32_t minor)
{
	struct bpf_insn code[DEVICE_FILTER_LENGTH_MAX(RULES_MAX)];
	size_t length = device_filter_make(rules, count, code);
	const struct bpf_cgroup_dev_ctx context = {
		.access_type =
			access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = major,
		.minor = minor,
	};

	CHECK(length <= DEVICE_FILTER_LENGTH_MAX(count));
	return run(code, length, &context);
}

#define MKNOD      BPF_DEVCG_ACC_MKNOD
#define READ       BPF_DEVCG_ACC_READ
#define READ_WRITE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define ALL        7

static const struct oci_device_rule deny_all = {
	.type = 'a', .major = -1, .minor = -1, .read = true, .write = true, .mknod = true};

static void devices_of_every_container(void)
{
	static const uint32_t numbers[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8},   {1, 9},
					      {5, 0}, {5, 1}, {5, 2}, {136, 0}, {136, 77}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		CHECK_INT(ask(&deny_all, 1, 'c', ALL, numbers[i][0], numbers[i][1]), 1);
		CHECK_INT(ask(&deny_all, 1, 'b', READ, numbers[i][0], numbers[i][1]), 0);
	}
	CHECK_INT(ask(&deny_all, 1, 'c', READ, 1, 1), 0);
	CHECK_INT(ask(&deny_all, 1, 'c', READ, 1, 11), 0);
	CHECK_INT(ask(&deny_all, 1, 'c', MKNOD, 10, 200), 1);
	CHECK_INT(ask(&deny_all, 1, 'b', MKNOD, 8, 0), 1);
	CHECK_INT(ask(&deny_all, 1, 'b', MKNOD | READ, 8, 0), 0);
	CHECK_INT(ask(NULL, 0, 'c', READ, 10, 200), 0);
}

static void the_last_match_decides(void)
{
	struct oci_device_rule rules[] = {
		deny_all,
		{.allow = true, .type = 'c', .major = 10, .minor = -1, .read = true, .write = true},
		{.type = 'c', .major = 10, .minor = 200, .write = true},
		{.allow = true, .type = 'b', .major = 8, .minor = 0, .read = true},
	};

	CHECK_INT(ask(rules, 4, 'c', READ_WRITE, 10, 229), 1);
	CHECK_INT(ask(rules, 4, 'c', READ_WRITE, 10, 200), 0);
	CHECK_INT(ask(rules, 4, 'c', READ, 10, 200), 1);
	CHECK_INT(ask(rules, 4, 'b', READ, 8, 0), 1);
	CHECK_INT(ask(rules, 4, 'b', READ, 8, 1), 0);
	CHECK_INT(ask(rules, 4, 'b', READ_WRITE, 8, 0), 0);
	CHECK_INT(ask(rules, 4, 'b', READ, 10, 229), 0);
	rules[0].allow = true;
	CHECK_INT(ask(rules, 4, 'b', ALL, 99, 99), 1);
}

/* One access at a time, forwards: what the last matching rule says. */
static int meaning(const struct oci_device_rule *rules, size_t count, char type, uint32_t access,
		   uint32_t major, uint32_t minor)
{
	uint32_t allowed = MKNOD;

	for (size_t i = 0; i < count; i++) {
		const struct oci_device_rule *rule = &rules[i];
		uint32_t bits = (rule->read ? READ : 0) | (rule->write ? READ_WRITE & ~READ : 0);

		if (rule->type != 'a' &&
		    (rule->type != type || (rule->major >= 0 && rule->major != major) ||
		     (rule->minor >= 0 && rule->minor != minor)))
			continue;
		allowed = rule->allow ? allowed | bits : allowed & ~bits;
	}
	return (access & ~allowed) == 0;
}

static void random_rules(void)
{
	for (int round = 0; round < 3000; round++) {
		struct oci_device_rule rules[RULES_MAX];
		size_t count = random_below(RULES_MAX + 1);

		for (size_t i = 0; i < count; i++)
			rules[i] = (struct oci_device_rule){
				.allow = random_below(2),
				.type = "abc"[random_below(3)],
				.major = 199 + (int64_t)random_below(4),
				.minor = (int64_t)random_below(4) - 1,
				.read = random_below(2),
				.write = random_below(2),
				.mknod = random_below(2),
			};
		for (size_t i = 0; i < count; i++)
			rules[i].major = rules[i].major == 199 ? -1 : rules[i].major;
		for (uint32_t i = 0; i < 32; i++) {
			char type = "bc"[i & 1];
			uint32_t access = random_below(8), major = 200 + random_below(3);
			uint32_t minor = random_below(3);

			CHECK_INT(ask(rules, count, type, access, major, minor),
				  meaning(rules, count, type, access, major, minor));
		}
	}
}

static const struct t_case cases[] = {
	{"devices of every container", devices_of_every_container},
	{"the last match decides", the_last_match_decides},
	{"random rules", random_rules},
};
T_MAIN("device", cases)
