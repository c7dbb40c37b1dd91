// SPDX-License-Identifier: Apache-2.0
/*
 * Paths inside the container's root. The image behind them may be hostile: every path is resolved
 * by openat2 with the container's root as the root, magic links refused. Links are followed inside
 * that root; where a link dangles, what it names is created inside that root, too.
 */
#ifndef INIT_TARGET_H
#define INIT_TARGET_H

#include <stdint.h>

#include <smk/fail.h>

/* O_PATH descriptor of something that exists. flags: O_NOFOLLOW, O_DIRECTORY */
int target_open(int root_fd, const char *path, int flags, int *ret_fd,
		struct failure *f) FAIL_MUST_CHECK;
/* The same, links followed; *ret_fd is -1 when there is no such path. */
int target_find(int root_fd, const char *path, int *ret_fd, struct failure *f) FAIL_MUST_CHECK;
/* As target_open(), after making what is missing: directories with mode 0755, the last with `mode`.
 */
int target_make_dir(int root_fd, const char *path, uint32_t mode, int *ret_fd,
		    struct failure *f) FAIL_MUST_CHECK;
/* The same for a file: an empty one with mode 0644 when nothing is there. */
int target_make_file(int root_fd, const char *path, int *ret_fd, struct failure *f) FAIL_MUST_CHECK;

/* The directory that the last path of these was in: one resolution serves a row of entries in /dev.
 */
struct target_parent {
	char path[256];
	int fd; /* -1: none */
};

/*
 * The directory that path's last component is in (made when missing) and that component. Both stay
 * the cache's; target_parent_forget() after anything that may change what the path means.
 */
int target_parent(int root_fd, const char *path, struct target_parent *cache, const char **ret_name,
		  struct failure *f) FAIL_MUST_CHECK;
void target_parent_forget(struct target_parent *cache);

#endif
