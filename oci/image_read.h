// SPDX-License-Identifier: Apache-2.0
/* What the readers of an image's documents share. */
#ifndef OCI_IMAGE_READ_H
#define OCI_IMAGE_READ_H

#include <jansson.h>

#include "field.h"
#include "image.h"

/* A reader behind which null is taken for absence. */
#define NULLABLE(name, reader)                                                         \
	static int name(const struct field *field, const struct rule *rule, void *ret, \
			struct failure *f)                                             \
	{                                                                              \
		return json_is_null(field->value) ? 0 : reader(field, rule, ret, f);   \
	}

#define ROW(type, key_, reader, member)                                       \
	{                                                                     \
		.key = key_, .read = reader, .offset = offsetof(type, member) \
	}
#define NEEDED(type, key_, reader, member)                                                         \
	{                                                                                          \
		.key = key_, .read = reader, .offset = offsetof(type, member), .is_required = true \
	}

struct image_source {
	struct arena *arena;
	const char *name;
	const char *bytes;
	size_t length;
};

int image_digest(const struct field *field, const struct rule *rule, void *ret, struct failure *f);
/* Says which document it is about; a field alone does not in a walk over many. -1. */
int image_fail(struct failure *f, const char *name);
int image_load(const struct image_source *source, struct document *document, struct field *ret_top,
	       struct failure *f) FAIL_MUST_CHECK;
/* Loads the document and reads its members. */
int image_read_object(const struct image_source *source, const struct rules *rules, void *ret,
		      struct failure *f) FAIL_MUST_CHECK;

#endif
