// SPDX-License-Identifier: Apache-2.0
/*
 * An image's layers as files that a VM can have as disks: from the cache, or converted now.
 *
 * The key of a layer is its diff id. A layer whose image depends on the layers below it (convert.c)
 * is kept under the chain id of image-spec's config.md instead, and found under both.
 */
#include "host/image/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "host/cache.h"
#include "host/image/convert.h"

/* Part of the names in the cache: goes up when the same stream becomes another image. */
#define VERSION "layer2"

static const struct layer_image_ops *const file_systems[] = {&squashfs_image, &erofs_image};

const struct layer_image_ops *layer_fs_find(const char *name)
{
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++)
		if (!strcmp(file_systems[i]->name, name))
			return file_systems[i];
	return NULL;
}

struct work {
	struct layers *layers;
	size_t index;
};

static int convert(void *context, const char *temporary, unsigned *ret_which, struct failure *f)
{
	struct work *work = context;
	const struct image *image = work->layers->image;
	bool depends = false;

	say_progress("converting layer %zu of %zu", work->index + 1, image->layer_count);
	if (layers_convert(work->layers, work->index, temporary, &depends, f)) {
		say_progress(NULL);
		return -1;
	}
	say_progress(NULL);
	*ret_which = depends;
	return 0;
}

/* chain(0) is the diff id; chain(n) the hash of chain(n-1), a space, and the diff id. */
static void chain_next(char chain[2 * SHA256_SIZE + 1], const char *diff_hex, bool is_first)
{
	AUTO_FREE char *text = must_format("sha256:%s sha256:%s", chain, diff_hex);

	if (is_first)
		memcpy(chain, diff_hex, 2 * SHA256_SIZE + 1);
	else
		sha256_hex(text, strlen(text), chain);
}

static int prepare_layer(struct layers *layers, size_t index, const char *chain,
			 struct prepared *ret, struct failure *f)
{
	const char *hex = strchr(layers->image->layers[index].diff_id, ':') + 1;
	const char *fs = layers->ops->name;
	AUTO_FREE char *own = must_format("%s." VERSION ".%s", hex, fs);
	AUTO_FREE char *dependent = must_format("%s." VERSION "-chain.%s", chain, fs);
	struct work work = {layers, index};
	const struct cache_request request = {
		.names = {own, dependent},
		.what = "layer",
		.make = convert,
		.context = &work,
	};
	AUTO_FREE char *path = NULL;
	bool is_cached;

	if (cache_get(&request, &path, &is_cached, f))
		return -1;
	strings_add(&ret->paths, "%s", path);
	ret->is_cached &= is_cached;
	return 0;
}

static int flatten(void *context, const char *temporary, unsigned *ret_which, struct failure *f)
{
	struct layers *layers = context;
	int result = layers_flatten(layers, temporary, f);

	(void)ret_which; /* there is one name */
	say_progress(NULL);
	return result;
}

static int prepare_flat(struct layers *layers, const char *chain, struct prepared *ret,
			struct failure *f)
{
	AUTO_FREE char *name = must_format("%s." VERSION "-flat.%s", chain, layers->ops->name);
	const struct cache_request request = {
		.names = {name},
		.what = "image",
		.make = flatten,
		.context = layers,
	};
	AUTO_FREE char *path = NULL;

	if (cache_get(&request, &path, &ret->is_cached, f))
		return -1;
	strings_add(&ret->paths, "%s", path);
	return 0;
}

int layers_prepare(const struct image *image, const struct image_options *options,
		   struct prepared *ret, struct failure *f)
{
	char chain[2 * SHA256_SIZE + 1] = "";
	struct layers layers;
	int result = 0;

	if (image->layer_count > LAYERS_MAX && !options->flatten)
		return fail_err(f, 0, "", image->reference,
				"%zu layers: an overlay has at most %d: use --flatten",
				image->layer_count, LAYERS_MAX);
	layers_init(&layers, image, layer_fs_find(options->layer_fs), options->max_layer_bytes);
	ret->is_cached = true;
	for (size_t i = 0; i < image->layer_count && !result; i++) {
		chain_next(chain, strchr(image->layers[i].diff_id, ':') + 1, !i);
		if (!options->flatten)
			result = prepare_layer(&layers, i, chain, ret, f);
	}
	if (options->flatten)
		result = prepare_flat(&layers, chain, ret, f);
	layers_finish(&layers);
	return result;
}
