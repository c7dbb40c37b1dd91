// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as config.json: parse, plan, print. What discover found follows from the bytes, too. What is
 * refused must say why in one line; what is accepted must keep the promises of oci/oci.h, and be planned
 * in the same way whatever seeds the hash tables.
 */
#include "fuzz.h"
#include "oci/arena.h"
#include "oci/plan.h"
#include "oci/seccomp_filter.h"
#include "oci/state.h"

static void check_strings(const struct oci_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		require(strings->items[i] != NULL);
	require(!strings->items || !strings->items[strings->count]);
}

static void check_spec(const struct oci_spec *spec)
{
	const struct oci_process *process = &spec->process;

	require(spec->version && spec->root.path && spec->root.path[0]);
	require(process->args.count > 0 && process->cwd[0] == '/');
	check_strings(&process->args);
	check_strings(&process->env);
	require(process->user.uid != UINT32_MAX && process->user.gid != UINT32_MAX);
	require(process->user.umask <= 0777);
	require(!(process->caps.ambient & ~(process->caps.permitted & process->caps.inheritable)));
	for (size_t i = 0; i < process->rlimit_count; i++)
		require(process->rlimits[i].soft <= process->rlimits[i].hard);
	for (size_t i = 0; i < spec->mount_count; i++) {
		require(spec->mounts[i].destination[0] == '/');
		require(spec->mounts[i].bind == !spec->mounts[i].type);
		check_strings(&spec->mounts[i].data);
	}
}

/* No path of the kernel's file systems leaves them. */
static void require_below(const char *path)
{
	require(path[0] && path[0] != '/' && !strstr(path, "//"));
	for (const char *at = path; *at; at += strcspn(at, "/"), at += *at == '/') {
		size_t length = strcspn(at, "/");

		require(length && !(length <= 2 && strncmp(at, "..", length) == 0));
	}
}

static void check_linux(const struct oci_linux *l)
{
	for (size_t i = 0; i < l->sysctl_count; i++)
		require_below(l->sysctls[i].path);
	for (size_t i = 0; i < l->resources.write_count; i++) {
		require_below(l->resources.writes[i].file);
		require(!strchr(l->resources.writes[i].file, '/'));
		require(!strchr(l->resources.writes[i].text, '\n'));
	}
	if (l->cgroups_path)
		require_below(l->cgroups_path);
	for (size_t i = 0; i < l->masked_paths.count; i++)
		require(l->masked_paths.items[i][0] == '/');
	for (size_t i = 0; i < l->seccomp.rule_count; i++)
		require(l->seccomp.rules[i].names.count > 0);
	for (size_t i = 0; i < OCI_NAMESPACE__COUNT; i++)
		require(!l->namespaces[i].path || l->namespaces[i].path[0] == '/');
}

static void check_plan(const struct plan *plan)
{
	char line[256];

	require(plan->machine_count < plan->count);
	require(plan->steps[plan->machine_count].kind == STEP_ENTER);
	for (size_t i = 0; i < plan->count; i++) {
		size_t length = plan_print_step(&plan->steps[i], line, sizeof(line));

		require(strlen(line) == (length < sizeof(line) ? length : sizeof(line) - 1));
		require_printable(line);
		require(plan->steps[i].field != NULL);
		check_strings(&plan->steps[i].data);
	}
}

/* What else is made of an accepted configuration: warnings, the filter, the state for hooks. */
static void check_uses(const struct oci_spec *spec)
{
	struct failure f = {.stage = STAGE_NONE};
	struct seccomp_filter filter;
	const struct state is = {.id = "a\"b\n", .status = "creating", .pid = 7, .bundle = "/x"};
	const char *state = state_text(spec, &is);

	require(!state || (state[0] == '{' && strchr(state, '\0')[-1] == '}'));
	if (state)
		require_printable(state);
	for (size_t i = 0; i < spec->warning_count; i++)
		require(spec->warnings[i].field[0] == '/' && spec->warnings[i].why[0]);
	if (!spec->linux_.seccomp.present)
		return;
	if (seccomp_compile(&spec->linux_.seccomp, spec->arena, &filter, &f))
		require_failure(&f);
	else
		require(filter.length > 4 && filter.length <= BPF_MAXINSNS);
}

static void check_same(const struct plan *a, const struct plan *b)
{
	char first[1024], second[1024];

	require(a->count == b->count && a->machine_count == b->machine_count);
	for (size_t i = 0; i < a->count; i++) {
		plan_print_step(&a->steps[i], first, sizeof(first));
		plan_print_step(&b->steps[i], second, sizeof(second));
		require(strcmp(first, second) == 0 &&
			strcmp(a->steps[i].field, b->steps[i].field) == 0);
	}
}

/* The same bytes with another seed: the same plan, or the same refusal. */
static void check_again(const uint8_t *data, size_t size, const struct plan_sources *sources,
			const struct plan *plan, const struct failure *failure)
{
	struct failure f = {.stage = STAGE_NONE};
	struct oci_spec spec;
	struct plan again;

	if (oci_parse((const char *)data, size, 77, &spec, &f)) {
		require(!plan && !strcmp(f.why, failure->why) && !strcmp(f.field, failure->field));
		return;
	}
	if (plan_build(&spec, sources, &again, &f))
		require(!plan && !strcmp(f.why, failure->why) && !strcmp(f.field, failure->field));
	else
		require(plan != NULL), check_same(plan, &again);
	oci_spec_finish(&spec);
}

/* Not a byte of the text, which has to stay JSON, but a sum of all of them. */
static struct plan_sources choose_sources(const uint8_t *data, size_t size)
{
	static const struct plan_layer layers[] = {
		{SOURCE_BLOCK, "vda", "squashfs"},    {SOURCE_BLOCK, "vdb", "ext4"},
		{SOURCE_VIRTIOFS, "tag", "virtiofs"}, {SOURCE_9P, "smk-layer-003", "9p"},
		{SOURCE_BOOT_ROOT, NULL, NULL},
	};
	uint32_t sum = 2166136261;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 16777619;
	return (struct plan_sources){
		.layers = sum & 1 ? layers : layers + 4,
		.layer_count = sum & 1 ? 1 + (sum >> 1) % 4 : 1,
		.upper = (enum upper_kind)((sum >> 3) % 3),
		.upper_id = "vdc",
		.upper_size = sum >> 8 & 1 ? "64m" : NULL,
		.resolv_conf = sum >> 9 & 1 ? "nameserver 1.1.1.1\n" : NULL,
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct plan_sources sources = choose_sources(data, size);
	struct failure f = {.stage = STAGE_NONE};
	char *text = exact_copy(data, size);
	struct oci_spec spec;
	struct plan plan;

	if (oci_parse(text, size, 5, &spec, &f)) {
		require(f.stage == STAGE_PARSE && f.why[0]);
		require_failure(&f);
		check_again(data, size, &sources, NULL, &f);
		free(text);
		return 0;
	}
	free(text); /* the spec owns what it needs */
	require_no_failure(&f);
	check_spec(&spec);
	check_linux(&spec.linux_);
	check_uses(&spec);
	if (plan_build(&spec, &sources, &plan, &f)) {
		require(f.stage == STAGE_PLAN && f.why[0]);
		require_failure(&f);
		check_again(data, size, &sources, NULL, &f);
	} else {
		check_plan(&plan);
		check_again(data, size, &sources, &plan, &f);
	}
	oci_spec_finish(&spec);
	return 0;
}
