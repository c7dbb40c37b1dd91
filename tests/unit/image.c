// SPDX-License-Identifier: Apache-2.0
/*
 * An image's documents: what is read from them, every refusal with its words, and memory that runs
 * out. Linked with the arena's functions wrapped.
 */
#include <stdlib.h>

#include "oci/arena.h"
#include "oci/image.h"
#include "tests/t.h"
#include "tests/unit/image_refusals.h"

static size_t refused_in; /* the n-th allocation from now fails; 0: none */

void *__real_arena_alloc(struct arena *arena, size_t size);
void *__real_arena_zalloc(struct arena *arena, size_t count, size_t size);
void *__wrap_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_zalloc(struct arena *arena, size_t count, size_t size);

static bool is_refused(void)
{
	return refused_in && --refused_in == 0;
}

void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
	return is_refused() ? NULL : __real_arena_alloc(arena, size);
}

void *__wrap_arena_zalloc(struct arena *arena, size_t count, size_t size)
{
	return is_refused() ? NULL : __real_arena_zalloc(arena, count, size);
}

/* ---- the documents, all read in one way ------------------------------------------------------- */

union result {
	struct oci_index index;
	struct oci_manifest manifest;
	struct oci_image_config config;
	struct oci_saved saved;
	struct oci_strings strings;
};

static int read_document(enum kind kind, struct arena *arena, const char *text, union result *ret,
			 struct failure *f)
{
	size_t length = strlen(text);

	switch (kind) {
	case INDEX:
		return oci_index_parse(arena, "doc", text, length, &ret->index, f);
	case MANIFEST_:
		return oci_manifest_parse(arena, "doc", text, length, &ret->manifest, f);
	case IMAGE:
		return oci_image_config_parse(arena, "doc", text, length, &ret->config, f);
	case SAVED:
		return oci_saved_parse(arena, "doc", text, length, &ret->saved, f);
	case LAYOUT:
		return oci_layout_check(arena, "doc", text, length, f);
	case STRINGS:
		break;
	}
	return oci_strings_parse(arena, "doc", text, &ret->strings, f);
}

/* One that has to be fine; the arena is the caller's to destroy. */
static struct arena *read_good(enum kind kind, const char *text, union result *ret)
{
	struct arena *arena = arena_create(OCI_IMAGE_HEAP_BYTES);
	struct failure f = {0};
	char line[FAIL_LINE_MAX];

	memset(ret, 0, sizeof(*ret));
	if (read_document(kind, arena, text, ret, &f)) {
		fail_format(&f, line);
		CHECK_STR(line, "no failure");
	}
	return arena;
}

/* ---- media types ------------------------------------------------------------------------------ */

