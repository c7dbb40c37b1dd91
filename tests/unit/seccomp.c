// SPDX-License-Identifier: Apache-2.0
/*
 * The seccomp compiler against libseccomp: programs of both, of the same random profiles, are run
 * by an interpreter over every system call and interesting arguments, and must answer the same.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oci/arena.h"
#include "oci/seccomp_filter.h"
#include "tests/bpf.h"
#include "tests/t.h"

#define NUMBERS 520

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static const struct {
	uint32_t ours;
	uint32_t theirs;
} actions[] = {
	{SECCOMP_RET_ALLOW, SCMP_ACT_ALLOW},
	{SECCOMP_RET_ERRNO | 38, SCMP_ACT_ERRNO(38)},
	{SECCOMP_RET_KILL_PROCESS, SCMP_ACT_KILL_PROCESS},
	{SECCOMP_RET_KILL_THREAD, SCMP_ACT_KILL_THREAD},
	{SECCOMP_RET_LOG, SCMP_ACT_LOG},
	{SECCOMP_RET_TRAP, SCMP_ACT_TRAP},
	{SECCOMP_RET_TRACE | 7, SCMP_ACT_TRACE(7)},
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const uint64_t values[] = {
	0,
	1,
	2,
	0x7f,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x100000001,
	0x8000000000000000,
	UINT64_MAX,
	UINT64_MAX - 1,
	0x7e020000,
	0xffffffff00000000,
};
#define VALUES (sizeof(values) / sizeof(values[0]))

static const char *random_name(void)
{
	for (;;) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE,
							      (int)random_below(NUMBERS));

		if (name && syscall_find(name) >= 0)
			return name;
		free(name);
	}
}

/* One rule, one name. A name keeps to one action, and to having args or not: what libseccomp makes
 * of the other cases depends on its order of nodes. */
static void random_rule(struct oci_seccomp_rule *rule, size_t index, uint32_t except)
{
	static char *names[64][2];
	static struct oci_seccomp_arg args[64][6];
	uint32_t choice = random_below(ACTIONS);

	names[index][0] = (char *)random_name();
	*rule = (struct oci_seccomp_rule){.names = {names[index], 1}, .args = args[index]};
	rule->action = actions[choice == except ? (choice + 1) % ACTIONS : choice].ours;
	rule->arg_count = random_below(4);
	for (uint32_t i = 0; i < rule->arg_count; i++)
		args[index][i] = (struct oci_seccomp_arg){
			.index = (i * 2 + (uint32_t)index) % 6,
			.op = 1 + random_below(7),
			.value = values[random_below(VALUES)],
			.value_two = values[random_below(VALUES)],
		};
}

static uint32_t theirs(uint32_t ours)
{
	for (size_t i = 0; i < ACTIONS; i++) {
		if (actions[i].ours == ours)
			return actions[i].theirs;
	}
	abort();
}

static int add_theirs(scmp_filter_ctx ctx, const struct oci_seccomp_rule *rule)
{
	struct scmp_arg_cmp compares[6];

	for (size_t i = 0; i < rule->arg_count; i++)
		compares[i] = (struct scmp_arg_cmp){rule->args[i].index,
						    (enum scmp_compare)rule->args[i].op,
						    rule->args[i].value, rule->args[i].value_two};
	return seccomp_rule_add_array(ctx, theirs(rule->action), syscall_find(rule->names.items[0]),
				      (unsigned)rule->arg_count, compares);
}

/* Their program of the rules that they take; the others are taken out of ours. */
static struct seccomp_filter compile_theirs(struct oci_seccomp *seccomp)
{
	static struct sock_filter code[BPF_MAXINSNS];
	scmp_filter_ctx ctx = seccomp_init(theirs(seccomp->default_action));
	int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t kept = 0;

