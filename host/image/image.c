// SPDX-License-Identifier: Apache-2.0
/* A reference -> one image: its configuration, and where its layers are. */
#include "host/image/choose.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/arena.h"

/* ---- the reference -------------------------------------------------------------------------- */

struct reference {
	const char *transport; /* NULL: any */
	char *path;
	struct wanted wanted;
};

#define DIGEST_BYTES (sizeof("@sha256:") - 1 + 2 * SHA256_SIZE)

/* The "@" of a digest at the end, or NULL. */
static char *find_digest(char *text)
{
	size_t length = strlen(text);
	char *at = length > DIGEST_BYTES ? text + length - DIGEST_BYTES : NULL;

	if (!at || strncmp(at, "@sha256:", 8) != 0)
		return NULL;
	return at[8 + strspn(at + 8, "0123456789abcdef")] ? NULL : at;
}

/* The colon that ends the path: the first one behind something that is there; else the last in its last part. */
static char *end_of_path(char *path)
{
	char *last = strrchr(path, ':');

	for (char *colon = strchr(path, ':'); colon; colon = strchr(colon + 1, ':')) {
		bool is_there;

		*colon = '\0';
		is_there = !access(path, F_OK);
		*colon = ':';
		if (is_there)
			return colon;
	}
	return last && last > strrchr(path, '/') ? last : NULL;
}

/* A path may have colons, and so may a tag: what is there as a whole is a path. */
static void parse_reference(const char *text, struct reference *ret)
{
	struct reference reference = {.transport = NULL};
	char *digest;
	char *colon;

	for (size_t i = 0; i < STORE__COUNT; i++) {
		size_t length = strlen(store_kinds[i]);

		if (!strncmp(text, store_kinds[i], length) && text[length] == ':') {
			reference.transport = store_kinds[i];
			text += length + 1;
			break;
		}
	}
	reference.path = must_copy(text);
	digest = access(reference.path, F_OK) ? find_digest(reference.path) : NULL;
	if (digest) {
		*digest = '\0';
		reference.wanted.digest = digest + 1;
	}
	colon = access(reference.path, F_OK) ? end_of_path(reference.path) : NULL;
	if (colon) {
		*colon = '\0';
		reference.wanted.tag = colon + 1;
	}
	*ret = reference;
}

bool image_is_reference(const char *text)
{
	struct reference reference;
	AUTO_FREE char *config = NULL;
	struct stat st;
	bool is_image;

	parse_reference(text, &reference);
	config = must_format("%s/config.json", reference.path);
	is_image = reference.transport || reference.wanted.tag || reference.wanted.digest ||
		   (!stat(reference.path, &st) && (!S_ISDIR(st.st_mode) || access(config, F_OK)));
	free(reference.path);
	return is_image;
}

/* ---- layers --------------------------------------------------------------------------------- */

static int check_layer(const struct oci_descriptor *layer, struct failure *f)
{
	switch (layer->media) {
	case OCI_MEDIA_LAYER:
		return check_digest(layer->digest, f);
	case OCI_MEDIA_FOREIGN:
		return fail_err(f, 0, "", layer->digest,
				"a layer that has to be fetched from elsewhere (%.60s)",
				layer->media_type);
	case OCI_MEDIA_ENCRYPTED:
		return fail_err(f, 0, "", layer->digest, "an encrypted layer (%.60s)",
				layer->media_type);
	case OCI_MEDIA_UNKNOWN:
	case OCI_MEDIA_INDEX:
	case OCI_MEDIA_MANIFEST:
	case OCI_MEDIA_CONFIG:
	case OCI_MEDIA__COUNT:
		break;
	}
	return fail_err(f, 0, "", layer->digest, "no layer that smk knows: %.80s",
			layer->media_type);
}

static int check_counts(const struct image *image, size_t layers, const char *shown,
			struct failure *f)
{
	if (layers != image->config.diff_ids.count)
		return fail_err(f, 0, "", shown,
				"has %zu layers, but the image's configuration %zu diff_ids",
				layers, image->config.diff_ids.count);
	return layers ? 0 : fail_err(f, 0, "", shown, "has no layers");
}

