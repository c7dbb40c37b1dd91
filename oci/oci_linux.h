// SPDX-License-Identifier: Apache-2.0
/*
 * The "linux" section of config.json and what process has beside the basics, as plain structs
 * (config-linux.md, config.md of runtime-spec 1.3). Names are already the kernel's numbers. Ownership
 * as in oci.h: everything hangs off the spec's arena; absent is a zeroed struct (present = false).
 */
#ifndef OCI_LINUX_H
#define OCI_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of strings; items[count] is NULL, so that items can be given to execve. */
struct oci_strings {
	char **items;
	size_t count;
};

/* ---- namespaces ----------------------------------------------------------------------------- */

enum oci_namespace_kind {
	OCI_NAMESPACE_PID,
	OCI_NAMESPACE_NETWORK,
	OCI_NAMESPACE_MOUNT,
	OCI_NAMESPACE_IPC,
	OCI_NAMESPACE_UTS,
	OCI_NAMESPACE_CGROUP,
	OCI_NAMESPACE_USER,
	OCI_NAMESPACE_TIME,
	OCI_NAMESPACE__COUNT,
};

/* "network" without a path is the machine's own network: the VM is the isolation. */
struct oci_namespace {
	bool present;
	const char *path; /* join this one (a path in the boot root); NULL: a new one */
	const char *field;
};

struct oci_id_map {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct oci_id_maps {
	struct oci_id_map *items;
	size_t count;
};

struct oci_time_offset {
	bool present;
	int64_t secs;
	uint32_t nanosecs;
};

/* ---- resources (cgroup v2) ------------------------------------------------------------------ */

/* One file of the container's cgroup and what to write into it, in order: all of resources but the
 * devices has been turned into these (config-linux.md, "Control groups"). */
struct oci_cgroup_write {
	const char *file; /* "memory.max" */
	const char *text;
	const char *field; /* JSON pointer */
	bool optional;     /* a kernel without that file: a warning */
};

/* type 'a' matches all; major, minor -1: any. Applied in order, the last match wins. */
struct oci_device_rule {
	bool allow;
	char type; /* 'a', 'b', 'c' */
	int64_t major;
	int64_t minor;
	bool read, write, mknod;
};

struct oci_resources {
	bool present;
	struct oci_cgroup_write *writes;
	size_t write_count;
	struct oci_device_rule *devices;
	size_t device_count;
};

/* ---- seccomp -------------------------------------------------------------------------------- */

struct oci_seccomp_arg {
	uint32_t index; /* 0-5 */
	uint32_t op;    /* enum scmp_compare of libseccomp */
	uint64_t value;
	uint64_t value_two;
};

struct oci_seccomp_rule {
	struct oci_strings names;
	uint32_t action; /* SECCOMP_RET_* with data */
	struct oci_seccomp_arg *args;
	size_t arg_count;
	const char *field;
};

struct oci_seccomp {
	bool present;
	uint32_t default_action; /* SECCOMP_RET_* with data */
	uint32_t flags;          /* SECCOMP_FILTER_FLAG_* */
	bool has_architectures;
	bool has_aarch64; /* SCMP_ARCH_AARCH64 is listed (or the list is absent) */
	struct oci_seccomp_rule *rules;
	size_t rule_count;
};

/* ---- the process ---------------------------------------------------------------------------- */

struct oci_scheduler {
	bool present;
	uint32_t policy; /* SCHED_* */
	int32_t nice;
	uint32_t priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

struct oci_io_priority {
	bool present;
	int class; /* IOPRIO_CLASS_* */
	int priority;
};

#define OCI_CPUS_MAX 1024
struct oci_cpu_set {
	bool present;
	uint64_t bits[OCI_CPUS_MAX / 64];
};

struct oci_personality {
	bool present;
	unsigned long domain; /* PER_* with flags */
};

struct oci_memory_policy {
	bool present;
	int mode;       /* MPOL_* */
	unsigned flags; /* MPOL_F_* */
	uint64_t nodes; /* bit n: node n */
};

/* ---- the rest ------------------------------------------------------------------------------- */

struct oci_sysctl {
	const char *key;  /* with dots, as written */
	const char *path; /* "net/ipv4/ip_forward", below /proc/sys */
	const char *value;
	const char *field;
};

struct oci_net_device {
	const char *name;   /* in the machine */
	const char *rename; /* in the container; NULL: the same */
	const char *field;
};

struct oci_hook {
	const char *path;
	struct oci_strings args; /* args[0] too */
	struct oci_strings env;
	bool has_timeout;
	uint32_t timeout_s;
	const char *field;
};

enum oci_hook_kind {
	OCI_HOOK_PRESTART,       /* host */
	OCI_HOOK_CREATE_RUNTIME, /* host */
	OCI_HOOK_CREATE_CONTAINER, /* guest, in the container's namespaces, before the root is entered */
	OCI_HOOK_START_CONTAINER, /* guest, inside the container, before the entrypoint's exec */
	OCI_HOOK_POSTSTART,       /* host */
	OCI_HOOK_POSTSTOP,        /* host */
	OCI_HOOK__COUNT,
};

struct oci_hooks {
	struct oci_hook *items[OCI_HOOK__COUNT];
	size_t counts[OCI_HOOK__COUNT];
};

struct oci_linux {
	struct oci_namespace namespaces[OCI_NAMESPACE__COUNT];
	struct oci_id_maps uid_maps;
	struct oci_id_maps gid_maps;
	struct oci_time_offset monotonic;
	struct oci_time_offset boottime;
	const char *cgroups_path;
	struct oci_resources resources;
	struct oci_seccomp seccomp;
	int root_propagation; /* enum oci_propagation; with root_propagation_recursive */
	bool root_propagation_recursive;
	struct oci_strings masked_paths;
	struct oci_strings readonly_paths;
	struct oci_sysctl *sysctls;
	size_t sysctl_count;
	struct oci_personality personality;
	struct oci_net_device *net_devices;
	size_t net_device_count;
	struct oci_memory_policy memory_policy;
};

#endif