	for (size_t i = 0; i < seccomp->rule_count; i++) {
		if (add_theirs(ctx, &seccomp->rules[i]) == 0)
			seccomp->rules[kept++] = seccomp->rules[i];
		else
			free(seccomp->rules[i].names.items[0]);
	}
	seccomp->rule_count = kept;
	CHECK_INT(seccomp_export_bpf(ctx, fd), 0);
	lseek(fd, 0, SEEK_SET);
	ssize_t length = read(fd, code, sizeof(code));

	close(fd);
	seccomp_release(ctx);
	return (struct seccomp_filter){code, (unsigned)length / sizeof(code[0])};
}

static void compare(const struct seccomp_filter *ours, const struct seccomp_filter *their)
{
	struct seccomp_data data = {.arch = BPF_NATIVE_ARCH};

	for (data.nr = 0; data.nr < NUMBERS; data.nr++) {
		for (int round = 0; round < 24; round++) {
			for (int i = 0; i < 6; i++)
				data.args[i] = values[random_below(VALUES)];
			CHECK_INT(bpf_answer(ours, &data), bpf_answer(their, &data));
		}
	}
	for (data.nr = 0; data.nr < 3; data.nr++) {
		data.arch = BPF_NATIVE_ARCH ^ 0x40;
		CHECK_INT(bpf_answer(ours, &data), SECCOMP_RET_KILL_THREAD);
		CHECK_INT(bpf_answer(their, &data), SECCOMP_RET_KILL_THREAD);
	}
#if defined(__x86_64__)
	data = (struct seccomp_data){.arch = BPF_NATIVE_ARCH, .nr = 0x40000001};
	CHECK_INT(bpf_answer(ours, &data), SECCOMP_RET_KILL_THREAD);
#endif
}

static void random_profile(void)
{
	struct oci_seccomp_rule rules[64];
	struct oci_seccomp seccomp = {.present = true, .rules = rules};
	uint32_t choice = random_below(ACTIONS);
	struct arena *arena = arena_create(1 << 20);
	struct failure failure = {.stage = STAGE_NONE};
	struct seccomp_filter ours, their;
	uint8_t seen[NUMBERS] = {0};
	uint32_t wanted = random_below(64);

	seccomp.default_action = actions[choice].ours;
	while (seccomp.rule_count < wanted) {
		random_rule(&rules[seccomp.rule_count], seccomp.rule_count, choice);
		int number = syscall_find(rules[seccomp.rule_count].names.items[0]);

		if (seen[number]++)
			free(rules[seccomp.rule_count].names.items[0]), wanted--;
		else
			seccomp.rule_count++;
	}
	their = compile_theirs(&seccomp);
	CHECK_INT(seccomp_compile(&seccomp, arena, &ours, &failure), 0);
	if (!t_why[0])
		compare(&ours, &their);
	for (size_t i = 0; i < seccomp.rule_count; i++)
		free(rules[i].names.items[0]);
	arena_destroy(arena);
}

static void answers_as_libseccomp(void)
{
	/* Every action, whatever the kernel below can do: qemu-user has no seccomp. */
	CHECK_INT(seccomp_api_set(6), 0);
	for (int i = 0; i < 60 && !t_why[0]; i++)
		random_profile();
}

/* Every name that libseccomp knows a number of on this machine, and the other way round. */
static void numbers_as_libseccomp(void)
{
	for (int number = 0; number < NUMBERS; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (name)
			CHECK_INT(syscall_find(name), number);
		free(name);
	}
	CHECK_INT(syscall_find("mseal"), 462);
	CHECK_INT(syscall_find("no_such_call"), -1);
	CHECK_INT(syscall_find(""), -1);
}

static uint32_t answer(const struct oci_seccomp *seccomp, int nr, uint64_t first)
{
	struct arena *arena = arena_create(1 << 20);
	struct failure failure = {.stage = STAGE_NONE};
	struct seccomp_data data = {.arch = BPF_NATIVE_ARCH, .nr = nr, .args = {first}};
	struct seccomp_filter filter;
	uint32_t result = 1;

	if (seccomp_compile(seccomp, arena, &filter, &failure) == 0)
		result = bpf_answer(&filter, &data);
	arena_destroy(arena);
	return result;
}

