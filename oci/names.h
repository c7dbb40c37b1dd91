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

/* Namespaces: those that the virtual machine itself stands for, and those that it cannot. */
struct namespace_name {
	const char *name;
	bool is_machine;
};

#define NAMESPACE__COUNT 8

extern const struct namespace_name namespace_names[NAMESPACE__COUNT];
int namespace_find(const char *name); /* -1: unknown */

enum option_kind {
	OPTION_ATTR,        /* attributes of the mount: set, clear */
	OPTION_READONLY,    /* the same, and the superblock's */
	OPTION_BIND,        /* set: recursive */
	OPTION_PROPAGATION, /* set: enum oci_propagation; clear: recursive */
	OPTION_SUPERBLOCK,  /* handed to a new file system as it is */
	OPTION_DEFAULT,     /* asks for what is so anyway */
	OPTION_NO_EFFECT,   /* accepted, but nothing listens: a warning */
	OPTION_REFUSED,
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
