// SPDX-License-Identifier: Apache-2.0
/*
 * The default seccomp profile beside the one that podman reads, on arm64: for no capability, each
 * alone, and all, every system call of the guest's kernel has to have the same rules in both.
 */
#include <jansson.h>
#include <stdlib.h>

#include "oci/names.h"
#include "oci/run_config.h"
#include "oci/writer.h"
#include "tests/t.h"

#define PODMANS   "/usr/share/containers/seccomp.json"
#define RULES_MAX 16
#define RULE_MAX  160

static const struct {
	const char *name;
	int number;
} calls[] = {
#include "oci/syscalls_aarch64.h"
};

/* What a call's rules say, sorted, each once. */
struct verdict {
	char rules[RULES_MAX][RULE_MAX];
	size_t count;
	bool is_settled; /* by a rule for any arguments: libseccomp heeds none after it */
};

static bool has_word(const json_t *array, const char *word)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!strcmp(json_string_value(json_array_get(array, i)), word))
			return true;
	return false;
}

static bool has_capability(const json_t *array, uint64_t capabilities)
{
	for (unsigned bit = 0; bit < CAPABILITY__COUNT; bit++)
		if (capabilities >> bit & 1 && has_word(array, capability_names[bit]))
			return true;
	return false;
}

/* podman's conditions; a profile of ours has none. */
static bool is_in_force(const json_t *rule, uint64_t capabilities)
{
	const json_t *includes = json_object_get(rule, "includes");
	const json_t *excludes = json_object_get(rule, "excludes");
	const json_t *arches = json_object_get(includes, "arches");
	const json_t *caps = json_object_get(includes, "caps");

	return (!json_array_size(arches) || has_word(arches, "arm64")) &&
	       (!json_array_size(caps) || has_capability(caps, capabilities)) &&
	       !has_word(json_object_get(excludes, "arches"), "arm64") &&
	       !has_capability(json_object_get(excludes, "caps"), capabilities);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_rule(struct verdict *verdict, const json_t *rule)
{
	const char *action = json_string_value(json_object_get(rule, "action"));
	const json_t *args = json_object_get(rule, "args");
	char *text = verdict->rules[verdict->count];
	int used = snprintf(text, RULE_MAX, "%s %lld", action,
			    (long long)json_integer_value(json_object_get(rule, "errnoRet")));

	for (size_t i = 0; i < json_array_size(args); i++) {
		const json_t *arg = json_array_get(args, i);

		used += snprintf(text + used, (size_t)(RULE_MAX - used), " %lld %s %lld",
				 (long long)json_integer_value(json_object_get(arg, "index")),
				 json_string_value(json_object_get(arg, "op")),
				 (long long)json_integer_value(json_object_get(arg, "value")));
	}
	for (size_t i = 0; i < verdict->count; i++)
		if (!strcmp(verdict->rules[i], text))
			return;
	verdict->is_settled |= !json_array_size(args);
	CHECK(verdict->count + 1 < RULES_MAX);
	if (verdict->count + 1 < RULES_MAX)
		verdict->count++;
}

static struct verdict judge(const json_t *profile, const char *name, uint64_t capabilities)
{
	const json_t *rules = json_object_get(profile, "syscalls");
	struct verdict verdict = {.count = 0};

	for (size_t i = 0; i < json_array_size(rules) && !verdict.is_settled; i++) {
		const json_t *rule = json_array_get(rules, i);

		if (has_word(json_object_get(rule, "names"), name) &&
		    is_in_force(rule, capabilities))
			add_rule(&verdict, rule);
	}
	if (!verdict.count)
		verdict.count =
			(size_t)snprintf(
				verdict.rules[0], RULE_MAX, "%s %lld",
				json_string_value(json_object_get(profile, "defaultAction")),
				(long long)json_integer_value(
					json_object_get(profile, "defaultErrnoRet"))) > 0;
	qsort(verdict.rules, verdict.count, RULE_MAX, compare);
	return verdict;
}

static json_t *ours(uint64_t capabilities)
{
	static char text[65536];
	struct writer writer = {.text = text, .size = sizeof(text)};
	json_t *root, *profile;

	write_open(&writer, NULL, '{');
	write_default_seccomp(&writer, capabilities);
	write_close(&writer, '}');
	CHECK(write_finish(&writer) < sizeof(text));
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	profile = json_incref(json_object_get(root, "seccomp"));
	json_decref(root);
	return profile;
}

static void check_profile(const json_t *podmans, uint64_t capabilities)
{
	json_t *profile = ours(capabilities);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && !t_why[0]; i++) {
		struct verdict want = judge(podmans, calls[i].name, capabilities);
		struct verdict got = judge(profile, calls[i].name, capabilities);

		CHECK_INT(got.count, want.count);
		for (size_t j = 0; j < want.count; j++)
			CHECK_STR(got.rules[j], want.rules[j]);
		if (t_why[0])
			printf("# %s with capabilities %llx\n", calls[i].name,
			       (unsigned long long)capabilities);
	}
	json_decref(profile);
}

static void as_podmans(void)
{
	json_t *podmans = json_load_file(PODMANS, 0, NULL);
	const uint64_t all = (UINT64_C(1) << CAPABILITY__COUNT) - 1;

	CHECK(podmans);
	check_profile(podmans, 0);
	check_profile(podmans, all);
	for (unsigned bit = 0; bit < CAPABILITY__COUNT; bit++)
		check_profile(podmans, UINT64_C(1) << bit);
	json_decref(podmans);
}

/* The comparison itself: a call that is refused in one and not in the other is found. */
static void known_verdicts(void)
{
	static const struct {
		const char *name;
		bool by_all;
		const char *rule;
	} rows[] = {
		{"setns", false, "SCMP_ACT_ALLOW 0"},
		{"read", false, "SCMP_ACT_ALLOW 0"},
		{"clone3", false, "SCMP_ACT_ALLOW 0"},
		{"bpf", false, "SCMP_ACT_ERRNO 1"},
		{"bpf", true, "SCMP_ACT_ALLOW 0"},
		{"kexec_load", true, "SCMP_ACT_ERRNO 1"},
		{"io_uring_setup", true, "SCMP_ACT_ERRNO 38"},
		{"sethostname", true, "SCMP_ACT_ALLOW 0"},
		{"socket", true, "SCMP_ACT_ALLOW 0"},
		{"no such call", true, "SCMP_ACT_ERRNO 38"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t capabilities = rows[i].by_all ? (UINT64_C(1) << CAPABILITY__COUNT) - 1 : 0;
		json_t *profile = ours(capabilities);
		struct verdict verdict = judge(profile, rows[i].name, capabilities);

		CHECK_INT(verdict.count, 1);
		CHECK_STR(verdict.rules[0], rows[i].rule);
		json_decref(profile);
	}
}

static const struct t_case cases[] = {
	{"known verdicts", known_verdicts},
	{"as podman's", as_podmans},
};
T_MAIN("run_seccomp", cases)