/* Rules of one system call: without args wins, then the first that holds; args of one index are
 * alternatives; a name that is not there is left out. */
static void rules_of_one_call(void)
{
	char *names[] = {(char *)"no_such_call", (char *)"personality", NULL};
	struct oci_seccomp_arg first[] = {{0, SECCOMP_OP_EQ, 1, 0}, {0, SECCOMP_OP_EQ, 2, 0}};
	struct oci_seccomp_arg second[] = {{0, SECCOMP_OP_LE, 5, 0}};
	struct oci_seccomp_rule rules[] = {
		{.names = {names, 2}, .action = 11, .args = first, .arg_count = 2},
		{.names = {names, 2}, .action = 12, .args = second, .arg_count = 1},
		{.names = {names, 2}, .action = 13},
		{.names = {names, 2}, .action = 14},
	};
	struct oci_seccomp seccomp = {.default_action = 10, .rules = rules, .rule_count = 2};
	int number = syscall_find("personality");

	CHECK_INT(answer(&seccomp, number, 1), 11);
	CHECK_INT(answer(&seccomp, number, 2), 11);
	CHECK_INT(answer(&seccomp, number, 3), 12);
	CHECK_INT(answer(&seccomp, number, 6), 10);
	CHECK_INT(answer(&seccomp, number + 1, 1), 10);
	seccomp.rule_count = 3;
	CHECK_INT(answer(&seccomp, number, 1), 13);
	seccomp.rule_count = 4;
	CHECK_INT(answer(&seccomp, number, 1), 13);
	seccomp.rule_count = 0;
	CHECK_INT(answer(&seccomp, number, 1), 10);
}

/* Every second call has an action of its own: the search's jumps go over more than 255. */
static void long_jumps(void)
{
	static char *names[NUMBERS][2];
	static struct oci_seccomp_rule rules[NUMBERS];
	struct oci_seccomp seccomp = {.default_action = 10, .rules = rules};

	for (int number = 0; number < NUMBERS; number++) {
		names[number][0] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
		if (!names[number][0])
			continue;
		rules[seccomp.rule_count++] = (struct oci_seccomp_rule){
			.names = {names[number], 1}, .action = 1000 + (uint32_t)number};
	}
	for (int number = 0; number < NUMBERS; number += 7)
		CHECK_INT(answer(&seccomp, number, 0), names[number][0] ? 1000 + number : 10);
	for (int number = 0; number < NUMBERS; number++)
		free(names[number][0]);
}

static void too_long_a_program(void)
{
	char *names[] = {(char *)"read", NULL};
	struct oci_seccomp_arg args[] = {{0, SECCOMP_OP_EQ, 1, 0}};
	static struct oci_seccomp_rule rules[1000];
	struct oci_seccomp seccomp = {.rules = rules, .rule_count = 1000};
	struct arena *arena = arena_create(1 << 20);
	struct failure failure = {.stage = STAGE_NONE};
	struct seccomp_filter filter;

	for (size_t i = 0; i < 1000; i++)
		rules[i] = (struct oci_seccomp_rule){
			.names = {names, 1}, .action = 1, .args = args, .arg_count = 1};
	CHECK_INT(seccomp_compile(&seccomp, arena, &filter, &failure), -1);
	CHECK_STR(failure.field, "/linux/seccomp/syscalls");
	arena_destroy(arena);
}

static const struct t_case cases[] = {
	{"answers as libseccomp", answers_as_libseccomp},
	{"numbers as libseccomp", numbers_as_libseccomp},
	{"rules of one call", rules_of_one_call},
	{"long jumps", long_jumps},
	{"too long a program", too_long_a_program},
};
T_MAIN("seccomp", cases)
