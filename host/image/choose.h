// SPDX-License-Identifier: Apache-2.0
/* Choosing an image in a store, and reading its documents; shared by choose.c and image.c. */
#ifndef HOST_IMAGE_CHOOSE_H
#define HOST_IMAGE_CHOOSE_H

#include "host/image/image.h"

/* What a reference says of the image; NULL: nothing. */
struct wanted {
	const char *tag;
	const char *digest; /* of a manifest, or of an index */
};

/* The manifest that these words and our platform leave. */
int choose_manifest(const struct image *image, const struct wanted *wanted,
		    struct oci_descriptor *ret, struct failure *f) FAIL_MUST_CHECK;
/* The same in a docker-archive. */
int choose_saved(const struct image *image, const struct wanted *wanted,
		 struct oci_saved_image *ret, struct failure *f) FAIL_MUST_CHECK;
int check_platform(const struct image *image, const struct oci_platform *platform,
		   struct failure *f) FAIL_MUST_CHECK;

/* Whether a descriptor's digest is one that smk can check. */
int check_digest(const char *digest, struct failure *f) FAIL_MUST_CHECK;
/* The file of a blob in a layout, by a digest that was checked; the caller frees it. */
char *blob_name(const char *digest);
int load_manifest(const struct image *image, const struct oci_descriptor *descriptor,
		  struct oci_manifest *ret, struct failure *f) FAIL_MUST_CHECK;
int load_config(const struct image *image, const struct oci_descriptor *descriptor,
		struct oci_image_config *ret, struct failure *f) FAIL_MUST_CHECK;

#endif
