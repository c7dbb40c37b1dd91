// SPDX-License-Identifier: Apache-2.0
/* A layer's conversion as a whole, all layers' into one image, and the turns of several at once. */
#include "host/image/convert.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define ENTRIES_MAX (4u << 20)

void conversion_init(struct conversion *c, struct layers *layers, size_t index,
		     const struct layer_image_ops *ops, struct layer_tree *tree)
{
	*c = (struct conversion){.layers = layers, .index = index, .ops = ops, .tree = tree};
	tree_init(tree, ENTRIES_MAX);
}

void conversion_finish(struct conversion *c)
{
	/* Before the tree, into whose inodes the image's threads write. */
	c->ops->destroy(c->image);
	*c = (struct conversion){.ops = NULL};
}

/* ---- turns ---------------------------------------------------------------------------------- */

void layers_init(struct layers *layers, const struct image *image,
		 const struct layer_image_ops *ops, uint64_t max)
{
	*layers = (struct layers){.image = image, .ops = ops, .max = max};
	layers->trees = must_alloc(image->layer_count * sizeof(struct layer_tree));
	layers->is_done = must_alloc(image->layer_count);
	pthread_mutex_init(&layers->mutex, NULL);
	pthread_cond_init(&layers->turned, NULL);
	atomic_init(&layers->failed, SIZE_MAX);
}

void layers_finish(struct layers *layers)
{
	for (size_t i = 0; layers->trees && i < layers->image->layer_count; i++)
		tree_finish(&layers->trees[i]);
	free(layers->trees);
	free(layers->is_done);
	pthread_mutex_destroy(&layers->mutex);
	pthread_cond_destroy(&layers->turned);
	*layers = (struct layers){.image = NULL};
}

bool layers_want_end(struct layers *layers, size_t index)
{
	return signals_want_end() || index > atomic_load(&layers->failed);
}

void layers_fail(struct layers *layers, size_t index)
{
	size_t lowest = atomic_load(&layers->failed);

	while (index < lowest && !atomic_compare_exchange_weak(&layers->failed, &lowest, index))
		;
	layers_pass(layers, index);
}

void layers_pass(struct layers *layers, size_t index)
{
	pthread_mutex_lock(&layers->mutex);
	layers->is_done[index] = true;
	while (layers->turn < layers->image->layer_count && layers->is_done[layers->turn])
		layers->turn++;
	pthread_cond_broadcast(&layers->turned);
	pthread_mutex_unlock(&layers->mutex);
}

/* A lower layer that has failed ends the wait, too: it passes, and there is no use in going on. */
static int wait_for_turn(struct layers *layers, size_t index, struct failure *f)
{
	pthread_mutex_lock(&layers->mutex);
	while (layers->turn < index)
		pthread_cond_wait(&layers->turned, &layers->mutex);
	pthread_mutex_unlock(&layers->mutex);
	if (layers_want_end(layers, index))
		return fail_err(f, EINTR, "", layers->image->layers[index].diff_id,
				"ended by a signal");
	return 0;
}

/* ---- one layer ------------------------------------------------------------------------------ */

/* What only the turn may do; the tree is the layers' afterwards, and sorted. */
static int take_turn(struct conversion *c, bool *ret_depends, struct failure *f)
{
	struct layers *layers = c->layers;

	if (wait_for_turn(layers, c->index, f) ||
	    lower_resolve(layers, c->index, c->tree, ret_depends, f))
		return -1;
	*ret_depends |= c->tree->root->is_opaque;
	if (c->index && c->tree->root->is_opaque)
		return fail_err(
			f, 0, "", layers->image->layers[c->index].diff_id,
			"the layer hides all below it, which no overlay can: use --flatten");
	tree_sort(c->tree);
	return 0;
}

static int convert(struct conversion *c, bool *ret_depends, struct failure *f)
{
	if (layer_read(c, c->index, f) || take_turn(c, ret_depends, f))
		return -1;
	layers_pass(c->layers, c->index);
	return lower_read(c, f) || c->ops->finish(c->image, c->tree, f) ? -1 : 0;
}

int layers_convert(struct layers *layers, size_t index, const char *path, bool *ret_depends,
		   struct failure *f)
{
	struct conversion c;
	bool depends = false;
	int result;

	conversion_init(&c, layers, index, layers->ops, &layers->trees[index]);
	result = c.ops->create(path, &c.image, f);
	if (!result)
		result = convert(&c, &depends, f);
	conversion_finish(&c);
	if (!result)
		*ret_depends = depends;
	return result;
}

/* ---- all layers ----------------------------------------------------------------------------- */

/* All data goes into one image; the names are merged, layer by layer, when each is read. */
static int add_layer(struct layers *layers, struct conversion *merged, size_t index,
		     struct failure *f)
{
	struct layer_tree tree = {.root = NULL};
	struct conversion c;
	int result;

	conversion_init(&c, layers, index, layers->ops, &tree);
	c.image = merged->image;
	c.bytes = merged->bytes;
	result = layer_read(&c, index, f);
	merged->bytes = c.bytes;
	/* Before the layer, which may hide a file's first name, goes on top of the others. */
	if (!result)
		result = lower_resolve_merged(merged->tree, &tree, f);
	if (!result)
		result = tree_merge(merged->tree, &tree, f);
	if (result) { /* the image's threads write into the inodes of this tree, too */
		merged->ops->destroy(merged->image);
		merged->image = NULL;
	}
	c.image = NULL; /* it goes on */
	conversion_finish(&c);
	tree_finish(&tree);
	return result;
}

int layers_flatten(struct layers *layers, const char *path, struct failure *f)
{
	struct layer_tree tree = {.root = NULL};
	struct conversion merged;
	int result;

	conversion_init(&merged, layers, 0, layers->ops, &tree);
	result = layers->ops->create(path, &merged.image, f);
	for (size_t i = 0; i < layers->image->layer_count && !result; i++) {
		say_progress("reading layer %zu of %zu", i + 1, layers->image->layer_count);
		result = add_layer(layers, &merged, i, f);
	}
	if (!result) {
		tree_sort(&tree);
		result = merged.ops->finish(merged.image, &tree, f);
	}
	conversion_finish(&merged);
	tree_finish(&tree);
	return result;
}
