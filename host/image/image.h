// SPDX-License-Identifier: Apache-2.0
/*
 * An image on this machine's disk, read where it lies: an OCI layout directory, or a tar of one
 * (oci-archive), or what `docker save` writes (docker-archive).
 *
 *   store.c   names -> bytes, verified while they are read
 *   image.c   a reference -> one image: its configuration and its layers
 *
 * Nothing of an image is trusted: every blob that a digest names is checked against it, and its
 * size, before what it says is used.
 */
#ifndef HOST_IMAGE_IMAGE_H
#define HOST_IMAGE_IMAGE_H

#include "host/host.h"
#include "lib/sha256.h"
#include "oci/image.h"

struct archive;

enum store_kind {
	STORE_LAYOUT,         /* a directory */
	STORE_OCI_ARCHIVE,    /* a tar file of one */
	STORE_DOCKER_ARCHIVE, /* a tar file with manifest.json */
	STORE__COUNT,
};

/* Their names in front of a reference. */
extern const char *const store_kinds[STORE__COUNT];

struct store {
	enum store_kind kind;
	char *path;
	int dir_fd; /* of a layout */
};

/* Finds out what is there; what: a transport's name, or NULL for any. */
int store_open(const char *path, const char *what, struct store *ret,
	       struct failure *f) FAIL_MUST_CHECK;
void store_finish(struct store *store);

/* What a blob has to be. digest NULL: nothing is known (a docker-archive's). */
struct blob_claim {
	const char *digest;
	bool has_size;
	uint64_t size;
};

struct blob {
	const char *shown;       /* in messages */
	struct archive *archive; /* of an archive's entry */
	int fd;                  /* of a layout's file */
	struct blob_claim claim;
	struct sha256 hash;
	uint64_t length; /* read so far */
};

/* name: a file of the store. The blob keeps `name` and the claim's digest. */
int blob_open(const struct store *store, const char *name, struct blob_claim claim,
	      struct blob *ret, struct failure *f) FAIL_MUST_CHECK;
/* Bytes read, 0 at the end, -1. The end comes only when the claim has proved true. */
ssize_t blob_read(struct blob *blob, void *buffer, size_t size, struct failure *f);
void blob_finish(struct blob *blob);

/* A whole small blob, verified, in memory that the caller frees. */
int blob_load(const struct store *store, const char *name, struct blob_claim claim,
	      char **ret_bytes, size_t *ret_length, struct failure *f) FAIL_MUST_CHECK;

/* ---- image.c -------------------------------------------------------------------------------- */

struct image_layer {
	char *name;   /* in the store */
	char *digest; /* of the blob, or NULL */
	bool has_size;
	uint64_t size;
	const char *diff_id; /* of the tar stream in it */
};

struct image {
	struct store store;
	char *reference; /* as given */
	struct arena *arena;
	char *config_digest;
	struct oci_image_config config;
	struct image_layer *layers; /* lowest first */
	size_t layer_count;
};

/* [TRANSPORT:]PATH[:TAG][@sha256:HEX]; the image for linux/arm64. */
int image_open(const char *reference, struct image *ret, struct failure *f) FAIL_MUST_CHECK;
void image_finish(struct image *image);
/* Whether the words name an image, and not a bundle. */
bool image_is_reference(const char *reference);

#endif
