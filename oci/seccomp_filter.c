// SPDX-License-Identifier: Apache-2.0
/*
 * The program. First the architecture is checked, then a binary search over ranges of system call
 * numbers ends at an action, or at the conditions of one system call:
 *
 *	ld arch; jeq NATIVE, 1, 0; ret KILL; ld nr
 *	jge 57, right, left          a range begins at 57
 *	  ret ALLOW                  a leaf
 *	  ld arg; jeq ...; ret ERRNO conditions: a block for each rule, a failed one goes to the next
 *
 * Jumps of the conditional instructions go 255 instructions far; where the search needs more, an
 * unconditional one stands between.
 */
#include "seccomp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "arena.h"
#include "document.h"

#if defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define X32_BEGIN   0x40000000 /* the other table of this architecture */
#endif

#define NUMBERS  512 /* system calls of all architectures are below */
#define CODE_MAX BPF_MAXINSNS
#define FIELD    "/linux/seccomp/syscalls"
#define JUMP_MAX 255u

/* A range of numbers with the same verdict begins here. */
struct range {
	uint32_t begin;
	uint32_t action;
	bool has_conditions; /* then it is one number long */
};

enum verdict {
	VERDICT_DEFAULT,
	VERDICT_CONDITIONS,
	VERDICT_ACTION,
};

struct compiler {
	const struct oci_seccomp *seccomp;
	int *numbers; /* of all names of all rules, in order */
	uint8_t verdicts[NUMBERS];
	uint32_t actions[NUMBERS];
	struct range ranges[NUMBERS + 2];
	size_t range_count;
	struct sock_filter *code;
	unsigned length; /* goes on counting where the code does not fit */
};

static void emit(struct compiler *c, uint16_t code, uint32_t k, unsigned jt, unsigned jf)
{
	if (c->length < CODE_MAX)
		c->code[c->length] = (struct sock_filter){code, (uint8_t)jt, (uint8_t)jf, k};
	c->length++;
}

static void emit_load(struct compiler *c, size_t offset)
{
	emit(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct compiler *c, uint32_t action)
{
	emit(c, BPF_RET | BPF_K, action, 0, 0);
}

/* ---- conditions ----------------------------------------------------------------------------- */

/* Where a comparison goes on: to the code behind it, or to the end of the rule's block. */
#define FAIL 0xffu

/* How the halves of a 64-bit value are compared. An operator's opposite has its two ends swapped. */
static const struct {
	uint16_t low;     /* jump if the high halves are equal and this holds of the low ones */
	bool has_greater; /* a greater high half decides, too */
	bool is_opposite;
} operators[] = {
	[SECCOMP_OP_EQ] = {BPF_JEQ, false, false},        [SECCOMP_OP_NE] = {BPF_JEQ, false, true},
	[SECCOMP_OP_GE] = {BPF_JGE, true, false},         [SECCOMP_OP_LT] = {BPF_JGE, true, true},
	[SECCOMP_OP_GT] = {BPF_JGT, true, false},         [SECCOMP_OP_LE] = {BPF_JGT, true, true},
	[SECCOMP_OP_MASKED_EQ] = {BPF_JEQ, false, false},
};

static void emit_jump(struct compiler *c, uint16_t test, uint32_t k, unsigned jt, unsigned jf)
{
	emit(c, (uint16_t)(BPF_JMP | BPF_K | test), k, jt, jf);
}

/* Each instruction that leaves the comparison knows how many there are behind it. */
static void emit_arg(struct compiler *c, const struct oci_seccomp_arg *arg)
{
	const size_t low = offsetof(struct seccomp_data, args) + 8 * (size_t)arg->index;
	const bool is_masked = arg->op == SECCOMP_OP_MASKED_EQ;
	const bool is_opposite = operators[arg->op].is_opposite;
	const uint64_t value = is_masked ? arg->value & arg->value_two : arg->value;
	const unsigned mask_length = is_masked ? 1 : 0;
	const unsigned rest = 2 + mask_length; /* load, (and), the last jump */
	const unsigned pass = is_opposite ? FAIL : rest;
	const unsigned fail = is_opposite ? rest : FAIL;

	emit_load(c, low + 4);
	if (is_masked)
		emit(c, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(arg->value >> 32), 0, 0);
	if (operators[arg->op].has_greater)
		emit_jump(c, BPF_JGT, (uint32_t)(value >> 32), is_opposite ? FAIL : pass + 1, 0);
	emit_jump(c, BPF_JEQ, (uint32_t)(value >> 32), 0, fail);
	emit_load(c, low);
	if (is_masked)
		emit(c, BPF_ALU | BPF_AND | BPF_K, (uint32_t)arg->value, 0, 0);
	emit_jump(c, operators[arg->op].low, (uint32_t)value, is_opposite ? FAIL : 0,
		  is_opposite ? 0 : FAIL);
}

/* Jumps to FAIL of the block that begins at `begin` go to its end. */
static void resolve_fails(struct compiler *c, unsigned begin)
{
	for (unsigned i = begin; i < c->length && i < CODE_MAX; i++) {
		struct sock_filter *instruction = &c->code[i];
		unsigned distance = c->length - i - 1;

		if (BPF_CLASS(instruction->code) != BPF_JMP)
			continue;
		if (instruction->jt == FAIL)
			instruction->jt = (uint8_t)distance;
		if (instruction->jf == FAIL)
			instruction->jf = (uint8_t)distance;
	}
}

static void emit_block(struct compiler *c, const struct oci_seccomp_arg *args, size_t count,
		       uint32_t action)
{
	unsigned begin = c->length;

	for (size_t i = 0; i < count; i++)
		emit_arg(c, &args[i]);
	emit_return(c, action);
	resolve_fails(c, begin);
}

static bool has_same_index_twice(const struct oci_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->arg_count; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

static void emit_rule(struct compiler *c, const struct oci_seccomp_rule *rule)
{
	if (!has_same_index_twice(rule)) {
		emit_block(c, rule->args, rule->arg_count, rule->action);
		return;
	}
	for (size_t i = 0; i < rule->arg_count; i++)
		emit_block(c, &rule->args[i], 1, rule->action);
}

static bool has_number(const int *numbers, size_t count, uint32_t number)
{
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == (int)number)
			return true;
	}
	return false;
}

