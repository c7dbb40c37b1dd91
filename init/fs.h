// SPDX-License-Identifier: Apache-2.0
/*
 * New file systems through the kernel's file system contexts: one option at a time (nothing is cut
 * or re-split), and what the kernel says about a refused option ends up in the failure.
 */
#ifndef INIT_FS_H
#define INIT_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smk/fail.h>

struct fs {
	int fd;             /* the context; close with fs_finish() */
	const char *fstype; /* for messages */
	const char *where;  /* for messages: the path the file system is for */
};

int fs_init(struct fs *fs, const char *fstype, const char *where,
	    struct failure *f) FAIL_MUST_CHECK;
void fs_finish(struct fs *fs);

/* value NULL: a flag */
int fs_set(struct fs *fs, const char *key, const char *value, struct failure *f) FAIL_MUST_CHECK;
/* option is "key" or "key=value" */
int fs_set_option(struct fs *fs, const char *option, struct failure *f) FAIL_MUST_CHECK;
/* Makes the superblock and a mount of it that is attached nowhere yet. attrs: MOUNT_ATTR_* */
int fs_mount(struct fs *fs, uint64_t attrs, int *ret_mount_fd, struct failure *f) FAIL_MUST_CHECK;

/* A file system whose options are known beforehand, in one call. */
struct fs_request {
	const char *fstype;
	const char *source; /* NULL: none */
	const char *where;
	bool is_readonly; /* the superblock */
	uint64_t attrs;
	const char *const *options; /* ends with NULL; may be NULL */
	const char *last_option;    /* one more, or NULL */
};

int fs_mount_request(const struct fs_request *request, int *ret_mount_fd,
		     struct failure *f) FAIL_MUST_CHECK;

#endif
