// SPDX-License-Identifier: Apache-2.0
/* The cache of layer images, shared by any number of smk. */
#ifndef HOST_CACHE_H
#define HOST_CACHE_H

#include "host/host.h"

#define CACHE_LAYERS "layers" /* the directory in smk's cache */
#define CACHE_NAMES  2

struct cache_request {
	/*
	 * Names that the image may have, NULL at the end. The first is also the lock's: whoever asks for the
	 * same first name waits.
	 */
	const char *names[CACHE_NAMES];
	const char *what; /* in "another smk packs this ..." */
	/* Makes the image at a temporary path; *ret_which: the name that it gets. */
	int (*make)(void *context, const char *temporary, unsigned *ret_which, struct failure *f);
	/* Whether waiting for another smk is over; NULL: when a signal says so. */
	bool (*wants_end)(void *context);
	void *context;
};

/* The path of the image, made now when it is not there. */
int cache_get(const struct cache_request *request, char **ret_image, bool *ret_is_cached,
	      struct failure *f) FAIL_MUST_CHECK;

/* The same in two steps, for who gets several images at once. */
struct cache_place {
	char *image; /* there; the caller's */
	/* Not there: the lock is ours, until cache_make(). */
	char *directory;
	char *lock_path;
	int lock_fd;
};
int cache_open(const struct cache_request *request, struct cache_place *ret,
	       struct failure *f) FAIL_MUST_CHECK;
/* Sets place->image; on failure it stays NULL. The place's lock is gone either way. */
int cache_make(const struct cache_request *request, struct cache_place *place,
	       struct failure *f) FAIL_MUST_CHECK;

/* Whether an image has the digest that it was made with; one that has another is removed. */
int cache_check(const char *image, const char *hex, struct failure *f) FAIL_MUST_CHECK;

/* Whether a file of the cache is what a killed smk left of an image that it made. */
bool cache_is_leftover(const char *directory, const char *name);

/* Removes what nobody has used for long: images, temporary files, locks. */
void cache_sweep(void);

#endif
