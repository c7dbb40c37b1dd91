// SPDX-License-Identifier: Apache-2.0
/*
 * An OCI image's documents as plain structs (image-spec 1.1: descriptor.md, image-index.md,
 * manifest.md, config.md) and the manifest.json of `docker save`. Names of properties that other
 * producers write in another way (Docker's media types) mean the same.
 *
 * Ownership: all memory is the arena's that the caller gives; strings have no NUL inside. A document
 * that was not read whole from a trusted place has to be verified by its digest first.
 */
#ifndef OCI_IMAGE_H
#define OCI_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smk/fail.h>

#include "oci_linux.h"

struct arena;

#define OCI_IMAGE_MAX_BYTES  (4u << 20)  /* of one document, as for config.json */
#define OCI_IMAGE_HEAP_BYTES (64u << 20) /* what reading one may take */
#define OCI_DIGEST_HEX       64          /* sha256, the only algorithm that is read */

/* What a descriptor's mediaType says that a blob is. */
enum oci_media {
	OCI_MEDIA_UNKNOWN,
	OCI_MEDIA_INDEX,
	OCI_MEDIA_MANIFEST,
	OCI_MEDIA_CONFIG,
	OCI_MEDIA_LAYER,     /* compression told by the blob's own first bytes */
	OCI_MEDIA_FOREIGN,   /* "nondistributable": not in the image */
	OCI_MEDIA_ENCRYPTED, /* ocicrypt's */
	OCI_MEDIA__COUNT,
};

enum oci_media oci_media_find(const char *type);

struct oci_platform {
	const char *os; /* each NULL when absent */
	const char *architecture;
	const char *variant;
};

/* descriptor.md */
struct oci_descriptor {
	const char *media_type;
	enum oci_media media;
	const char *digest; /* "sha256:" and OCI_DIGEST_HEX lower-case digits */
	uint64_t size;
	bool has_platform;
	struct oci_platform platform;
	const char *ref_name; /* annotation org.opencontainers.image.ref.name, or NULL */
};

/* image-index.md; index.json of a layout is one */
struct oci_index {
	struct oci_descriptor *manifests;
	size_t count;
};

/* manifest.md */
struct oci_manifest {
	struct oci_descriptor config;
	struct oci_descriptor *layers; /* lowest first */
	size_t layer_count;
};

struct oci_pair {
	const char *key;
	const char *value; /* NULL where the document has an empty object: a port, a volume */
};

struct oci_pairs {
	struct oci_pair *items; /* in the document's order */
	size_t count;
};

/* config.md: what a container of the image starts with. Strings are NULL when absent. */
struct oci_image_config {
	struct oci_platform platform;
	const char *author;
	const char *created;
	const char *user;
	const char *working_dir;
	const char *stop_signal;
	struct oci_strings entrypoint;
	struct oci_strings cmd;
	struct oci_strings env;
	struct oci_pairs exposed_ports;
	struct oci_pairs volumes;
	struct oci_pairs labels;
	struct oci_strings diff_ids; /* each a digest as in a descriptor */
};

/* One image of `docker save`'s manifest.json; the names are files of the archive. */
struct oci_saved_image {
	const char *config;
	struct oci_strings tags;
	struct oci_strings layers;
};

struct oci_saved {
	struct oci_saved_image *images;
	size_t count;
};

/*
 * Each reads one document. name: what it is called in messages ("index.json", a digest).
 * Failures name the property as a JSON pointer.
 */
int oci_index_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
		    struct oci_index *ret, struct failure *f) FAIL_MUST_CHECK;
/* image-layout.md: the file oci-layout. */
int oci_layout_check(struct arena *arena, const char *name, const char *bytes, size_t length,
		     struct failure *f) FAIL_MUST_CHECK;
int oci_manifest_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
		       struct oci_manifest *ret, struct failure *f) FAIL_MUST_CHECK;
int oci_image_config_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
			   struct oci_image_config *ret, struct failure *f) FAIL_MUST_CHECK;
int oci_saved_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
		    struct oci_saved *ret, struct failure *f) FAIL_MUST_CHECK;
/* A JSON array of strings, of the command line. */
int oci_strings_parse(struct arena *arena, const char *name, const char *text,
		      struct oci_strings *ret, struct failure *f) FAIL_MUST_CHECK;

#endif
