// SPDX-License-Identifier: Apache-2.0
/* What the files that write a runtime configuration share: the merged input, and its sections. */
#ifndef OCI_RUN_MERGED_H
#define OCI_RUN_MERGED_H

#include "run_config.h"
#include "writer.h"

struct merged {
	const struct oci_image_config *image;
	const struct oci_overrides *over;
	struct oci_strings entrypoint;
	struct oci_strings args;
	const char *cwd;
	const char *user;
	char user_text[OCI_USER_BYTES_MAX + 2]; /* when it is not as it was given */
	const char *hostname;
	const char *stop_signal;
	uint64_t capabilities;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static inline bool has_text(const char *text)
{
	return text && text[0];
}

/* The strings as elements of the array that is open. */
void write_strings(struct writer *writer, const struct oci_strings *strings);
/* Members of the document. */
void write_process(struct writer *writer, const struct merged *m);
void write_mounts(struct writer *writer, const struct merged *m);
/* Members of the annotations. */
void write_volume_directories(struct writer *writer, const struct merged *m);

#endif
