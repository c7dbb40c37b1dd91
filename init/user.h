// SPDX-License-Identifier: Apache-2.0
/* The user by name, from the image's passwd and group. */
#ifndef INIT_USER_H
#define INIT_USER_H

#include "init/guest.h"

#define USER_GROUPS_MAX 1024 /* supplementary groups that a name may bring */

struct user_ids {
	struct oci_user user; /* uid and gid are set */
	uint32_t groups[USER_GROUPS_MAX];
	size_t count;
};

/*
 * Pure: words is "USER[:GROUP]" of names or numbers; passwd and group are the files' texts. A name
 * that is not there is a failure.
 */
int user_find(const char *passwd, size_t passwd_length, const char *group, size_t group_length,
	      const char *words, struct user_ids *ret, struct failure *f) FAIL_MUST_CHECK;

/* In the child, in the container's root: *user gets the ids and groups that the words stand for. */
int user_resolve(const char *words, struct oci_user *user, struct failure *f) FAIL_MUST_CHECK;

/*
 * The first LOOKUP_MAX_BYTES of an image's regular file, which is empty when there is none. To be freed.
 */
#define LOOKUP_MAX_BYTES (1u << 20)
int lookup_read(const char *path, char **ret_text, size_t *ret_length,
		struct failure *f) FAIL_MUST_CHECK;
void lookup_free(char *text);

#endif
