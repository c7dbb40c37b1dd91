// SPDX-License-Identifier: Apache-2.0
/*
 * Any rules of linux.resources.devices: their program fits what its header says, jumps forward and
 * inside only, and allows what the rules and the list of every container allow.
 */
#include "fuzz.h"
#include "tests/bpf.h"

#define RULES_MAX 12

/* -1 (any), small, next to the numbers of every container, or large. */
static int64_t choose_id(struct choices *c)
{
	uint8_t kind = choose(c);

	return kind < 250 ? (int64_t)kind - 1 : (int64_t)choose_number(c, kind < 253 ? 2 : 4);
}

static struct oci_device_rule choose_rule(struct choices *c)
{
	uint8_t form = choose(c);

	return (struct oci_device_rule){
		.allow = form & 1,
		.read = form & 2,
		.write = form & 4,
		.mknod = form & 8,
		.type = "abcc"[form >> 4 & 3],
		.major = choose_id(c),
		.minor = choose_id(c),
	};
}

/* Of the programs' instructions those that jump; the last one ends it. */
static void require_sound(const struct bpf_insn *code, size_t length, size_t count)
{
	require(length > 0 && length <= DEVICE_FILTER_LENGTH_MAX(count));
	require(code[length - 1].code == (BPF_JMP | BPF_EXIT));
	for (size_t i = 0; i < length; i++) {
		unsigned kind = BPF_CLASS(code[i].code);

		if ((kind != BPF_JMP && kind != BPF_JMP32) || code[i].code == (BPF_JMP | BPF_EXIT))
			continue;
		require(code[i].off >= 0 && (size_t)code[i].off < length - i - 1);
	}
}

/* null, zero, full, random, urandom; tty, console, ptmx; terminals: characters all. */
static bool is_of_every_container(char type, uint32_t major, uint32_t minor)
{
	if (type != 'c')
		return false;
	return (major == 1 && (minor == 3 || minor == 5 || (minor >= 7 && minor <= 9))) ||
	       (major == 5 && minor <= 2) || major == 136;
}

static void compare(const struct oci_device_rule *rules, size_t count, const struct bpf_insn *code,
		    size_t length, uint32_t major, uint32_t minor)
{
	for (uint32_t bits = 0; bits < 16; bits++) {
		if ((bits & 7) == 0)
			continue; /* the kernel asks for something */
		char type = bits & 8 ? 'b' : 'c';
		const struct bpf_cgroup_dev_ctx context = {
			.access_type = (bits & 7) << 16 |
				       (bits & 8 ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
			.major = major,
			.minor = minor,
		};

		require(ebpf_answer(code, length, &context) ==
			(is_of_every_container(type, major, minor) ||
			 device_meaning(rules, count, type, bits & 7, major, minor)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_insn code[DEVICE_FILTER_LENGTH_MAX(RULES_MAX)];
	struct choices choices = {data, data + size};
	struct oci_device_rule rules[RULES_MAX];
	size_t count = 0, length;

	while (choices.at < choices.end && count < RULES_MAX)
		rules[count++] = choose_rule(&choices);
	length = device_filter_make(rules, count, code);
	require_sound(code, length, count);
	for (size_t i = 0; i < count; i++) {
		uint32_t major = (uint32_t)rules[i].major & 0xfff,
			 minor = (uint32_t)rules[i].minor & 0xfffff;

		compare(rules, count, code, length, major, minor);
		compare(rules, count, code, length, major, (minor + 1) & 0xfffff);
		compare(rules, count, code, length, i & 1 ? 1 : 5, minor);
	}
	compare(rules, count, code, length, 136, 7);
	compare(rules, count, code, length, 1, 3);
	return 0;
}
