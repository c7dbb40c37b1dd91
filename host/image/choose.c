// SPDX-License-Identifier: Apache-2.0
/*
 * Which of a store's images is meant. An index is walked down to the manifests that are for
 * linux/arm64; a tag chooses among the entries of the outermost. What is left has to be one.
 */
#include "host/image/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_DEPTH_MAX 8
#define INDEX_MAX       256 /* indexes that one image may consist of */
#define OS              "linux"
#define ARCHITECTURE    "arm64"

/* What the walk has found: the manifest, and words about all there were. */
struct choice {
	const struct image *image;
	const struct wanted *wanted;
	bool is_within;    /* what the digest names, or all when there is none */
	const char *outer; /* the tag of the outermost entry that the walk is in, or NULL */
	struct oci_descriptor found;
	const char *found_outer;
	unsigned matches;
	unsigned indexes;
	char platforms[120];
	char tags[120];
};

static void add_word(char *list, size_t size, const char *word)
{
	size_t length = strlen(list);

	if (length + strlen(word) + 6 < size)
		snprintf(list + length, size - length, "%s%s", length ? ", " : "", word);
	else if (length >= 3 && strcmp(list + length - 3, "...") != 0)
		snprintf(list + length, size - length, "...");
}

static void add_platform(struct choice *choice, const struct oci_platform *platform)
{
	AUTO_FREE char *words =
		platform->os || platform->architecture
			? must_format("%s/%s%s%s", platform->os ? platform->os : "?",
				      platform->architecture ? platform->architecture : "?",
				      platform->variant ? "/" : "",
				      platform->variant ? platform->variant : "")
			: must_copy("an artifact");

	if (!strstr(choice->platforms, words))
		add_word(choice->platforms, sizeof(choice->platforms), words);
}

/* arm64's only variant is v8, which is also what no variant means. */
static bool is_ours(const struct oci_platform *platform)
{
	return platform->os && !strcmp(platform->os, OS) && platform->architecture &&
	       !strcmp(platform->architecture, ARCHITECTURE) &&
	       (!platform->variant || !platform->variant[0] || !strcmp(platform->variant, "v8"));
}

int check_digest(const char *digest, struct failure *f)
{
	if (!strncmp(digest, "sha256:", 7))
		return 0;
	return fail_err(f, 0, "", digest, "smk checks sha256 digests only");
}

char *blob_name(const char *digest)
{
	return must_format("blobs/sha256/%s", strchr(digest, ':') + 1);
}

static int load_blob(const struct image *image, const struct oci_descriptor *descriptor,
		     char **ret_bytes, size_t *ret_length, struct failure *f)
{
	AUTO_FREE char *name = NULL;
	const struct blob_claim claim = {descriptor->digest, true, descriptor->size};

	if (check_digest(descriptor->digest, f))
		return -1;
	name = blob_name(descriptor->digest);
	return blob_load(&image->store, name, claim, ret_bytes, ret_length, f);
}

int load_manifest(const struct image *image, const struct oci_descriptor *descriptor,
		  struct oci_manifest *ret, struct failure *f)
{
	AUTO_FREE char *bytes = NULL;
	size_t length;

	if (load_blob(image, descriptor, &bytes, &length, f))
		return -1;
	return oci_manifest_parse(image->arena, descriptor->digest, bytes, length, ret, f);
}

int load_config(const struct image *image, const struct oci_descriptor *descriptor,
		struct oci_image_config *ret, struct failure *f)
{
	AUTO_FREE char *bytes = NULL;
	size_t length;

	if (load_blob(image, descriptor, &bytes, &length, f))
		return -1;
	return oci_image_config_parse(image->arena, descriptor->digest, bytes, length, ret, f);
}

/* An index need not say a manifest's platform; the image's configuration always does. */
static int platform_of(const struct choice *choice, const struct oci_descriptor *descriptor,
		       struct oci_platform *ret, struct failure *f)
{
	struct oci_manifest manifest;
	struct oci_image_config config;

	if (descriptor->has_platform &&
	    (descriptor->platform.os || descriptor->platform.architecture)) {
		*ret = descriptor->platform;
		return 0;
	}
	if (load_manifest(choice->image, descriptor, &manifest, f))
		return -1;
	/* Signatures and other artifacts are manifests, too. */
	if (manifest.config.media != OCI_MEDIA_CONFIG) {
		*ret = (struct oci_platform){.os = NULL};
		return 0;
	}
	if (load_config(choice->image, &manifest.config, &config, f))
		return -1;
	*ret = config.platform;
	return 0;
}

static bool is_same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static int consider(struct choice *choice, const struct oci_descriptor *descriptor,
		    struct failure *f)
{
	struct oci_platform platform;

	if (platform_of(choice, descriptor, &platform, f))
		return -1;
	add_platform(choice, &platform);
	if (!is_ours(&platform))
		return 0;
	/* The same manifest under two tags is one image. */
	if (choice->matches && !strcmp(choice->found.digest, descriptor->digest))
		return 0;
	/* image-index.md: of entries of one name the first that fits is the one. */
	if (choice->matches && is_same_name(choice->found_outer, choice->outer))
		return 0;
	choice->found = *descriptor;
	choice->found_outer = choice->outer;
	choice->matches++;
	return 0;
}

/* The whole name, or what stands behind its last colon: "docker.io/library/x:1" is "1", too. */
static bool is_tag(const char *whole, const char *tag)
{
	const char *colon = strrchr(whole, ':');

	return !strcmp(whole, tag) || (colon && !strcmp(colon + 1, tag));
}

static int walk_index(struct choice *choice, const char *name, const char *bytes, size_t length,
		      unsigned depth, struct failure *f);