static void emit_conditions(struct compiler *c, uint32_t number)
{
	const struct oci_seccomp *seccomp = c->seccomp;
	const int *numbers = c->numbers;

	for (size_t i = 0; i < seccomp->rule_count && c->length <= CODE_MAX; i++) {
		const struct oci_seccomp_rule *rule = &seccomp->rules[i];

		if (has_number(numbers, rule->names.count, number))
			emit_rule(c, rule);
		numbers += rule->names.count;
	}
	emit_return(c, seccomp->default_action);
}

/* ---- the search ----------------------------------------------------------------------------- */

static void emit_leaf(struct compiler *c, const struct range *range)
{
	if (range->has_conditions)
		emit_conditions(c, range->begin);
	else
		emit_return(c, range->action);
}

/* The ranges from low up to high: to the right of the jump what begins at the middle one. Recursion
 * is as deep as the logarithm of their number. */
static void emit_search(struct compiler *c, size_t low, size_t high)
{
	size_t middle = (low + high) / 2;
	unsigned jump = c->length;

	if (high - low == 1) {
		emit_leaf(c, &c->ranges[low]);
		return;
	}
	emit_jump(c, BPF_JGE, c->ranges[middle].begin, 0, 1);
	emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_search(c, low, middle);
	if (jump + 1 < CODE_MAX)
		c->code[jump + 1].k = c->length - jump - 2;
	emit_search(c, middle, high);
}

/* ---- what the rules say --------------------------------------------------------------------- */

static void note_rule(struct compiler *c, const struct oci_seccomp_rule *rule, const int *numbers)
{
	for (size_t i = 0; i < rule->names.count; i++) {
		int number = numbers[i];

		if (number < 0 || c->verdicts[number] == VERDICT_ACTION)
			continue;
		c->verdicts[number] = rule->arg_count ? VERDICT_CONDITIONS : VERDICT_ACTION;
		c->actions[number] = rule->action;
	}
}

static int note_rules(struct compiler *c, struct arena *arena, struct failure *f)
{
	size_t total = 0, used = 0;

	for (size_t i = 0; i < c->seccomp->rule_count; i++)
		total += c->seccomp->rules[i].names.count;
	c->numbers = arena_alloc(arena, total * sizeof(*c->numbers));
	if (!c->numbers)
		return fail_memory(f);
	for (size_t i = 0; i < c->seccomp->rule_count; i++) {
		const struct oci_seccomp_rule *rule = &c->seccomp->rules[i];

		for (size_t n = 0; n < rule->names.count; n++)
			c->numbers[used + n] = syscall_find(rule->names.items[n]);
		note_rule(c, rule, c->numbers + used);
		used += rule->names.count;
	}
	return 0;
}

static void make_ranges(struct compiler *c)
{
	for (uint32_t number = 0; number < NUMBERS; number++) {
		const struct range *last = number ? &c->ranges[c->range_count - 1] : NULL;
		struct range range = {
			.begin = number,
			.action = c->verdicts[number] == VERDICT_DEFAULT
					  ? c->seccomp->default_action
					  : c->actions[number],
			.has_conditions = c->verdicts[number] == VERDICT_CONDITIONS,
		};

		if (!last || range.has_conditions || last->has_conditions ||
		    last->action != range.action)
			c->ranges[c->range_count++] = range;
	}
#ifdef X32_BEGIN
	c->ranges[c->range_count++] =
		(struct range){.begin = X32_BEGIN, .action = SECCOMP_RET_KILL_THREAD};
#endif
}

int seccomp_compile(const struct oci_seccomp *seccomp, struct arena *arena,
		    struct seccomp_filter *ret, struct failure *f)
{
	struct compiler *c = arena_zalloc(arena, 1, sizeof(*c));

	if (!c)
		return fail_memory(f);
	c->seccomp = seccomp;
	c->code = arena_alloc(arena, CODE_MAX * sizeof(*c->code));
	if (!c->code)
		return fail_memory(f);
	if (note_rules(c, arena, f) < 0)
		return -1;
	make_ranges(c);
	emit_load(c, offsetof(struct seccomp_data, arch));
	emit_jump(c, BPF_JEQ, NATIVE_ARCH, 1, 0);
	emit_return(c, SECCOMP_RET_KILL_THREAD);
	emit_load(c, offsetof(struct seccomp_data, nr));
	emit_search(c, 0, c->range_count);
	if (c->length > CODE_MAX)
		return fail_config(f, FIELD,
				   "needs a program of %u instructions, the kernel takes %u",
				   c->length, CODE_MAX);
	*ret = (struct seccomp_filter){.code = c->code, .length = c->length};
	return 0;
}
