// SPDX-License-Identifier: Apache-2.0
/*
 * The cache of checked assets, the library's only state. Each asset has a lock and a short list,
 * one entry for each source that was ever asked for: a program that changes the environment, or the
 * file it names, keeps what it was given before. The lock is held while decoding, so that threads
 * that want the same asset wait for one of them instead of decoding it again.
 */
#include "asset.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define MEMORY_LIMIT_DEFAULT ((size_t)64 << 20)

static struct cache {
	pthread_mutex_t lock;
	struct asset *first;
} caches[ASSET_COUNT] = {
	[SMK_ASSET_KERNEL] = {.lock = PTHREAD_MUTEX_INITIALIZER},
	[SMK_ASSET_INIT_OCI] = {.lock = PTHREAD_MUTEX_INITIALIZER},
};

static atomic_size_t memory_limit = MEMORY_LIMIT_DEFAULT;

void asset_set_memory_limit(size_t bytes)
{
	atomic_store(&memory_limit, bytes ? bytes : MEMORY_LIMIT_DEFAULT);
}

static bool is_same_source(const struct source *a, const struct source *b)
{
	if (!a->path || !b->path)
		return !a->path && !b->path;
	return !strcmp(a->path, b->path) && a->status.st_dev == b->status.st_dev &&
	       a->status.st_ino == b->status.st_ino && a->status.st_size == b->status.st_size &&
	       !memcmp(&a->status.st_mtim, &b->status.st_mtim, sizeof(a->status.st_mtim)) &&
	       !memcmp(&a->status.st_ctim, &b->status.st_ctim, sizeof(a->status.st_ctim));
}

static struct asset *find(const struct cache *cache, const struct source *source)
{
	struct asset *asset = cache->first;

	while (asset && !is_same_source(&asset->source, source))
		asset = asset->next;
	return asset;
}

static void destroy(struct asset *asset)
{
	memory_destroy(&asset->memory);
	free((char *)asset->source.path);
	free(asset);
}

/* A new entry with a copy of source, and bytes from there. */
static enum smk_result create(enum smk_asset which, const struct source *source, int fd,
			      struct asset **ret)
{
	struct asset *asset = calloc(1, sizeof(*asset));
	enum smk_result result;

	if (!asset)
		return SMK_ERROR_NO_MEMORY;
	asset->memory = MEMORY_NONE;
	asset->source = *source;
	asset->source.path = source->path ? strdup(source->path) : NULL;
	if (source->path && !asset->source.path)
		result = SMK_ERROR_NO_MEMORY;
	else if (source->path)
		result = load_override(which, fd, asset);
	else
		result = load_embedded(which, atomic_load(&memory_limit), asset);
	if (result) {
		destroy(asset);
		return result;
	}
	*ret = asset;
	return SMK_OK;
}

static enum smk_result find_or_create(enum smk_asset which, const struct source *source, int fd,
				      struct asset **ret)
{
	struct cache *cache = &caches[which];
	struct asset *asset;
	enum smk_result result = SMK_OK;

	pthread_mutex_lock(&cache->lock);
	asset = find(cache, source);
	if (!asset) {
		result = create(which, source, fd, &asset);
		if (!result) {
			asset->is_cached = true;
			asset->next = cache->first;
			cache->first = asset;
		}
	}
	if (!result) {
		asset->users++;
		*ret = asset;
	}
	pthread_mutex_unlock(&cache->lock);
	return result;
}

enum smk_result asset_acquire(enum smk_asset which, struct asset **ret)
{
	struct source source;
	int fd;
	enum smk_result result = load_find(which, &source, &fd);

	if (result)
		return result;
	result = find_or_create(which, &source, fd, ret);
	output_close(fd);
	return result;
}

void asset_release(enum smk_asset which, struct asset *asset)
{
	struct cache *cache = &caches[which];
	bool is_last;

	pthread_mutex_lock(&cache->lock);
	is_last = --asset->users == 0 && !asset->is_cached;
	pthread_mutex_unlock(&cache->lock);
	if (is_last)
		destroy(asset);
}

enum smk_result asset_facts(enum smk_asset which, struct facts *ret)
{
	struct asset *asset;
	enum smk_result result;

	if (!asset_override(which)) {
		ret->length = embedded[which].raw_length;
		memcpy(ret->sha256, embedded[which].sha256, sizeof(ret->sha256));
		return SMK_OK;
	}
	result = asset_acquire(which, &asset);
	if (result)
		return result;
	ret->length = asset->memory.length;
	memcpy(ret->sha256, asset->sha256, sizeof(ret->sha256));
	asset_release(which, asset);
	return SMK_OK;
}

static void drop(struct cache *cache)
{
	struct asset *asset, *next;

	pthread_mutex_lock(&cache->lock);
	for (asset = cache->first; asset; asset = next) {
		next = asset->next;
		asset->is_cached = false;
		if (!asset->users)
			destroy(asset);
	}
	cache->first = NULL;
	pthread_mutex_unlock(&cache->lock);
}

void asset_drop_all(void)
{
	for (unsigned i = 0; i < ASSET_COUNT; i++)
		drop(&caches[i]);
}