static int walk_nested(struct choice *choice, const struct oci_descriptor *descriptor,
		       unsigned depth, struct failure *f)
{
	AUTO_FREE char *bytes = NULL;
	size_t length;

	if (depth >= INDEX_DEPTH_MAX || ++choice->indexes > INDEX_MAX)
		return fail_err(f, 0, "", descriptor->digest, "indexes within indexes without end");
	if (load_blob(choice->image, descriptor, &bytes, &length, f))
		return -1;
	return walk_index(choice, descriptor->digest, bytes, length, depth + 1, f);
}

static int walk_entry(struct choice *choice, const struct oci_descriptor *descriptor,
		      unsigned depth, struct failure *f)
{
	const char *digest = choice->wanted->digest;
	bool was_within = choice->is_within;
	int result = 0;

	if (digest && !strcmp(descriptor->digest, digest))
		choice->is_within = true;
	if (descriptor->media == OCI_MEDIA_INDEX)
		result = walk_nested(choice, descriptor, depth, f);
	else if (descriptor->media == OCI_MEDIA_MANIFEST && choice->is_within)
		result = consider(choice, descriptor, f);
	choice->is_within = was_within;
	return result;
}

static int walk_index(struct choice *choice, const char *name, const char *bytes, size_t length,
		      unsigned depth, struct failure *f)
{
	const char *tag = choice->wanted->tag;
	struct oci_index index;

	if (oci_index_parse(choice->image->arena, name, bytes, length, &index, f))
		return -1;
	for (size_t i = 0; i < index.count; i++) {
		const struct oci_descriptor *descriptor = &index.manifests[i];

		if (!depth && descriptor->ref_name)
			add_word(choice->tags, sizeof(choice->tags), descriptor->ref_name);
		if (!depth && tag && (!descriptor->ref_name || !is_tag(descriptor->ref_name, tag)))
			continue;
		if (!depth)
			choice->outer = descriptor->ref_name;
		if (walk_entry(choice, descriptor, depth, f))
			return -1;
	}
	return 0;
}

static int fail_choice(const struct choice *choice, const char *path, struct failure *f)
{
	if (choice->matches > 1)
		return fail_err(f, 0, "", path,
				"has more than one image for " OS "/" ARCHITECTURE
				": add :TAG, one of %s",
				choice->tags);
	if (choice->platforms[0])
		return fail_err(f, 0, "", path, "has no image for " OS "/" ARCHITECTURE ", only %s",
				choice->platforms);
	if (choice->wanted->digest)
		return fail_err(f, 0, "", path, "has no image %.19s...", choice->wanted->digest);
	if (choice->wanted->tag)
		return fail_err(f, 0, "", path, "has no tag %.40s, only %s", choice->wanted->tag,
				choice->tags[0] ? choice->tags : "images without one");
	return fail_err(f, 0, "", path, "has no image in it");
}

static int check_layout(const struct image *image, struct failure *f)
{
	static const struct blob_claim nothing_known;
	AUTO_FREE char *bytes = NULL;
	size_t length;

	if (blob_load(&image->store, "oci-layout", nothing_known, &bytes, &length, f))
		return -1;
	return oci_layout_check(image->arena, "oci-layout", bytes, length, f);
}

int choose_manifest(const struct image *image, const struct wanted *wanted,
		    struct oci_descriptor *ret, struct failure *f)
{
	static const struct blob_claim nothing_known;
	struct choice choice = {.image = image, .wanted = wanted, .is_within = !wanted->digest};
	AUTO_FREE char *bytes = NULL;
	size_t length;

	if (check_layout(image, f) ||
	    blob_load(&image->store, "index.json", nothing_known, &bytes, &length, f) ||
	    walk_index(&choice, "index.json", bytes, length, 0, f))
		return -1;
	if (choice.matches != 1)
		return fail_choice(&choice, image->store.path, f);
	*ret = choice.found;
	return 0;
}

static bool has_tag(const struct oci_saved_image *saved, const char *tag)
{
	for (size_t i = 0; i < saved->tags.count; i++)
		if (is_tag(saved->tags.items[i], tag))
			return true;
	return false;
}

int choose_saved(const struct image *image, const struct wanted *wanted,
		 struct oci_saved_image *ret, struct failure *f)
{
	static const struct blob_claim nothing_known;
	struct choice choice = {.image = image, .wanted = wanted};
	AUTO_FREE char *bytes = NULL;
	struct oci_saved saved;
	size_t length;

	if (wanted->digest)
		return fail_err(
			f, 0, "", image->store.path,
			"a digest chooses in an OCI layout, not in what docker save writes");

	if (blob_load(&image->store, "manifest.json", nothing_known, &bytes, &length, f) ||
	    oci_saved_parse(image->arena, "manifest.json", bytes, length, &saved, f))
		return -1;
	for (size_t i = 0; i < saved.count; i++) {
		for (size_t j = 0; j < saved.images[i].tags.count; j++)
			add_word(choice.tags, sizeof(choice.tags), saved.images[i].tags.items[j]);
		if (wanted->tag && !has_tag(&saved.images[i], wanted->tag))
			continue;
		*ret = saved.images[i];
		choice.matches++;
	}
	return choice.matches == 1 ? 0 : fail_choice(&choice, image->store.path, f);
}

int check_platform(const struct image *image, const struct oci_platform *platform,
		   struct failure *f)
{
	static const struct wanted nothing;
	struct choice choice = {.image = image, .wanted = &nothing};

	if (is_ours(platform))
		return 0;
	add_platform(&choice, platform);
	return fail_choice(&choice, image->store.path, f);
}
