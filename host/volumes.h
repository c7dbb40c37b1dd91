// SPDX-License-Identifier: Apache-2.0
/*
 * Directories of the host in the guest: which of the two transports has them, and the servers of one.
 *
 * 9p is in QEMU. virtiofs has a process for each directory, virtiofsd, which maps the guest's memory:
 * it is there from before QEMU begins until QEMU's end, and whatever way smk ends, it ends too.
 */
#ifndef HOST_VOLUMES_H
#define HOST_VOLUMES_H

#include "image/overrides.h"
#include "process.h"

struct volume_servers {
	struct image_options *image; /* its volumes have QEMU's ends of the sockets */
	char *program;
	struct process processes[VOLUMES_MAX];
};

void volumes_init(struct volume_servers *servers, struct image_options *image);
/* Decides what `auto` is; is_printed: nobody but the printed command line will run. */
int volumes_choose(struct volume_servers *servers, bool is_printed,
		   struct failure *f) FAIL_MUST_CHECK;
/* The servers, when there is something for them to do. */
int volumes_start(struct volume_servers *servers, struct failure *f) FAIL_MUST_CHECK;
/* Our copies of what QEMU has now. */
void volumes_close_fds(struct volume_servers *servers);
/*
 * Whether a server has failed: it ends well when QEMU hangs up, and in no other way. wait_ms: how long
 * to wait for its end, when QEMU is gone.
 */
int volumes_check(struct volume_servers *servers, int wait_ms, struct failure *f) FAIL_MUST_CHECK;
void volumes_finish(struct volume_servers *servers);

#endif
