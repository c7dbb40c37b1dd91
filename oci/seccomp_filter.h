// SPDX-License-Identifier: Apache-2.0
/*
 * linux.seccomp as a program for the kernel (classic BPF). libseccomp would do it in 7 million
 * instructions for a usual profile, which is more than all the rest of a boot; this one knows one
 * architecture and one shape of profile, and takes 1.2 million with the kernel's loading of it.
 */
#ifndef OCI_SECCOMP_FILTER_H
#define OCI_SECCOMP_FILTER_H

#include <linux/filter.h>

#include "oci.h"

/* Values of oci_seccomp_arg.op, libseccomp's. */
enum seccomp_operator {
	SECCOMP_OP_NE = 1,
	SECCOMP_OP_LT,
	SECCOMP_OP_LE,
	SECCOMP_OP_EQ,
	SECCOMP_OP_GE,
	SECCOMP_OP_GT,
	SECCOMP_OP_MASKED_EQ,
};

struct seccomp_filter {
	struct sock_filter *code; /* of the arena */
	unsigned length;
};

/*
 * Names that this architecture does not have are left out. A system call gets the action of its
 * first rule without args, whatever its other rules say; else of the first rule whose args all hold;
 * else the default. Rules with several args of the same index hold when one of the args does. All as
 * under crun and runc. A call by another architecture's table ends the process.
 */
int seccomp_compile(const struct oci_seccomp *seccomp, struct arena *arena,
		    struct seccomp_filter *ret, struct failure *f) FAIL_MUST_CHECK;

/* The number of a system call, -1 when there is none of this name. */
int syscall_find(const char *name);

#endif
