// SPDX-License-Identifier: Apache-2.0
/* The "linux" object: a row for each property that is honoured; the rest is up to the fates. */
#include "parse.h"

#define LINUX        offsetof(struct oci_spec, linux_)
#define MEMBER(name) offsetof(struct oci_spec, linux_.name)

static const struct rule linux_rows[] = {
	{.key = "namespaces", .read = parse_namespaces, .offset = LINUX},
	{.key = "uidMappings", .read = parse_id_maps, .offset = MEMBER(uid_maps)},
	{.key = "gidMappings", .read = parse_id_maps, .offset = MEMBER(gid_maps)},
	{.key = "timeOffsets", .read = parse_time_offsets, .offset = LINUX},
	{.key = "devices", .read = parse_devices},
	{.key = "cgroupsPath", .read = parse_cgroups_path, .offset = MEMBER(cgroups_path)},
	{.key = "resources", .read = parse_resources, .offset = MEMBER(resources)},
	{.key = "rootfsPropagation", .read = parse_root_propagation, .offset = LINUX},
	{.key = "seccomp", .read = parse_seccomp, .offset = MEMBER(seccomp)},
	{.key = "sysctl", .read = parse_sysctl, .offset = LINUX},
	{.key = "maskedPaths", .read = parse_paths, .offset = MEMBER(masked_paths)},
	{.key = "readonlyPaths", .read = parse_paths, .offset = MEMBER(readonly_paths)},
	{.key = "personality", .read = parse_personality, .offset = MEMBER(personality)},
	{.key = "netDevices", .read = parse_net_devices, .offset = LINUX},
	{.key = "memoryPolicy", .read = parse_memory_policy, .offset = MEMBER(memory_policy)},
};
RULES(linux_rules, linux_rows);

int parse_linux(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	struct oci_spec *spec = ret;

	(void)rule; /* the table says it */
	if (field_members(field, &linux_rules, spec, f))
		return -1;
	return check_namespaces(field, &spec->linux_, f);
}