static void media_types(void)
{
	static const struct {
		const char *type;
		enum oci_media media;
	} rows[] = {
		{"application/vnd.oci.image.index.v1+json", OCI_MEDIA_INDEX},
		{"application/vnd.docker.distribution.manifest.list.v2+json", OCI_MEDIA_INDEX},
		{MANIFEST, OCI_MEDIA_MANIFEST},
		{"application/vnd.docker.distribution.manifest.v2+json", OCI_MEDIA_MANIFEST},
		{CONFIG, OCI_MEDIA_CONFIG},
		{"application/vnd.docker.container.image.v1+json", OCI_MEDIA_CONFIG},
		{LAYER, OCI_MEDIA_LAYER},
		{LAYER "+gzip", OCI_MEDIA_LAYER},
		{LAYER "+zstd", OCI_MEDIA_LAYER},
		{"application/vnd.docker.image.rootfs.diff.tar", OCI_MEDIA_LAYER},
		{"application/vnd.docker.image.rootfs.diff.tar.gzip", OCI_MEDIA_LAYER},
		{"application/vnd.docker.image.rootfs.diff.tar.zstd", OCI_MEDIA_LAYER},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar", OCI_MEDIA_FOREIGN},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", OCI_MEDIA_FOREIGN},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", OCI_MEDIA_FOREIGN},
		{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", OCI_MEDIA_FOREIGN},
		{LAYER "+encrypted", OCI_MEDIA_ENCRYPTED},
		{LAYER "+gzip+encrypted", OCI_MEDIA_ENCRYPTED},
		{LAYER "+zstd+encrypted", OCI_MEDIA_ENCRYPTED},
		{"+encrypted", OCI_MEDIA_ENCRYPTED},
		{LAYER "+xz", OCI_MEDIA_UNKNOWN},
		{LAYER "+gzi", OCI_MEDIA_UNKNOWN},
		{MANIFEST "x", OCI_MEDIA_UNKNOWN},
		{"application/vnd.oci.image.manifest.v1+jso", OCI_MEDIA_UNKNOWN},
		{"application/vnd.oci.image.manifest.v2+json", OCI_MEDIA_UNKNOWN},
		{"application/vnd.docker.distribution.manifest.v1+json", OCI_MEDIA_UNKNOWN},
		{"application/vnd.oci.empty.v1+json", OCI_MEDIA_UNKNOWN},
		{"encrypted", OCI_MEDIA_UNKNOWN},
		{"", OCI_MEDIA_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(oci_media_find(rows[i].type), rows[i].media);
		if (t_why[0])
			return (void)printf("# %s\n", rows[i].type);
	}
}

/* ---- what is read ----------------------------------------------------------------------------- */

static void an_index(void)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"new\":[{}],\"manifests\":["
		"{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" DIGEST
		"\",\"size\":18446744073709551615,\"platform\":{\"os\":\"linux\",\"architecture\":"
		"\"arm64\",\"variant\":\"v8\",\"os.features\":[1]},\"annotations\":{\"x\":\"y\","
		"\"org.opencontainers.image.ref.name\":\"tag\"},\"urls\":null}," DESCRIPTOR(
			"application/vnd.oci.image.index.v1+json",
			",\"platform\":null,\"annotations\":null") "," DESCRIPTOR("x", ",\"platform"
										       "\":"
										       "{\"os\":"
										       "null}") "]"
												"}";
	union result r;
	struct arena *arena = read_good(INDEX, text, &r);
	const struct oci_descriptor *first = r.index.manifests;

	CHECK_INT(r.index.count, 3);
	if (r.index.count == 3) {
		CHECK_INT(first[0].media, OCI_MEDIA_MANIFEST);
		CHECK_STR(first[0].digest, DIGEST);
		CHECK(first[0].size == UINT64_MAX && first[0].has_platform);
		CHECK_STR(first[0].platform.os, "linux");
		CHECK_STR(first[0].platform.architecture, "arm64");
		CHECK_STR(first[0].platform.variant, "v8");
		CHECK_STR(first[0].ref_name, "tag");
		CHECK_INT(first[1].media, OCI_MEDIA_INDEX);
		CHECK(!first[1].platform.os && !first[1].ref_name);
		CHECK_INT(first[2].media, OCI_MEDIA_UNKNOWN);
		CHECK(!first[2].platform.os);
		CHECK_INT(first[2].size, 7);
	}
	arena_destroy(arena);
}

static void a_manifest(void)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"config\":" DESCRIPTOR(CONFIG, "") "," LAYERS("") "}";
	union result r;
	struct arena *arena = read_good(MANIFEST_, text, &r);

	CHECK_INT(r.manifest.layer_count, 1);
	CHECK_INT(r.manifest.config.media, OCI_MEDIA_CONFIG);
	CHECK(r.manifest.layers && r.manifest.layers[0].media == OCI_MEDIA_LAYER);
	arena_destroy(arena);
}

