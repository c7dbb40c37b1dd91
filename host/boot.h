// SPDX-License-Identifier: Apache-2.0
/* What a VM is made of, of a bundle or of an image. */
#ifndef HOST_BOOT_H
#define HOST_BOOT_H

#include "host/host.h"

struct boot {
	struct bundle bundle;    /* its configuration; an image's has no root */
	struct strings layers;   /* file system images, lowest first */
	struct strings diff_ids; /* of an image's layers, also when they were flattened */
	bool is_cached;          /* no layer had to be made */
	unsigned memory_mib;     /* of the guest */
};

void boot_init(struct boot *boot);
/* Fills an initialized boot, which the caller finishes, on failure too. */
int boot_prepare(const struct run_options *options, struct boot *boot,
		 struct failure *f) FAIL_MUST_CHECK;
void boot_finish(struct boot *boot);

#endif
