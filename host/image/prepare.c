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
#include <unistd.h>

#include "host/cache.h"
#include "host/image/convert.h"

/* Part of the names in the cache: goes up when the same stream becomes another image. */
#define VERSION "layer3"

#define THREADS_MAX 4 /* each has a layer's names in memory, and threads that compress */

static const struct layer_image_ops *const file_systems[] = {&squashfs_image, &erofs_image};

const struct layer_image_ops *layer_fs_find(const char *name)
{
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++)
		if (!strcmp(file_systems[i]->name, name))
			return file_systems[i];
	return NULL;
}

static const char *hex_of(const struct image *image, size_t index)
{
	return strchr(image->layers[index].diff_id, ':') + 1;
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

/* ---- layers, several at once ---------------------------------------------------------------- */

/* A layer on its way; the name of its image is one of two. */
struct work {
	struct layers *layers;
	size_t index;
	char *own;       /* of its diff id */
	char *dependent; /* of its chain id */
	char *path;      /* of the image, in the end */
	bool is_cached;
	bool is_failed;
	struct failure failure;
};

struct pool {
	struct layers layers;
	struct work *works;   /* of all layers */
	pthread_mutex_t door; /* one looks into the cache at a time */
	size_t next;
};

static int convert(void *context, const char *temporary, unsigned *ret_which, struct failure *f)
{
	struct work *work = context;
	bool depends = false;

	if (layers_convert(work->layers, work->index, temporary, &depends, f))
		return -1;
	*ret_which = depends;
	return 0;
}

static void fail_work(struct work *work)
{
	work->is_failed = true;
	layers_fail(work->layers, work->index);
}

static bool wants_end(void *context)
{
	struct work *work = context;

	return layers_want_end(work->layers, work->index);
}

/*
 * The next layer, looked for in the cache; NULL when there is none. Locks are taken from the lowest
 * layer up: who has one waits for lower layers only, so that two smk do not wait for each other.
 */
static struct work *next_work(struct pool *pool, struct cache_request *ret,
			      struct cache_place *place)
{
	struct work *work = NULL;

	pthread_mutex_lock(&pool->door);
	if (pool->next < pool->layers.image->layer_count) {
		work = &pool->works[pool->next++];
		*ret = (struct cache_request){
			.names = {work->own, work->dependent},
			.what = "layer",
			.make = convert,
			.wants_end = wants_end,
			.context = work,
		};
		if (cache_open(ret, place, &work->failure))
			fail_work(work);
		else if (!place->image)
			say_progress("converting layer %zu of %zu", work->index + 1,
				     pool->layers.image->layer_count);
	}
	pthread_mutex_unlock(&pool->door);
	return work;
}

static void *worker(void *context)
{
	struct pool *pool = context;
	struct cache_request request;
	struct cache_place place;
	struct work *work;

	while ((work = next_work(pool, &request, &place))) {
		if (work->is_failed)
			continue;
		work->is_cached = place.image;
		if (!place.image && cache_make(&request, &place, &work->failure))
			fail_work(work);
		else
			layers_pass(&pool->layers, work->index);
		work->path = place.image;
	}
	return NULL;
}

/* As many threads as can be had; this one is the first. */
static void run_workers(struct pool *pool)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t wanted = processors < THREADS_MAX ? (size_t)processors : THREADS_MAX;
	pthread_t threads[THREADS_MAX];
	size_t count = 0;

	while (count + 1 < wanted && count + 1 < pool->layers.image->layer_count &&
	       !pthread_create(&threads[count], NULL, worker, pool))
		count++;
	worker(pool);
	while (count)
		pthread_join(threads[--count], NULL);
	say_progress(NULL);
}

static void name_works(struct pool *pool)
{
	const struct image *image = pool->layers.image;
	const char *fs = pool->layers.ops->name;
	char chain[2 * SHA256_SIZE + 1] = "";

	for (size_t i = 0; i < image->layer_count; i++) {
		const char *hex = hex_of(image, i);

		chain_next(chain, hex, !i);
		pool->works[i] = (struct work){
			.layers = &pool->layers,
			.index = i,
			.own = must_format("%s." VERSION ".%s", hex, fs),
			.dependent = must_format("%s." VERSION "-chain.%s", chain, fs),
		};
	}
}

/* The first layer's failure is everybody's: those above it only gave up. */
static int take_works(struct pool *pool, struct prepared *ret, struct failure *f)
{
	int result = 0;

	for (size_t i = 0; i < pool->layers.image->layer_count; i++) {
		struct work *work = &pool->works[i];

		if (!result && work->is_failed) {
			*f = work->failure;
			result = -1;
		}
		if (!result) {
			strings_add(&ret->paths, "%s", work->path);
			ret->is_cached &= work->is_cached;
		}
		free(work->own);
		free(work->dependent);
		free(work->path);
	}
	return result;
}

static int prepare_layers(const struct image *image, const struct image_options *options,
			  struct prepared *ret, struct failure *f)
{
	struct pool pool = {.door = PTHREAD_MUTEX_INITIALIZER};
	int result;

	layers_init(&pool.layers, image, layer_fs_find(options->layer_fs),
		    options->max_layer_bytes);
	pool.works = must_alloc(image->layer_count * sizeof(*pool.works));
	name_works(&pool);
	run_workers(&pool);
	result = take_works(&pool, ret, f);
	if (!ret->is_cached)
		cache_sweep();
	free(pool.works);
	layers_finish(&pool.layers);
	return result;
}

/* ---- all layers as one ---------------------------------------------------------------------- */

static int flatten(void *context, const char *temporary, unsigned *ret_which, struct failure *f)
{
	int result = layers_flatten(context, temporary, f);

	(void)ret_which; /* there is one name */
	say_progress(NULL);
	return result;
}

static int prepare_flat(const struct image *image, const struct image_options *options,
			struct prepared *ret, struct failure *f)
{
	const struct layer_image_ops *ops = layer_fs_find(options->layer_fs);
	char chain[2 * SHA256_SIZE + 1] = "";
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *path = NULL;
	struct layers layers;
	struct cache_request request = {.what = "image", .make = flatten, .context = &layers};
	int result;

	for (size_t i = 0; i < image->layer_count; i++)
		chain_next(chain, hex_of(image, i), !i);
	name = must_format("%s." VERSION "-flat.%s", chain, ops->name);
	request.names[0] = name;
	layers_init(&layers, image, ops, options->max_layer_bytes);
	result = cache_get(&request, &path, &ret->is_cached, f);
	layers_finish(&layers);
	if (!result)
		strings_add(&ret->paths, "%s", path);
	return result;
}

int layers_prepare(const struct image *image, const struct image_options *options,
		   struct prepared *ret, struct failure *f)
{
	ret->is_cached = true;
	if (options->flatten)
		return prepare_flat(image, options, ret, f);
	if (image->layer_count > LAYERS_MAX)
		return fail_err(f, 0, "", image->reference,
				"%zu layers: an overlay has at most %d: use --flatten",
				image->layer_count, LAYERS_MAX);
	return prepare_layers(image, options, ret, f);
}