static void a_configuration(void)
{
	static const char text[] =
		"{" ARM64 ",\"variant\":\"v8\",\"author\":\"me\",\"created\":\"now\"," ROOTFS
		",\"history\":[{}],\"config\":{\"User\":\"u\",\"WorkingDir\":\"/w\",\"StopSignal\":"
		"\"INT\",\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\",\"\"],\"Env\":[\"A=b\"],"
		"\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"Volumes\":{\"/v\":{}},"
		"\"Labels\":{\"k\":\"v\",\"\":\"\"},\"Healthcheck\":{}}}";
	union result r;
	struct arena *arena = read_good(IMAGE, text, &r);
	const struct oci_image_config *c = &r.config;

	CHECK_STR(c->platform.variant, "v8");
	CHECK_STR(c->author, "me");
	CHECK_STR(c->created, "now");
	CHECK_STR(c->user, "u");
	CHECK_STR(c->working_dir, "/w");
	CHECK_STR(c->stop_signal, "INT");
	CHECK(c->entrypoint.count == 1 && c->cmd.count == 2 && c->env.count == 1);
	CHECK(c->exposed_ports.count == 2 && c->volumes.count == 1 && c->labels.count == 2);
	if (!t_why[0]) {
		CHECK_STR(c->exposed_ports.items[1].key, "53/udp");
		CHECK(!c->exposed_ports.items[1].value);
		CHECK_STR(c->labels.items[0].value, "v");
	}
	CHECK_INT(c->diff_ids.count, 1);
	CHECK_STR(c->diff_ids.items[0], DIGEST);
	arena_destroy(arena);
}

/* As Go prints what is not set. */
/* Documents may say what they are; a digest that smk cannot check harms who chooses it only. */
static void own_types(void)
{
	static const struct {
		enum kind kind;
		const char *text;
	} rows[] = {
		{INDEX,
		 "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		 "\"manifests\":[]}"},
		{INDEX, "{\"schemaVersion\":2,\"mediaType\":null,\"manifests\":[]}"},
		{MANIFEST_, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST
			    "\",\"config\":" DESCRIPTOR(CONFIG, "") "," LAYERS("") "}"},
		{LAYOUT, "{\"imageLayoutVersion\":\"1.0.0\"}"},
	};
	struct arena *arena;
	union result r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		arena_destroy(read_good(rows[i].kind, rows[i].text, &r));
	arena = read_good(INDEX, DIGESTED("sha512:" HEX_A HEX_A), &r);
	CHECK_INT(r.index.count, 1);
	CHECK_STR(r.index.manifests[0].digest, "sha512:" HEX_A HEX_A);
	arena_destroy(arena);
}

static void null_is_absent(void)
{
	static const char text[] =
		"{" ARM64 ",\"variant\":null,\"author\":null,\"created\":null," ROOTFS
		",\"config\":{\"User\":null,\"WorkingDir\":null,\"StopSignal\":null,"
		"\"Entrypoint\":null,\"Cmd\":null,\"Env\":null,\"ExposedPorts\":null,"
		"\"Volumes\":null,\"Labels\":null}}";
	union result r;
	struct arena *arena = read_good(IMAGE, text, &r);
	const struct oci_image_config *c = &r.config;

	CHECK(!c->platform.variant && !c->author && !c->created && !c->user && !c->working_dir);
	CHECK(!c->stop_signal && !c->entrypoint.count && !c->cmd.count && !c->env.count);
	CHECK(!c->exposed_ports.count && !c->volumes.count && !c->labels.count);
	arena_destroy(arena);
	arena = read_good(IMAGE, "{" ARM64 ",\"config\":null," ROOTFS "}", &r);
	CHECK_INT(r.config.diff_ids.count, 1);
	arena_destroy(arena);
}

