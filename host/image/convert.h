// SPDX-License-Identifier: Apache-2.0
/* One layer's conversion: from its blob to a file system image. */
#ifndef HOST_IMAGE_CONVERT_H
#define HOST_IMAGE_CONVERT_H

#include "host/image/image.h"
#include "host/image/layer.h"

/* A hard link to a file that only a lower layer has. */
struct lower_link {
	struct lower_link *next;
	char *path;
	char *target;
};

struct conversion {
	const struct layer_image_ops *ops;
	struct layer_image *image;
	struct layer_tree tree;
	struct lower_link *links;
	uint64_t bytes;   /* of files, holes included */
	uint64_t ordinal; /* of the stream's entry */
	/* Instead of all entries: the one with this number, put at this path. 0: all. */
	uint64_t wanted;
	const char *wanted_path;
};

void conversion_init(struct conversion *c, const struct layer_image_ops *ops);
void conversion_finish(struct conversion *c);
void conversion_add_link(struct conversion *c, const char *path, const char *target);

/* Reads a layer into the tree and the image; max: bytes that it may have unpacked. */
int layer_read(struct conversion *c, const struct store *store, const struct image_layer *layer,
	       uint64_t max, struct failure *f) FAIL_MUST_CHECK;

/* An image's layers while they are converted, lowest first. */
struct layers {
	const struct image *image;
	const struct layer_image_ops *ops;
	uint64_t max;
	struct layer_tree *trees; /* of those that have been read; .root NULL: not yet */
};

void layers_init(struct layers *layers, const struct image *image,
		 const struct layer_image_ops *ops, uint64_t max);
void layers_finish(struct layers *layers);
/*
 * Writes layer number index into a new file. *ret_depends: the result depends on the layers below,
 * because the stream leaves something to them.
 */
int layers_convert(struct layers *layers, size_t index, const char *path, bool *ret_depends,
		   struct failure *f) FAIL_MUST_CHECK;
/* The same of all layers, as one. */
int layers_flatten(struct layers *layers, const char *path, struct failure *f) FAIL_MUST_CHECK;

#endif
