// SPDX-License-Identifier: Apache-2.0
/*
 * An image's documents -> structs. Unknown properties are ignored, as the specification demands.
 * null stands for an absent property: Go programs, which write most images, print it so.
 */
#include "image.h"

#include <jansson.h>
#include <string.h>

#include "image_read.h"

static const struct {
	const char *type;
	enum oci_media media;
	bool is_prefix; /* a suffix for the compression follows */
} medias[] = {
	{"application/vnd.oci.image.index.v1+json", OCI_MEDIA_INDEX, false},
	{"application/vnd.docker.distribution.manifest.list.v2+json", OCI_MEDIA_INDEX, false},
	{"application/vnd.oci.image.manifest.v1+json", OCI_MEDIA_MANIFEST, false},
	{"application/vnd.docker.distribution.manifest.v2+json", OCI_MEDIA_MANIFEST, false},
	{"application/vnd.oci.image.config.v1+json", OCI_MEDIA_CONFIG, false},
	{"application/vnd.docker.container.image.v1+json", OCI_MEDIA_CONFIG, false},
	{"application/vnd.oci.image.layer.v1.tar", OCI_MEDIA_LAYER, true},
	{"application/vnd.docker.image.rootfs.diff.tar", OCI_MEDIA_LAYER, true},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", OCI_MEDIA_FOREIGN, true},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar", OCI_MEDIA_FOREIGN, true},
};

static bool is_compression(const char *suffix)
{
	static const char *const known[] = {"", "+gzip", "+zstd", ".gzip", ".zstd"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(suffix, known[i]))
			return true;
	return false;
}

enum oci_media oci_media_find(const char *type)
{
	size_t length = strlen(type);

	if (length >= 10 && !strcmp(type + length - 10, "+encrypted"))
		return OCI_MEDIA_ENCRYPTED;
	for (size_t i = 0; i < sizeof(medias) / sizeof(medias[0]); i++) {
		size_t known = strlen(medias[i].type);

		if (strncmp(type, medias[i].type, known) != 0)
			continue;
		if (medias[i].is_prefix ? is_compression(type + known) : !type[known])
			return medias[i].media;
	}
	return OCI_MEDIA_UNKNOWN;
}

/* descriptor.md registers two; who reads the blob refuses the other. */
static int descriptor_digest(const struct field *field, const struct rule *rule, void *ret,
			     struct failure *f)
{
	static const char other[] = "sha512:";
	const char *text;

	if (field_string(field, rule, &text, f))
		return -1;
	if (strncmp(text, other, strlen(other)) != 0 ||
	    strlen(text) != strlen(other) + 2 * OCI_DIGEST_HEX ||
	    strspn(text + strlen(other), "0123456789abcdef") != 2 * OCI_DIGEST_HEX)
		return image_digest(field, rule, ret, f);
	*(const char **)ret = text;
	return 0;
}

int image_digest(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	static const char prefix[] = "sha256:";
	const char *text;

	if (field_string(field, rule, &text, f))
		return -1;
	if (strncmp(text, prefix, strlen(prefix)) != 0 ||
	    strlen(text) != strlen(prefix) + OCI_DIGEST_HEX ||
	    strspn(text + strlen(prefix), "0123456789abcdef") != OCI_DIGEST_HEX)
		return field_fail(field, f, "must be sha256: and 64 lower-case digits, not " SHOWN,
				  text);
	*(const char **)ret = text;
	return 0;
}

NULLABLE(maybe_string, field_string)
NULLABLE(maybe_object, field_object)

/* ---- descriptors ---------------------------------------------------------------------------- */

static const struct rule platform_rows[] = {
	ROW(struct oci_platform, "os", maybe_string, os),
	ROW(struct oci_platform, "architecture", maybe_string, architecture),
	ROW(struct oci_platform, "variant", maybe_string, variant),
};
RULES(platform_rules, platform_rows);

static int read_annotation(const struct field *member, void *context, struct failure *f)
{
	const char *value;

	if (field_string(member, NULL, &value, f))
		return -1;
	if (!strcmp(member->key, "org.opencontainers.image.ref.name"))
		*(const char **)context = value;
	return 0;
}

static int read_annotations(const struct field *field, const struct rule *rule, void *ret,
			    struct failure *f)
{
	(void)rule; /* the row has no limits */
	return json_is_null(field->value) ? 0 : field_each(field, read_annotation, ret, f);
}

static const struct rule descriptor_rows[] = {
	NEEDED(struct oci_descriptor, "mediaType", field_string, media_type),
	NEEDED(struct oci_descriptor, "digest", descriptor_digest, digest),
	NEEDED(struct oci_descriptor, "size", field_u64, size),
	{.key = "platform",
	 .read = maybe_object,
	 .offset = offsetof(struct oci_descriptor, platform),
	 .present = offsetof(struct oci_descriptor, has_platform),
	 .members = &platform_rules},
	ROW(struct oci_descriptor, "annotations", read_annotations, ref_name),
};
RULES(descriptor_rules, descriptor_rows);

static int read_descriptor(const struct field *field, void *ret, struct failure *f)
{
	struct oci_descriptor *descriptor = ret;

	if (field_members(field, &descriptor_rules, descriptor, f))
		return -1;
	descriptor->media = oci_media_find(descriptor->media_type);
	return 0;
}

static int read_one_descriptor(const struct field *field, const struct rule *rule, void *ret,
			       struct failure *f)
{
	(void)rule; /* the row has no limits */
	return read_descriptor(field, ret, f);
}

