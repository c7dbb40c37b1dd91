// SPDX-License-Identifier: Apache-2.0
/*
 * The program of linux.resources.devices, run by an interpreter: random rules against their meaning
 * in plain words, and the cases that engines write.
 */
#include "oci/device_filter.h"
#include "tests/bpf.h"
#include "tests/t.h"

#define RULES_MAX 12

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
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
	return ebpf_answer(code, length, &context);
}

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
	/* Without a type: of both, but still only of these numbers. */
	rules[0] = deny_all;
	rules[1].type = 'a';
	CHECK_INT(ask(rules, 2, 'c', READ, 10, 1), 1);
	CHECK_INT(ask(rules, 2, 'b', READ, 10, 1), 1);
	CHECK_INT(ask(rules, 2, 'c', READ, 1, 11), 0);
	rules[1].minor = 229;
	CHECK_INT(ask(rules, 2, 'c', READ, 10, 1), 0);
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
				  device_meaning(rules, count, type, access, major, minor));
		}
	}
}

static const struct t_case cases[] = {
	{"devices of every container", devices_of_every_container},
	{"the last match decides", the_last_match_decides},
	{"random rules", random_rules},
};
T_MAIN("device", cases)
