// SPDX-License-Identifier: Apache-2.0
/*
 * An image's layers while they are converted.
 *
 * Several threads convert a layer each. What a layer takes from those below it, it takes in its
 * turn: when all lower ones have had theirs, and with that have a tree of names that is complete and
 * changes no more. Before its turn a layer reads its stream, which takes most of the time; after it
 * writes the rest of its image.
 */
#ifndef HOST_IMAGE_CONVERT_H
#define HOST_IMAGE_CONVERT_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/image/image.h"
#include "host/image/layer.h"

/* Lowest first. */
struct layers {
	const struct image *image;
	const struct layer_image_ops *ops;
	uint64_t max;
	struct layer_tree *trees; /* of those that have been read; .root NULL: not yet */
	pthread_mutex_t mutex;
	pthread_cond_t turned;
	bool *is_done;        /* with its turn */
	size_t turn;          /* all layers below it are */
	atomic_size_t failed; /* the lowest layer that has failed: those above it are of no use */
};

struct conversion {
	struct layers *layers;
	size_t index;
	const struct layer_image_ops *ops;
	struct layer_image *image;
	struct layer_tree *tree;
	uint64_t bytes;   /* of files, holes included */
	uint64_t ordinal; /* of the stream's entry */
	/* Instead of all entries: the contents of these, NULL at the end. NULL: all. */
	struct layer_inode **wanted;
};

/* ---- layer_tar.c ---------------------------------------------------------------------------- */

/* Reads the stream of a layer into the tree and the image. */
int layer_read(struct conversion *c, size_t index, struct failure *f) FAIL_MUST_CHECK;
int fail_link(const char *path, const char *target, struct failure *f);

/* ---- lower.c -------------------------------------------------------------------------------- */

/*
 * Takes from lower layers what the tree leaves to them: what directories without an entry look like,
 * and what hard links lead to. *ret_depends: it left something.
 */
int lower_resolve(struct layers *layers, size_t index, struct layer_tree *tree, bool *ret_depends,
		  struct failure *f) FAIL_MUST_CHECK;
/* The same for a layer that is merged onto the others, whose names are in `merged`. */
int lower_resolve_merged(const struct layer_tree *merged, struct layer_tree *tree,
			 struct failure *f) FAIL_MUST_CHECK;
/* Reads the contents of the files that links led to. */
int lower_read(struct conversion *c, struct failure *f) FAIL_MUST_CHECK;

/* ---- convert.c ------------------------------------------------------------------------------ */

/* tree: zeroed; it stays the caller's. */
void conversion_init(struct conversion *c, struct layers *layers, size_t index,
		     const struct layer_image_ops *ops, struct layer_tree *tree);
void conversion_finish(struct conversion *c);

void layers_init(struct layers *layers, const struct image *image,
		 const struct layer_image_ops *ops, uint64_t max);
void layers_finish(struct layers *layers);
/* Whether work on the layer is in vain. */
bool layers_want_end(struct layers *layers, size_t index);
/* There will be nothing of the layer. */
void layers_fail(struct layers *layers, size_t index);
/* The layer needs its turn no more: it had it, or is in the cache. */
void layers_pass(struct layers *layers, size_t index);
/*
 * Writes layer number index into a new file. *ret_depends: the result depends on the layers below,
 * because the stream leaves something to them. Waits for the turn, and passes it when all goes well.
 */
int layers_convert(struct layers *layers, size_t index, const char *path, bool *ret_depends,
		   struct failure *f) FAIL_MUST_CHECK;
/* All layers as one. */
int layers_flatten(struct layers *layers, const char *path, struct failure *f) FAIL_MUST_CHECK;

#endif
