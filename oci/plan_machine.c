// SPDX-License-Identifier: Apache-2.0
/*
 * What is set in the kernel rather than in the root: the cgroup, network devices, parameters, names. Each belongs to a namespace; what the container has no namespace of its own for is the
 * machine's, and PID 1 does it. The network is always the machine's, unless one is joined.
 */
#include <string.h>

#include "arena.h"
#include "document.h"
#include "planner.h"

#define CGROUP_DEFAULT "container"

static bool wants_cgroup(const struct planner *planner)
{
	const struct oci_spec *spec = planner->spec;

	if (spec->linux_.cgroups_path || spec->linux_.resources.present ||
	    planner_has(planner, OCI_NAMESPACE_CGROUP))
		return true;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const char *type = spec->mounts[i].type;

		if (type && (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0))
			return true;
	}
	return false;
}

static int plan_writes(struct planner *planner, const struct oci_resources *resources,
		       struct failure *f)
{
	for (size_t i = 0; i < resources->write_count; i++) {
		const struct oci_cgroup_write *write = &resources->writes[i];
		const struct step step = {
			.kind = STEP_CGROUP_WRITE,
			.flags = write->optional ? STEP_OPTIONAL : 0,
			.field = write->field,
			.src = write->text,
			.dst = write->file,
		};

		if (planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}

static int plan_cgroup(struct planner *planner, struct failure *f)
{
	const struct oci_linux *linux_ = &planner->spec->linux_;
	struct step cgroup = {
		.kind = STEP_CGROUP, .field = "<builtin:cgroup>", .src = CGROUP_DEFAULT};
	const struct step devices = {
		.kind = STEP_CGROUP_DEVICES,
		.field = "/linux/resources/devices",
		.rules = linux_->resources.devices,
		.count = linux_->resources.device_count,
	};

	if (!wants_cgroup(planner))
		return 0;
	if (linux_->cgroups_path) {
		cgroup.field = "/linux/cgroupsPath";
		cgroup.src = linux_->cgroups_path;
	}
	if (planner_add(planner, &cgroup, f) || plan_writes(planner, &linux_->resources, f))
		return -1;
	return devices.count ? planner_add(planner, &devices, f) : 0;
}

static int plan_network(struct planner *planner, struct failure *f)
{
	const struct oci_linux *linux_ = &planner->spec->linux_;
	const char *joined = linux_->namespaces[OCI_NAMESPACE_NETWORK].path;
	static const struct step loopback = {
		.kind = STEP_LOOPBACK, .flags = STEP_OPTIONAL, .field = "<builtin:loopback>"};

	if (!joined && planner_add(planner, &loopback, f))
		return -1;
	for (size_t i = 0; i < linux_->net_device_count; i++) {
		const struct oci_net_device *device = &linux_->net_devices[i];
		const struct step step = {
			.kind = STEP_NET_DEVICE,
			.field = device->field,
			.src = device->name,
			.dst = device->rename ? device->rename : device->name,
			.network = joined,
		};

		if (planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}

/* Parameters that each namespace of a kind has for itself. */
static const struct {
	const char *prefix;
	enum oci_namespace_kind kind;
} scopes[] = {
	{"net/", OCI_NAMESPACE_NETWORK},        {"fs/mqueue/", OCI_NAMESPACE_IPC},
	{"kernel/msg", OCI_NAMESPACE_IPC},      {"kernel/shm", OCI_NAMESPACE_IPC},
	{"kernel/sem", OCI_NAMESPACE_IPC},      {"kernel/auto_msgmni", OCI_NAMESPACE_IPC},
	{"kernel/hostname", OCI_NAMESPACE_UTS}, {"kernel/domainname", OCI_NAMESPACE_UTS},
	{"user/", OCI_NAMESPACE_USER},
};

static bool is_container_sysctl(const struct planner *planner, const char *path)
{
	const struct oci_namespace *namespaces = planner->spec->linux_.namespaces;

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		if (strncmp(path, scopes[i].prefix, strlen(scopes[i].prefix)) != 0)
			continue;
		if (scopes[i].kind == OCI_NAMESPACE_NETWORK)
			return namespaces[OCI_NAMESPACE_NETWORK].path;
		return namespaces[scopes[i].kind].present;
	}
	return false;
}

static int plan_sysctls(struct planner *planner, bool of_container, struct failure *f)
{
	const struct oci_linux *linux_ = &planner->spec->linux_;

	for (size_t i = 0; i < linux_->sysctl_count; i++) {
		const struct oci_sysctl *sysctl = &linux_->sysctls[i];
		const struct step step = {
			.kind = STEP_SYSCTL,
			.field = sysctl->field,
			.src = sysctl->value,
			.dst = sysctl->path,
		};

		if (is_container_sysctl(planner, sysctl->path) == of_container &&
		    planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}

static int plan_names(struct planner *planner, bool of_container, struct failure *f)
{
	struct step hostname = {
		.kind = STEP_HOSTNAME, .field = "/hostname", .src = planner->spec->hostname};
	struct step domainname = {
		.kind = STEP_DOMAINNAME, .field = "/domainname", .src = planner->spec->domainname};

	if (planner_has(planner, OCI_NAMESPACE_UTS) != of_container)
		return 0;
	if (hostname.src && planner_add(planner, &hostname, f))
		return -1;
	return domainname.src ? planner_add(planner, &domainname, f) : 0;
}

int plan_machine(struct planner *planner, struct failure *f)
{
	if (plan_cgroup(planner, f) || plan_network(planner, f) || plan_names(planner, false, f))
		return -1;
	return plan_sysctls(planner, false, f);
}

int plan_settings(struct planner *planner, struct failure *f)
{
	struct step cwd = {.kind = STEP_MKDIR,
			   .field = "/process/cwd",
			   .dst = planner->spec->process.cwd,
			   .mode = 0755};

	if (plan_names(planner, true, f) || plan_sysctls(planner, true, f))
		return -1;
	return strcmp(cwd.dst, "/") != 0 ? planner_add(planner, &cwd, f) : 0;
}
