// SPDX-License-Identifier: Apache-2.0
/* The directory a file is to be put in. */
#ifndef LIB_DIRECTORY_H
#define LIB_DIRECTORY_H

#include <stdbool.h>

#include "result.h"

struct place {
	int directory_fd;
	const char *name; /* last component, points into the path */
};

/*
 * Opens path's directory. with_parents makes what is missing (0777 less umask, each one synced into
 * its parent). SMK_ERROR_TARGET when path can only name a directory ("a/", "..").
 */
enum smk_result directory_open(const char *path, bool with_parents, struct place *ret) MUST_CHECK;
/* fsync of a directory, as far as its file system has one. */
enum smk_result directory_sync(int fd) MUST_CHECK;

#endif
