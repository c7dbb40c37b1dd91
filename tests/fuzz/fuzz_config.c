// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as config.json: parse, plan, print. The first byte chooses what discover found. What is
 * refused must name a stage and a reason; what is accepted must keep the promises of oci/oci.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oci/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

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
		require(plan->steps[i].field != NULL);
		check_strings(&plan->steps[i].data);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct plan_layer layers[] = {
		{SOURCE_BLOCK, "vda", "squashfs"},
		{SOURCE_BLOCK, "vdb", "ext4"},
		{SOURCE_BOOT_ROOT, NULL, NULL},
	};
	uint8_t choice = size ? data[size - 1] : 0; /* the text's last byte is most often blank */
	struct plan_sources sources = {
		.layers = choice & 1 ? layers + 2 : layers,
		.layer_count = choice & 1 ? 1 : 1 + (choice >> 1 & 1),
		.upper = (enum upper_kind)((choice >> 2) % 3),
		.upper_id = "vdc",
		.resolv_conf = choice & 64 ? "nameserver 1.1.1.1\n" : NULL,
	};
	struct failure f = {.stage = STAGE_NONE};
	struct oci_spec spec;
	struct plan plan;
	char line[FAIL_LINE_MAX];

	if (oci_parse((const char *)data, size, 5, &spec, &f)) {
		fail_format(&f, line);
		require(f.stage == STAGE_PARSE && f.why[0] && !strpbrk(line, "\n\r\x1b"));
		return 0;
	}
	check_spec(&spec);
	check_linux(&spec.linux_);
	if (plan_build(&spec, &sources, &plan, &f))
		require(f.stage == STAGE_PLAN && f.why[0]);
	else
		check_plan(&plan);
	oci_spec_finish(&spec);
	return 0;
}
