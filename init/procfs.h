// SPDX-License-Identifier: Apache-2.0
/*
 * Writing into procfs and cgroupfs: through descriptors of init-oci's own mounts, and only if they
 * are what they should be. A file system that an image or a configuration put into their place would
 * take the value and make nothing of it (CVE-2019-16884).
 */
#ifndef INIT_PROCFS_H
#define INIT_PROCFS_H

#include <smk/fail.h>

/*
 * Writes text, in one write, into the file at path below dir_fd, which must be on a file system of
 * this type (linux/magic.h). No link is followed and no mount crossed on the way.
 */
int kernel_file_write(int dir_fd, const char *path, long magic, const char *text,
		      struct failure *f) FAIL_MUST_CHECK;

#endif
