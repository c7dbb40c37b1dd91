// SPDX-License-Identifier: Apache-2.0
/* The initramfs: a small cpio archive (newc), described as parts that need not be copied. Pure. */
#ifndef LIB_INITRAMFS_H
#define LIB_INITRAMFS_H

#include <stddef.h>
#include <sys/uio.h>

#define INITRAMFS_ENTRIES    5 /* with the trailer */
#define INITRAMFS_PARTS      (3 * INITRAMFS_ENTRIES)
#define INITRAMFS_HEADER_MAX 144 /* header of 110 bytes, name, NUL, padding */

struct initramfs {
	char headers[INITRAMFS_ENTRIES][INITRAMFS_HEADER_MAX];
	struct iovec parts[INITRAMFS_PARTS]; /* in order: the archive's bytes */
	size_t count;
	size_t length;
};

/* Each length must fit 32 bits. The parts point to init, config and into ret, which must not move.
 */
void initramfs_build(const void *init, size_t init_length, const void *config, size_t config_length,
		     struct initramfs *ret);

#endif
