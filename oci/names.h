// SPDX-License-Identifier: Apache-2.0
/* Names of the runtime specification and the kernel's numbers for them. */
#ifndef OCI_NAMES_H
#define OCI_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci.h"

#define CAPABILITY__COUNT 41 /* up to CAP_CHECKPOINT_RESTORE */

extern const char *const capability_names[CAPABILITY__COUNT]; /* index: the kernel's number */
int capability_find(const char *name);                        /* -1: unknown */

#define RLIMIT__COUNT 16

extern const char *const rlimit_names[RLIMIT__COUNT]; /* index: asm-generic's number */
int rlimit_find(const char *name);                    /* -1: unknown */

/* A set of words and what each means to the kernel. */
struct name {
	const char *name;
	uint32_t value;
};

struct names {
	const char *what; /* in "unknown WHAT" */
	const struct name *rows;
	size_t count;
};

extern const struct names names_namespaces;        /* enum oci_namespace_kind */
extern const struct names names_propagations;      /* enum oci_propagation; NAMES_RECURSIVE or-ed */
extern const struct names names_policies;          /* SCHED_* */
extern const struct names names_sched_flags;       /* SCHED_FLAG_* */
extern const struct names names_io_classes;        /* IOPRIO_CLASS_* */
extern const struct names names_domains;           /* PER_* */
extern const struct names names_mpol_modes;        /* MPOL_* */
extern const struct names names_mpol_flags;        /* MPOL_F_* */
extern const struct names names_seccomp_actions;   /* SECCOMP_RET_* */
extern const struct names names_seccomp_flags;     /* SECCOMP_FILTER_FLAG_* */
extern const struct names names_seccomp_operators; /* enum scmp_compare */
extern const struct names names_seccomp_archs;     /* NAMES_AARCH64, or 0 */
extern const struct names names_hooks;             /* enum oci_hook_kind */

#define NAMES_RECURSIVE 0x100u
#define NAMES_AARCH64   1u

enum option_kind {
	OPTION_ATTR,        /* attributes of the mount: set, clear */
	OPTION_READONLY,    /* the same, and the superblock's */
	OPTION_RECURSIVE,   /* attributes of the mount and of all below it: set, clear */
	OPTION_BIND,        /* set: recursive */
	OPTION_PROPAGATION, /* set: enum oci_propagation; clear: recursive */
	OPTION_IDMAP,       /* set: enum oci_idmap */
	OPTION_REMOUNT,
	OPTION_TMPCOPYUP,
	OPTION_COPY_SYMLINK,
	OPTION_SUPERBLOCK, /* handed to a new file system as it is */
	OPTION_DEFAULT,    /* asks for what is so anyway */
	OPTION_NO_EFFECT,  /* accepted, but nothing listens: a warning */
};

struct option_name {
	const char *name;
	enum option_kind kind;
	uint64_t set;
	uint64_t clear;
};

extern const struct option_name option_names[];
extern const size_t option_name_count;
const struct option_name *option_find(const char *name); /* NULL: the file system's own */

#endif