static const struct field_list descriptor_list = {sizeof(struct oci_descriptor), read_descriptor};

/* schemaVersion is 2 in all that image-spec describes; Docker's 1 is another format. */
static int read_schema(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	int version;

	(void)ret;
	if (field_int(field, rule, &version, f))
		return -1;
	return version == 2 ? 0 : field_fail(field, f, "must be 2, not %d", version);
}

#define SCHEMA                                                                   \
	{                                                                        \
		.key = "schemaVersion", .read = read_schema, .is_required = true \
	}

/*
 * What a document calls itself has to be what it is taken for, and a document that could be both, by its members, is
 * neither: image-spec's manifest.md and image-index.md, and CVE-2021-41190.
 */
static int read_own_type(const struct field *field, enum oci_media media, const char *what,
			 struct failure *f)
{
	const char *type;

	if (json_is_null(field->value))
		return 0;
	if (field_string(field, NULL, &type, f))
		return -1;
	return oci_media_find(type) == media
		       ? 0
		       : field_fail(field, f, "must be %s's, not " SHOWN, what, type);
}

static int read_index_type(const struct field *field, const struct rule *rule, void *ret,
			   struct failure *f)
{
	(void)rule;
	(void)ret;
	return read_own_type(field, OCI_MEDIA_INDEX, "an image index", f);
}

static int read_manifest_type(const struct field *field, const struct rule *rule, void *ret,
			      struct failure *f)
{
	(void)rule;
	(void)ret;
	return read_own_type(field, OCI_MEDIA_MANIFEST, "an image manifest", f);
}

static int refuse_member(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	(void)rule;
	(void)ret;
	return field_fail(field, f, "is not for a document of this kind");
}

static int read_manifests(const struct field *field, const struct rule *rule, void *ret,
			  struct failure *f)
{
	struct oci_index *index = ret;

	(void)rule;
	return field_list(field, &descriptor_list, &index->manifests, &index->count, f);
}

static const struct rule index_rows[] = {
	SCHEMA,
	{.key = "mediaType", .read = read_index_type},
	{.key = "layers", .read = refuse_member},
	{.key = "config", .read = refuse_member},
	{.key = "manifests", .read = read_manifests, .is_required = true},
};
RULES(index_rules, index_rows);

static int read_layers(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	struct oci_manifest *manifest = ret;

	(void)rule;
	return field_list(field, &descriptor_list, &manifest->layers, &manifest->layer_count, f);
}

static const struct rule manifest_rows[] = {
	SCHEMA,
	{.key = "mediaType", .read = read_manifest_type},
	{.key = "manifests", .read = refuse_member},
	NEEDED(struct oci_manifest, "config", read_one_descriptor, config),
	{.key = "layers", .read = read_layers, .is_required = true},
};
RULES(manifest_rules, manifest_rows);

/* ---- documents ------------------------------------------------------------------------------ */

/* Says which document it is about; a field alone does not in a walk over many. */
int image_fail(struct failure *f, const char *name)
{
	if (!f->path[0])
		strncat(f->path, name, sizeof(f->path) - 1);
	return -1;
}

int image_load(const struct image_source *source, struct document *document, struct field *ret_top,
	       struct failure *f)
{
	if (source->length > OCI_IMAGE_MAX_BYTES)
		return fail_err(f, 0, "", source->name, "must be at most %u bytes, not %zu",
				OCI_IMAGE_MAX_BYTES, source->length);
	if (document_load(document, source->arena, source->name, source->bytes, source->length, f))
		return -1;
	*ret_top = (struct field){.value = document->root, .document = document};
	return 0;
}

int image_read_object(const struct image_source *source, const struct rules *rules, void *ret,
		      struct failure *f)
{
	struct document document;
	struct field top;

	if (image_load(source, &document, &top, f))
		return -1;
	return field_members(&top, rules, ret, f) ? image_fail(f, source->name) : 0;
}

int oci_index_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
		    struct oci_index *ret, struct failure *f)
{
	const struct image_source source = {arena, name, bytes, length};
	struct oci_index index = {.count = 0};

	if (image_read_object(&source, &index_rules, &index, f))
		return -1;
	*ret = index;
	return 0;
}

/* image-layout.md: the version of the layout, of which there is one. */
static int read_layout_version(const struct field *field, const struct rule *rule, void *ret,
			       struct failure *f)
{
	const char *version;

	(void)ret;
	if (field_string(field, rule, &version, f))
		return -1;
	return strcmp(version, "1.0.0") == 0
		       ? 0
		       : field_fail(field, f, "must be 1.0.0, not " SHOWN, version);
}

static const struct rule layout_rows[] = {
	{.key = "imageLayoutVersion", .read = read_layout_version, .is_required = true},
};
RULES(layout_rules, layout_rows);

int oci_layout_check(struct arena *arena, const char *name, const char *bytes, size_t length,
		     struct failure *f)
{
	const struct image_source source = {arena, name, bytes, length};

	return image_read_object(&source, &layout_rules, NULL, f);
}

int oci_manifest_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
		       struct oci_manifest *ret, struct failure *f)
{
	const struct image_source source = {arena, name, bytes, length};
	struct oci_manifest manifest = {.layer_count = 0};

	if (image_read_object(&source, &manifest_rules, &manifest, f))
		return -1;
	*ret = manifest;
	return 0;
}
