// SPDX-License-Identifier: Apache-2.0
/* What tests of new runtime configurations share: a conversion, and a look at one of its members. */
#ifndef TESTS_UNIT_RUN_CONFIG_H
#define TESTS_UNIT_RUN_CONFIG_H

#include <jansson.h>
#include <stdlib.h>

#include "oci/arena.h"
#include "oci/run_config.h"
#include "tests/t.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define IMAGE(members)                                                                  \
	"{\"os\":\"linux\",\"architecture\":\"arm64\",\"rootfs\":{\"type\":\"layers\"," \
	"\"diff_ids\":[\"" DIGEST "\"]},\"config\":{" members "}}"
#define RUN          "\"Cmd\":[\"/c\"]"
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The configuration that the image's becomes; NULL: the failure in f. */
static inline json_t *convert(const char *image, const struct oci_overrides *over,
			      struct failure *f)
{
	struct arena *arena = arena_create(OCI_IMAGE_HEAP_BYTES);
	struct oci_image_config config;
	struct oci_spec spec;
	char line[FAIL_LINE_MAX];
	json_t *root = NULL;
	char *text = NULL;
	size_t length;

	CHECK_INT(oci_image_config_parse(arena, "i", image, strlen(image), &config, f), 0);
	if (!oci_run_config(&config, over, &text, &length, f)) {
		CHECK_INT(length, strlen(text));
		root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
		CHECK(root);
		if (oci_parse(text, length, 1, &spec, f)) {
			fail_format(f, line);
			CHECK_STR(line, "a configuration that parses");
		} else {
			CHECK_INT(spec.warning_count, 0);
			oci_spec_finish(&spec);
		}
	}
	free(text);
	arena_destroy(arena);
	return root;
}

/* One member of the result, by its path of keys and numbers, as compact JSON. */
static inline void check_member(const json_t *root, const char *path, const char *want)
{
	char *got;
	char key[128];

	while (*path && root) {
		size_t length = strcspn(++path, " ");

		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		root = json_is_array(root) ? json_array_get(root, strtoul(key, NULL, 10))
					   : json_object_get(root, key);
		path += length;
	}
	got = root ? json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	CHECK_STR(got ? got : "(absent)", want);
	free(got);
}

static inline void check_one(const char *image, const struct oci_overrides *over, const char *path,
			     const char *want)
{
	struct failure f = {0};
	json_t *root = convert(image, over, &f);

	CHECK_STR(f.why, "");
	check_member(root, path, want);
	json_decref(root);
}

#define W(word) ((char[]){word})
#define WORDS(...)                                                               \
	{                                                                        \
		(char *[]){__VA_ARGS__, NULL}, COUNT(((char *[]){__VA_ARGS__})), \
	}

#endif
