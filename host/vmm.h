// SPDX-License-Identifier: Apache-2.0
/*
 * What each VMM has to be told to boot a baked directory: one contract (docs/boot-contract.md) in the
 * words of five monitors. Paths are relative to the directory.
 */
#ifndef HOST_VMM_H
#define HOST_VMM_H

#include <stdio.h>

#include "host.h"

struct baked {
	unsigned memory_mib;
	unsigned cpus;
	const char *kernel;
	const char *initramfs;
	const struct strings *layers; /* lowest first */
	const char *upper;            /* disk image, or NULL */
	const char *upper_key;        /* value of smk.upper= where disks have serials, or NULL */
	const struct strings *append;
	const struct image_options *image;
};

struct vmm {
	const char *name;
	const char *file;    /* what it is told stands in this file */
	const char *words;   /* of the kernel's command line: the console, and more */
	const char *control; /* the same: the control channel; "" when a port has it */
	bool has_serials;    /* else disks are named by device */
	int (*print)(const struct vmm *vmm, const struct baked *baked, FILE *out,
		     struct failure *f);
};

extern const struct vmm vmms[];
extern const size_t vmm_count;
#define VMM_MAX 8                             /* room for all */
const struct vmm *vmm_find(const char *name); /* NULL: none has the name */

/* The kernel's command line, in memory that the caller frees. */
int vmm_command_line(const struct vmm *vmm, const struct baked *baked, char **ret,
		     struct failure *f) FAIL_MUST_CHECK;

/* vmm_command.c */
int vmm_print_qemu(const struct vmm *vmm, const struct baked *baked, FILE *out, struct failure *f);
int vmm_print_cloud_hypervisor(const struct vmm *vmm, const struct baked *baked, FILE *out,
			       struct failure *f);

#endif
