// SPDX-License-Identifier: Apache-2.0
/* What the "linux" section, the hooks and the process's scheduling become: values in their places. */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "oci/plan.h"
#include "tests/unit/config.h"

#define HEAD "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},"

static void scheduling(void)
{
	static const char text[] =
		HEAD "\"process\":{\"args\":[\"a\"],\"cwd\":\"/"
		     "\",\"scheduler\":{\"policy\":\"SCHED_RR\","
		     "\"nice\":-5,\"priority\":99,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\","
		     "\"SCHED_FLAG_DL_OVERRUN\"],\"runtime\":1,\"deadline\":2,"
		     "\"period\":18446744073709551615},"
		     "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":7},"
		     "\"execCPUAffinity\":{\"initial\":\"0-1,63\",\"final\":\"64,1023\"}}}";
	struct oci_spec spec;
	struct oci_process *process = &spec.process;

	if (!parse(text, &spec))
		return;
	CHECK(process->scheduler.present && process->io_priority.present);
	CHECK_INT(process->scheduler.policy, SCHED_RR);
	CHECK_INT(process->scheduler.nice, -5);
	CHECK_INT(process->scheduler.priority, 99);
	CHECK_INT(process->scheduler.flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_DL_OVERRUN);
	CHECK_INT(process->scheduler.runtime, 1);
	CHECK_INT(process->scheduler.deadline, 2);
	CHECK(process->scheduler.period == UINT64_MAX);
	CHECK_INT(process->io_priority.class, IOPRIO_CLASS_IDLE);
	CHECK_INT(process->io_priority.priority, 7);
	CHECK(process->exec_cpus_initial.present && process->exec_cpus_final.present);
	CHECK(process->exec_cpus_initial.bits[0] == (1ULL << 63 | 3));
	CHECK_INT(process->exec_cpus_initial.bits[1], 0);
	CHECK_INT(process->exec_cpus_final.bits[0], 0);
	CHECK_INT(process->exec_cpus_final.bits[1], 1);
	CHECK(process->exec_cpus_final.bits[15] == 1ULL << 63);
	oci_spec_finish(&spec);
}

static void namespaces(void)
{
	static const char text[] = HEAD RUN
		",\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"time\",\"path\":\"\"},"
		"{\"type\":\"network\",\"path\":\"/run//netns/a\"}],"
		"\"uidMappings\":[{\"containerID\":1,\"hostID\":4294967290,\"size\":5}],"
		"\"gidMappings\":[{\"containerID\":0,\"hostID\":2,\"size\":3}],"
		"\"timeOffsets\":{\"monotonic\":{\"secs\":-9223372036854775808},"
		"\"boottime\":{\"secs\":5,\"nanosecs\":999999999}}}}";
	struct oci_spec spec;
	struct oci_linux *l = &spec.linux_;

	if (!parse(text, &spec))
		return;
	CHECK(l->namespaces[OCI_NAMESPACE_USER].present && !l->namespaces[OCI_NAMESPACE_USER].path);
	CHECK(l->namespaces[OCI_NAMESPACE_TIME].present && !l->namespaces[OCI_NAMESPACE_TIME].path);
	CHECK_STR(l->namespaces[OCI_NAMESPACE_NETWORK].path, "/run/netns/a");
	CHECK_STR(l->namespaces[OCI_NAMESPACE_NETWORK].field, "/linux/namespaces/2");
	CHECK(!l->namespaces[OCI_NAMESPACE_PID].present);
	CHECK_INT(l->uid_maps.count, 1);
	CHECK_INT(l->uid_maps.items[0].container_id, 1);
	CHECK_INT(l->uid_maps.items[0].host_id, 4294967290);
	CHECK_INT(l->uid_maps.items[0].size, 5);
	CHECK_INT(l->gid_maps.items[0].host_id, 2);
	CHECK(l->monotonic.present && l->monotonic.secs == INT64_MIN);
	CHECK(l->boottime.present && l->boottime.secs == 5);
	CHECK_INT(l->boottime.nanosecs, 999999999);
	oci_spec_finish(&spec);
}

