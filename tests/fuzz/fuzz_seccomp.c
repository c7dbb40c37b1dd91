// SPDX-License-Identifier: Apache-2.0
/*
 * Any profile: its program passes the kernel's checks and answers each system call as
 * oci/seccomp_filter.h says in words. The bytes are rules; actions are small numbers, all different.
 */
#include <stddef.h>

#include "fuzz.h"
#include "oci/arena.h"
#include "tests/bpf.h"

#define RULES_MAX 10
#define NAMES_MAX 4
#define ARGS_MAX  6

/* Neighbours, ends and holes of the table of numbers. */
#define NAMES (sizeof(names) / sizeof(names[0]))
static const char *const names[] = {
	"read",     "write",        "openat", "close",     "personality", "clone",
	"clone3",   "mseal",        "socket", "ioctl",     "futex",       "exit_group",
	"io_setup", "no_such_call", "",       "renameat2",
};

struct rules {
	struct oci_seccomp_rule rules[RULES_MAX];
	char *names[RULES_MAX][NAMES_MAX + 1];
	struct oci_seccomp_arg args[RULES_MAX][ARGS_MAX];
	int numbers[RULES_MAX][NAMES_MAX];
};
static struct rules made;

/* Small, at the borders of the halves, or anything. */
static uint64_t choose_value(struct choices *c)
{
	uint8_t kind = choose(c);

	switch (kind % 4) {
	case 0:
		return kind / 4;
	case 1:
		return (uint64_t)(kind / 4) << 32;
	case 2:
		return UINT32_MAX + (uint64_t)(kind / 4) - 32;
	default:
		return choose_number(c, 8);
	}
}

static void choose_rule(struct choices *c, size_t index)
{
	struct oci_seccomp_rule *rule = &made.rules[index];
	uint8_t shape = choose(c);

	*rule = (struct oci_seccomp_rule){
		.names = {made.names[index], 1 + shape % NAMES_MAX},
		.action = 2 + (uint32_t)index,
		.args = made.args[index],
		.arg_count = shape / 8 % (ARGS_MAX + 1),
	};
	for (size_t i = 0; i < rule->names.count; i++) {
		rule->names.items[i] = (char *)names[choose(c) % NAMES];
		made.numbers[index][i] = syscall_find(rule->names.items[i]);
	}
	for (size_t i = 0; i < rule->arg_count; i++) {
		uint8_t form = choose(c);

		rule->args[i] = (struct oci_seccomp_arg){
			.index = form % 6, .op = 1 + form / 6 % 7, .value = choose_value(c)};
		if (rule->args[i].op == SECCOMP_OP_MASKED_EQ)
			rule->args[i].value_two = choose_value(c);
	}
}

/* ---- what the words say ---------------------------------------------------------------------- */

static bool arg_holds(const struct oci_seccomp_arg *arg, const struct seccomp_data *data)
{
	uint64_t a = data->args[arg->index], b = arg->value;

	switch (arg->op) {
	case SECCOMP_OP_NE:
		return a != b;
	case SECCOMP_OP_LT:
		return a < b;
	case SECCOMP_OP_LE:
		return a <= b;
	case SECCOMP_OP_EQ:
		return a == b;
	case SECCOMP_OP_GE:
		return a >= b;
	case SECCOMP_OP_GT:
		return a > b;
	default:
		return (a & b) == (arg->value_two & b);
	}
}

static bool rule_holds(const struct oci_seccomp_rule *rule, const struct seccomp_data *data)
{
	bool is_any = false, all = true, any = false;

	for (size_t i = 0; i < rule->arg_count; i++) {
		for (size_t other = 0; other < i; other++)
			is_any |= rule->args[other].index == rule->args[i].index;
		all &= arg_holds(&rule->args[i], data);
		any |= arg_holds(&rule->args[i], data);
	}
	return is_any ? any : all;
}

static bool has_number(const struct oci_seccomp_rule *rule, int number)
{
	const int *numbers = made.numbers[rule - made.rules];

	for (size_t i = 0; i < rule->names.count; i++) {
		if (numbers[i] == number && number >= 0)
			return true;
	}
	return false;
}

static uint32_t expected(const struct oci_seccomp *seccomp, const struct seccomp_data *data)
{
	for (int needs_args = 0; needs_args < 2; needs_args++) {
		for (size_t i = 0; i < seccomp->rule_count; i++) {
			const struct oci_seccomp_rule *rule = &seccomp->rules[i];

			if (has_number(rule, data->nr) && !needs_args == !rule->arg_count &&
			    rule_holds(rule, data))
				return rule->action;
		}
	}
	return seccomp->default_action;
}

/* ---- what the kernel asks of a program ------------------------------------------------------- */

static void require_sound(const struct seccomp_filter *filter)
{
	require(filter->length > 0 && filter->length <= BPF_MAXINSNS);
	require(BPF_CLASS(filter->code[filter->length - 1].code) == BPF_RET);
	for (unsigned i = 0; i < filter->length; i++) {
		const struct sock_filter *at = &filter->code[i];
		unsigned left = filter->length - i - 1;

		if (at->code == (BPF_LD | BPF_W | BPF_ABS))
			require(at->k % 4 == 0 && at->k < sizeof(struct seccomp_data));
		else if (at->code == (BPF_JMP | BPF_JA))
			require(at->k < left);
		else if (BPF_CLASS(at->code) == BPF_JMP)
			require(at->jt < left && at->jf < left);
		else
			require(at->code == (BPF_RET | BPF_K) ||
				at->code == (BPF_ALU | BPF_AND | BPF_K));
	}
}

/* Arguments at the values of the rules and beside them. */
static void compare(const struct oci_seccomp *seccomp, const struct seccomp_filter *filter,
		    int number)
{
	struct seccomp_data data = {.nr = number, .arch = BPF_NATIVE_ARCH};

	require(bpf_answer(filter, &data) == expected(seccomp, &data));
	for (size_t i = 0; i < seccomp->rule_count; i++) {
		const struct oci_seccomp_rule *rule = &seccomp->rules[i];

		for (size_t n = 0; has_number(rule, number) && n < 3 * rule->arg_count; n++) {
			const struct oci_seccomp_arg *arg = &rule->args[n / 3];
			uint64_t value =
				arg->op == SECCOMP_OP_MASKED_EQ ? arg->value_two : arg->value;

			data.args[arg->index] = value + n % 3 - 1;
			require(bpf_answer(filter, &data) == expected(seccomp, &data));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices choices = {data, data + size};
	struct oci_seccomp seccomp = {.default_action = 1000, .rules = made.rules};
	struct seccomp_data foreign = {.arch = BPF_NATIVE_ARCH ^ 0x40};
	struct arena *arena = arena_create(1 << 20);
	struct failure f = {.stage = STAGE_NONE};
	struct seccomp_filter filter;

	require(arena != NULL);
	while (choices.at < choices.end && seccomp.rule_count < RULES_MAX)
		choose_rule(&choices, seccomp.rule_count++);
	require(seccomp_compile(&seccomp, arena, &filter, &f) == 0);
	require_sound(&filter);
	for (size_t i = 0; i < NAMES; i++) {
		int number = syscall_find(names[i]);

		for (int near = number > 0 ? number - 1 : 0; number >= 0 && near <= number + 1;
		     near++)
			compare(&seccomp, &filter, near);
	}
	compare(&seccomp, &filter, 0x3fffffff);
	require(bpf_answer(&filter, &foreign) == SECCOMP_RET_KILL_THREAD);
	arena_destroy(arena);
	return 0;
}