static int use_manifest(struct image *image, const struct oci_descriptor *descriptor,
			struct failure *f)
{
	struct oci_manifest manifest;

	if (load_manifest(image, descriptor, &manifest, f))
		return -1;
	if (manifest.config.media != OCI_MEDIA_CONFIG)
		return fail_err(f, 0, "", descriptor->digest,
				"no container image: its configuration is %.80s",
				manifest.config.media_type);
	if (load_config(image, &manifest.config, &image->config, f) ||
	    check_platform(image, &image->config.platform, f) ||
	    check_counts(image, manifest.layer_count, descriptor->digest, f))
		return -1;
	image->config_digest = must_copy(manifest.config.digest);
	image->layers = must_alloc(manifest.layer_count * sizeof(*image->layers));
	for (size_t i = 0; i < manifest.layer_count; i++) {
		const struct oci_descriptor *layer = &manifest.layers[i];

		if (check_layer(layer, f))
			return -1;
		image->layers[image->layer_count++] = (struct image_layer){
			.name = blob_name(layer->digest),
			.digest = must_copy(layer->digest),
			.has_size = true,
			.size = layer->size,
			.diff_id = image->config.diff_ids.items[i],
		};
	}
	return 0;
}

/* ---- docker-archive ------------------------------------------------------------------------- */

/* The configuration's name is its digest in archives of `docker save`, and of podman. */
static int use_saved(struct image *image, const struct oci_saved_image *saved, struct failure *f)
{
	static const struct blob_claim nothing_known;
	AUTO_FREE char *bytes = NULL;
	char hex[2 * SHA256_SIZE + 1];
	size_t length;

	if (blob_load(&image->store, saved->config, nothing_known, &bytes, &length, f) ||
	    oci_image_config_parse(image->arena, saved->config, bytes, length, &image->config, f))
		return -1;
	if (check_platform(image, &image->config.platform, f) ||
	    check_counts(image, saved->layers.count, saved->config, f))
		return -1;
	sha256_hex(bytes, length, hex);
	image->config_digest = must_format("sha256:%s", hex);
	image->layers = must_alloc(saved->layers.count * sizeof(*image->layers));
	for (size_t i = 0; i < saved->layers.count; i++)
		image->layers[image->layer_count++] = (struct image_layer){
			.name = must_copy(saved->layers.items[i]),
			.diff_id = image->config.diff_ids.items[i],
		};
	return 0;
}

static int use_store(struct image *image, const struct wanted *wanted, struct failure *f)
{
	struct oci_descriptor manifest;
	struct oci_saved_image saved;

	if (image->store.kind == STORE_DOCKER_ARCHIVE)
		return choose_saved(image, wanted, &saved, f) || use_saved(image, &saved, f) ? -1
											     : 0;
	return choose_manifest(image, wanted, &manifest, f) || use_manifest(image, &manifest, f)
		       ? -1
		       : 0;
}

int image_open(const char *text, struct image *ret, struct failure *f)
{
	struct image image = {.store = {.dir_fd = -1}};
	struct reference reference;
	int result;

	parse_reference(text, &reference);
	image.reference = must_copy(text);
	image.arena = arena_create(OCI_IMAGE_HEAP_BYTES);
	if (!image.arena)
		result = fail_err(f, 0, "", text, "out of memory");
	else
		result = store_open(reference.path, reference.transport, &image.store, f);
	if (!result)
		result = use_store(&image, &reference.wanted, f);
	free(reference.path);
	if (result)
		image_finish(&image);
	else
		*ret = image;
	return result;
}

void image_finish(struct image *image)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		free(image->layers[i].name);
		free(image->layers[i].digest);
	}
	free(image->layers);
	free(image->config_digest);
	free(image->reference);
	arena_destroy(image->arena);
	store_finish(&image->store);
	*image = (struct image){.store = {.dir_fd = -1}};
}
