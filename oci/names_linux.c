// SPDX-License-Identifier: Apache-2.0
/* The words of the "linux" section and of process, and the kernel's numbers for them. */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "names.h"

#define NAMES(name_, what_, rows_) \
	const struct names name_ = {what_, rows_, sizeof(rows_) / sizeof((rows_)[0])}

/* clang-format off */
static const struct name namespaces[] = {
	{"pid", OCI_NAMESPACE_PID}, {"network", OCI_NAMESPACE_NETWORK},
	{"mount", OCI_NAMESPACE_MOUNT}, {"ipc", OCI_NAMESPACE_IPC}, {"uts", OCI_NAMESPACE_UTS},
	{"cgroup", OCI_NAMESPACE_CGROUP}, {"user", OCI_NAMESPACE_USER},
	{"time", OCI_NAMESPACE_TIME},
};
_Static_assert(sizeof(namespaces) / sizeof(namespaces[0]) == OCI_NAMESPACE__COUNT,
	       "a name for each namespace");
NAMES(names_namespaces, "namespace", namespaces);

static const struct name propagations[] = {
	{"private", OCI_PROPAGATION_PRIVATE}, {"rprivate", OCI_PROPAGATION_PRIVATE | NAMES_RECURSIVE},
	{"shared", OCI_PROPAGATION_SHARED}, {"rshared", OCI_PROPAGATION_SHARED | NAMES_RECURSIVE},
	{"slave", OCI_PROPAGATION_SLAVE}, {"rslave", OCI_PROPAGATION_SLAVE | NAMES_RECURSIVE},
	{"unbindable", OCI_PROPAGATION_UNBINDABLE},
	{"runbindable", OCI_PROPAGATION_UNBINDABLE | NAMES_RECURSIVE},
};
NAMES(names_propagations, "propagation", propagations);

/* SCHED_ISO is a number without an implementation. */
static const struct name policies[] = {
	{"SCHED_OTHER", SCHED_NORMAL}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
	{"SCHED_BATCH", SCHED_BATCH}, {"SCHED_IDLE", SCHED_IDLE}, {"SCHED_DEADLINE", SCHED_DEADLINE},
};
NAMES(names_policies, "scheduling policy", policies);

static const struct name sched_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
	{"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
};
NAMES(names_sched_flags, "scheduling flag", sched_flags);

static const struct name io_classes[] = {
	{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT}, {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
	{"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
};
NAMES(names_io_classes, "I/O priority class", io_classes);

static const struct name domains[] = {{"LINUX", 0x0000}, {"LINUX32", 0x0008}};
NAMES(names_domains, "execution domain", domains);

/* By number: the headers of older distributions lack the newest. */
static const struct name mpol_modes[] = {
	{"MPOL_DEFAULT", 0}, {"MPOL_PREFERRED", 1}, {"MPOL_BIND", 2}, {"MPOL_INTERLEAVE", 3},
	{"MPOL_LOCAL", 4}, {"MPOL_PREFERRED_MANY", 5}, {"MPOL_WEIGHTED_INTERLEAVE", 6},
};
NAMES(names_mpol_modes, "memory policy", mpol_modes);

static const struct name mpol_flags[] = {
	{"MPOL_F_NUMA_BALANCING", 1u << 13}, {"MPOL_F_RELATIVE_NODES", 1u << 14},
	{"MPOL_F_STATIC_NODES", 1u << 15},
};
NAMES(names_mpol_flags, "memory policy flag", mpol_flags);

static const struct name seccomp_actions[] = {
	{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW}, {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
	{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD}, {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
	{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD}, {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
	{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE}, {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
};
NAMES(names_seccomp_actions, "seccomp action", seccomp_actions);

static const struct name seccomp_flags[] = {
	{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	/* The last: known, not supported. */
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};
NAMES(names_seccomp_flags, "seccomp flag", seccomp_flags);

static const struct name seccomp_operators[] = {
	{"SCMP_CMP_NE", 1}, {"SCMP_CMP_LT", 2}, {"SCMP_CMP_LE", 3}, {"SCMP_CMP_EQ", 4},
	{"SCMP_CMP_GE", 5}, {"SCMP_CMP_GT", 6}, {"SCMP_CMP_MASKED_EQ", 7},
};
NAMES(names_seccomp_operators, "seccomp operator", seccomp_operators);

static const struct name seccomp_archs[] = {
	{"SCMP_ARCH_AARCH64", NAMES_AARCH64}, {"SCMP_ARCH_ARM", 0}, {"SCMP_ARCH_LOONGARCH64", 0},
	{"SCMP_ARCH_M68K", 0}, {"SCMP_ARCH_MIPS", 0}, {"SCMP_ARCH_MIPS64", 0},
	{"SCMP_ARCH_MIPS64N32", 0}, {"SCMP_ARCH_MIPSEL", 0}, {"SCMP_ARCH_MIPSEL64", 0},
	{"SCMP_ARCH_MIPSEL64N32", 0}, {"SCMP_ARCH_PARISC", 0}, {"SCMP_ARCH_PARISC64", 0},
	{"SCMP_ARCH_PPC", 0}, {"SCMP_ARCH_PPC64", 0}, {"SCMP_ARCH_PPC64LE", 0},
	{"SCMP_ARCH_RISCV64", 0}, {"SCMP_ARCH_S390", 0}, {"SCMP_ARCH_S390X", 0}, {"SCMP_ARCH_SH", 0},
	{"SCMP_ARCH_SHEB", 0}, {"SCMP_ARCH_X32", 0}, {"SCMP_ARCH_X86", 0}, {"SCMP_ARCH_X86_64", 0},
};
NAMES(names_seccomp_archs, "seccomp architecture", seccomp_archs);

static const struct name hooks[] = {
	{"prestart", OCI_HOOK_PRESTART}, {"createRuntime", OCI_HOOK_CREATE_RUNTIME},
	{"createContainer", OCI_HOOK_CREATE_CONTAINER}, {"startContainer", OCI_HOOK_START_CONTAINER},
	{"poststart", OCI_HOOK_POSTSTART}, {"poststop", OCI_HOOK_POSTSTOP},
};
_Static_assert(sizeof(hooks) / sizeof(hooks[0]) == OCI_HOOK__COUNT, "a name for each hook");
NAMES(names_hooks, "hook", hooks);
/* clang-format on */
