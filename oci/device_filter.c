// SPDX-License-Identifier: Apache-2.0
/*
 * The program. The kernel asks for a set of accesses to one device. Rules are looked at from the last
 * to the first: one that allows takes its accesses off the set, and an empty set is allowed; one that
 * denies any of what is left ends it.
 *
 * Few branches, because each costs the kernel's verifier more than all that is run of it later.
 *
 *	r2 type, r3 accesses left, r4 major, r5 minor, r6 both
 *	what every container may use and make: jne r2, CHAR, 9; jeq r6, NUMBERS, allow ...
 *	  jeq r4, PTS, allow; and r3, ~MKNOD; jne r3, 0, 2; allow: r0 = 1; exit
 *	for each rule: jne r2, TYPE, next; jne r4, MAJOR, next; jne r5, MINOR, next
 *	  allow:  and r3, ~ACCESS; jne r3, 0, next; r0 = 1; exit
 *	  deny:   jset r3, ACCESS, 1; ja next; r0 = 0; exit
 *	r0 = 0; exit
 */
#include "device_filter.h"

enum {
	R_RESULT,
	R_CONTEXT,
	R_TYPE,
	R_LEFT,
	R_MAJOR,
	R_MINOR,
	R_KEY,
};

#define ANY      (-1)
#define KEY_BITS 20 /* of a minor number; the other 12 are the major's */
#define PTS      136

/* What every container may use, as crun and runc have it: characters, and all of PTS. */
static const uint8_t defaults[][2] = {
	{1, 3}, /* null */
	{1, 5}, /* zero */
	{1, 7}, /* full */
	{1, 8}, /* random */
	{1, 9}, /* urandom */
	{5, 0}, /* tty */
	{5, 1}, /* console */
	{5, 2}, /* ptmx */
};
#define DEFAULTS ((int16_t)(sizeof(defaults) / sizeof(defaults[0])))

struct program {
	struct bpf_insn *code;
	size_t length;
};

static void emit(struct program *p, struct bpf_insn instruction)
{
	p->code[p->length++] = instruction;
}

static void emit_load(struct program *p, unsigned to, size_t offset)
{
	emit(p, (struct bpf_insn){.code = BPF_LDX | BPF_W | BPF_MEM,
				  .dst_reg = to & 15,
				  .src_reg = R_CONTEXT,
				  .off = (int16_t)offset});
}

static void emit_value(struct program *p, unsigned operation, unsigned to, uint32_t value)
{
	emit(p, (struct bpf_insn){.code = (uint8_t)(BPF_ALU | BPF_K | operation),
				  .dst_reg = to & 15,
				  .imm = (int32_t)value});
}

static void emit_jump(struct program *p, unsigned test, unsigned of, uint32_t value,
		      int16_t distance)
{
	emit(p, (struct bpf_insn){.code = (uint8_t)(BPF_JMP32 | BPF_K | test),
				  .dst_reg = of & 15,
				  .off = distance,
				  .imm = (int32_t)value});
}

static void emit_exit(struct program *p, uint32_t result)
{
	emit_value(p, BPF_MOV, R_RESULT, result);
	emit(p, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

static uint32_t accesses(const struct oci_device_rule *rule)
{
	return (rule->read ? (unsigned)BPF_DEVCG_ACC_READ : 0) |
	       (rule->write ? (unsigned)BPF_DEVCG_ACC_WRITE : 0) |
	       (rule->mknod ? (unsigned)BPF_DEVCG_ACC_MKNOD : 0);
}

/* From one register into another: a copy, or what of them the operation makes. */
static void emit_both(struct program *p, unsigned operation, unsigned to, unsigned from)
{
	emit(p, (struct bpf_insn){.code = (uint8_t)(BPF_ALU | BPF_X | operation),
				  .dst_reg = to & 15,
				  .src_reg = from & 15});
}

static void emit_defaults(struct program *p)
{
	int16_t distance = DEFAULTS + 2; /* to where it is allowed */

	emit_jump(p, BPF_JNE, R_TYPE, BPF_DEVCG_DEV_CHAR, DEFAULTS + 1);
	for (int16_t i = 0; i < DEFAULTS; i++)
		emit_jump(p, BPF_JEQ, R_KEY, (uint32_t)defaults[i][0] << KEY_BITS | defaults[i][1],
			  distance--);
	emit_jump(p, BPF_JEQ, R_MAJOR, PTS, distance);
	emit_value(p, BPF_AND, R_LEFT, ~(uint32_t)BPF_DEVCG_ACC_MKNOD);
	emit_jump(p, BPF_JNE, R_LEFT, 0, 2);
	emit_exit(p, 1);
}

static void emit_rule(struct program *p, const struct oci_device_rule *rule)
{
	const bool is_all = rule->type == 'a';
	const bool has_major = rule->major != ANY;
	const bool has_minor = rule->minor != ANY;
	int16_t next = (int16_t)(4 + !is_all + has_major + has_minor); /* the rule's length */

	if (!is_all)
		emit_jump(p, BPF_JNE, R_TYPE,
			  rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, --next);
	if (has_major)
		emit_jump(p, BPF_JNE, R_MAJOR, (uint32_t)rule->major, --next);
	if (has_minor)
		emit_jump(p, BPF_JNE, R_MINOR, (uint32_t)rule->minor, --next);
	if (rule->allow) {
		emit_value(p, BPF_AND, R_LEFT, ~accesses(rule));
		emit_jump(p, BPF_JNE, R_LEFT, 0, 2);
	} else {
		emit_jump(p, BPF_JSET, R_LEFT, accesses(rule), 1);
		emit(p, (struct bpf_insn){.code = BPF_JMP | BPF_JA, .off = 2});
	}
	emit_exit(p, rule->allow);
}

size_t device_filter_make(const struct oci_device_rule *rules, size_t count,
			  struct bpf_insn *ret_code)
{
	struct program p = {.code = ret_code};

	emit_load(&p, R_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(&p, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(&p, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit_both(&p, BPF_MOV, R_LEFT, R_TYPE);
	emit_value(&p, BPF_AND, R_TYPE, 0xffff);
	emit_value(&p, BPF_RSH, R_LEFT, 16);
	emit_both(&p, BPF_MOV, R_KEY, R_MAJOR);
	emit_value(&p, BPF_LSH, R_KEY, KEY_BITS);
	emit_both(&p, BPF_OR, R_KEY, R_MINOR);
	emit_defaults(&p);
	for (size_t i = count; i > 0; i--)
		emit_rule(&p, &rules[i - 1]);
	emit_exit(&p, 0);
	return p.length;
}