static void seccomp(void)
{
	static const char text[] = HEAD RUN
		",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":"
		"38,"
		"\"architectures\":[\"SCMP_ARCH_X86\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
		"\"syscalls\":[{\"names\":[\"read\",\"x\"],\"action\":\"SCMP_ACT_ERRNO\"},"
		"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":5,"
		"\"value\":18446744073709551615,\"valueTwo\":1,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}}"
		"}";
	struct oci_spec spec;
	struct oci_seccomp *s = &spec.linux_.seccomp;

	if (!parse(text, &spec))
		return;
	CHECK(s->present && s->has_architectures && !s->has_aarch64);
	CHECK_INT(s->default_action, SECCOMP_RET_ERRNO | 38);
	CHECK_INT(s->flags, SECCOMP_FILTER_FLAG_LOG);
	CHECK_INT(s->rule_count, 2);
	CHECK_INT(s->rules[0].action, SECCOMP_RET_ERRNO | 1);
	CHECK_STR(s->rules[0].names.items[1], "x");
	CHECK_INT(s->rules[1].action, SECCOMP_RET_ALLOW);
	CHECK_STR(s->rules[1].field, "/linux/seccomp/syscalls/1");
	CHECK_INT(s->rules[1].arg_count, 1);
	CHECK_INT(s->rules[1].args[0].index, 5);
	CHECK_INT(s->rules[1].args[0].op, 7);
	CHECK(s->rules[1].args[0].value == UINT64_MAX && s->rules[1].args[0].value_two == 1);
	oci_spec_finish(&spec);
}

static void settings(void)
{
	static const char text[] =
		HEAD RUN ",\"linux\":{\"personality\":{\"domain\":\"LINUX32\"},"
			 "\"rootfsPropagation\":\"rslave\","
			 "\"memoryPolicy\":{\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"0,63\","
			 "\"flags\":[\"MPOL_F_STATIC_NODES\"]},\"maskedPaths\":[\"/a\",\"/b/\"]}}";
	struct oci_spec spec;
	struct oci_linux *l = &spec.linux_;

	if (!parse(text, &spec))
		return;
	CHECK(l->personality.present && l->personality.domain == 8);
	CHECK_INT(l->root_propagation, OCI_PROPAGATION_SLAVE);
	CHECK(l->root_propagation_recursive);
	CHECK(l->memory_policy.present && l->memory_policy.mode == 3);
	CHECK_INT(l->memory_policy.flags, 1 << 15);
	CHECK(l->memory_policy.nodes == (1ULL << 63 | 1));
	CHECK_INT(l->masked_paths.count, 2);
	CHECK_STR(l->masked_paths.items[1], "/b");
	CHECK(!l->masked_paths.items[2]);
	CHECK(!l->resources.present && !l->seccomp.present && !l->cgroups_path);
	oci_spec_finish(&spec);
}

static void hooks(void)
{
	static const char text[] = HEAD RUN
		",\"hooks\":{\"poststop\":[{\"path\":\"/a\"},{\"path\":\"/"
		"b\",\"args\":[\"c\",\"d\"],"
		"\"env\":[\"E=f\"],\"timeout\":7}],\"startContainer\":[{\"path\":\"/s\"}]}}";
	struct oci_spec spec;
	struct oci_hook *hook;

	if (!parse(text, &spec))
		return;
	CHECK_INT(spec.hooks.counts[OCI_HOOK_POSTSTOP], 2);
	CHECK_INT(spec.hooks.counts[OCI_HOOK_START_CONTAINER], 1);
	CHECK_INT(spec.hooks.counts[OCI_HOOK_PRESTART], 0);
	hook = spec.hooks.items[OCI_HOOK_POSTSTOP];
	CHECK_STR(hook[0].args.items[0], "/a");
	CHECK(!hook[0].args.items[1] && hook[0].env.items && !hook[0].env.items[0]);
	CHECK(!hook[0].has_timeout);
	CHECK_STR(hook[1].args.items[1], "d");
	CHECK_STR(hook[1].env.items[0], "E=f");
	CHECK(hook[1].has_timeout && hook[1].timeout_s == 7);
	CHECK_STR(hook[1].field, "/hooks/poststop/1");
	oci_spec_finish(&spec);
}

static const struct t_case cases[] = {
	{"scheduling", scheduling}, {"namespaces", namespaces}, {"seccomp", seccomp},
	{"settings", settings},     {"hooks", hooks},
};
T_MAIN("linux", cases)
