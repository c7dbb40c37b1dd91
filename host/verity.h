// SPDX-License-Identifier: Apache-2.0
/*
 * dm-verity's hash tree, version 1 of its format (Documentation/admin-guide/device-mapper/verity.rst
 * in the kernel): SHA-256, blocks of 4096 bytes, no salt, so that the same layer has the same root.
 */
#ifndef HOST_VERITY_H
#define HOST_VERITY_H

#include "host.h"

#define VERITY_BLOCK 4096u

struct verity {
	uint64_t data_blocks; /* the tree stands behind them, after one block for its superblock */
	char root_hex[65];
};

/* Puts the tree of the file's contents behind them. */
int verity_append(int fd, const char *path, struct verity *ret, struct failure *f) FAIL_MUST_CHECK;

/* The digest and length of a file from its beginning, in the form of manifests. */
int verity_hash_file(int fd, const char *path, char ret_hex[65], uint64_t *ret_size,
		     struct failure *f) FAIL_MUST_CHECK;

#endif