static void saved_images(void)
{
	union result r;
	struct arena *arena = read_good(
		SAVED,
		" [{\"Config\":\"c.json\",\"RepoTags\":[\"a:b\"],\"Layers\":[\"l/layer.tar\"]},"
		"{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":[],\"Parent\":\"x\"}]\n",
		&r);

	CHECK_INT(r.saved.count, 2);
	if (r.saved.count == 2) {
		CHECK_STR(r.saved.images[0].config, "c.json");
		CHECK_STR(r.saved.images[0].tags.items[0], "a:b");
		CHECK_STR(r.saved.images[0].layers.items[0], "l/layer.tar");
		CHECK(!r.saved.images[1].tags.count && !r.saved.images[1].layers.count);
	}
	arena_destroy(arena);
	arena = read_good(STRINGS, "[\"a\",\"\"]", &r);
	CHECK_INT(r.strings.count, 2);
	arena_destroy(arena);
	arena = read_good(STRINGS, "[]", &r);
	CHECK_INT(r.strings.count, 0);
	arena_destroy(arena);
}

/* ---- refusals --------------------------------------------------------------------------------- */

static void every_refusal(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct arena *arena = arena_create(OCI_IMAGE_HEAP_BYTES);
		struct failure f = {0};
		union result untouched, r;

		memset(&r, 0x5a, sizeof(r));
		untouched = r;
		CHECK_INT(read_document(refusals[i].kind, arena, refusals[i].text, &r, &f), -1);
		CHECK_STR(f.field, refusals[i].field);
		CHECK_STR(f.why, refusals[i].why);
		CHECK(!strncmp(f.path, "doc", 3));
		CHECK(!memcmp(&r, &untouched, sizeof(r)));
		arena_destroy(arena);
		if (t_why[0])
			return (void)printf("# %s\n", refusals[i].text);
	}
}

static void too_long(void)
{
	size_t length = OCI_IMAGE_MAX_BYTES + 1;
	char *text = malloc(length + 1);
	struct arena *arena = arena_create(OCI_IMAGE_HEAP_BYTES);
	struct failure f = {0};
	union result r;

	if (!text)
		abort();
	memset(text, ' ', length);
	memcpy(text, "{}", 2);
	text[length] = '\0';
	CHECK_INT(read_document(INDEX, arena, text, &r, &f), -1);
	CHECK_STR(f.path, "doc");
	CHECK_STR(f.why, "must be at most 4194304 bytes, not 4194305");
	f = (struct failure){0};
	text[length - 1] = '\0'; /* the longest that is looked at: its first fault is another */
	CHECK_INT(read_document(INDEX, arena, text, &r, &f), -1);
	CHECK_STR(f.why, "must be given");
	arena_destroy(arena);
	free(text);
}

/* ---- memory ----------------------------------------------------------------------------------- */

static void each_allocation_may_fail(void)
{
	static const struct {
		enum kind kind;
		const char *text;
	} rows[] = {
		{INDEX, SIZED("18446744073709551615")},
		{MANIFEST_,
		 "{\"schemaVersion\":2,\"config\":" DESCRIPTOR(CONFIG, "") "," LAYERS("") "}"},
		{IMAGE, IMAGED("\"Env\":[\"A=b\"],\"Labels\":{\"a\":\"b\"},\"Volumes\":{}")},
		{SAVED, "[{\"Config\":\"a\",\"Layers\":[\"b\"]}]"},
		{STRINGS, "[\"a\"]"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int result = -1;

		for (size_t n = 1; result && !t_why[0]; n++) {
			struct arena *arena = arena_create(OCI_IMAGE_HEAP_BYTES);
			struct failure f = {0};
			union result r;

			refused_in = n;
			result = read_document(rows[i].kind, arena, rows[i].text, &r, &f);
			CHECK_STR(f.why, result ? "more memory is needed than it may use" : "");
			CHECK(result ? !refused_in : n > 4);
			refused_in = 0;
			arena_destroy(arena);
		}
	}
}

static const struct t_case cases[] = {
	{"media types", media_types},   {"an index", an_index},
	{"a manifest", a_manifest},     {"a configuration", a_configuration},
	{"own types", own_types},       {"null is absent", null_is_absent},
	{"saved images", saved_images}, {"every refusal", every_refusal},
	{"too long", too_long},         {"each allocation may fail", each_allocation_may_fail},
};
T_MAIN("image", cases)
