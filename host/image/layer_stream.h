// SPDX-License-Identifier: Apache-2.0
/*
 * A layer's blob as a tar archive that is verified while it is read.
 *
 * Two of libarchive's readers stand in a row: the first takes the compression off, so that the tar
 * stream itself can be hashed for the diff id; the second takes the tar apart. Both directions of
 * trust are checked: the blob by its digest (blob_read), the stream by its diff id.
 *
 * The compression is told from the blob's first bytes here, not by libarchive: that one would take
 * off as many as there are, one in the other, and only what comes out of the last could be counted.
 */
#ifndef HOST_IMAGE_LAYER_STREAM_H
#define HOST_IMAGE_LAYER_STREAM_H

#include "host/image/convert.h"

#define STREAM_CHUNK (256u << 10)

struct layer_stream {
	const struct conversion *conversion;
	const char *diff_id;
	struct blob blob;
	struct archive *raw;
	struct archive *tar;
	struct sha256 hash; /* of what is in the compression */
	bool is_empty;      /* there is nothing in it */
	bool is_over;       /* it ended with a file's data */
	size_t ahead;       /* bytes in packed, read to tell the compression */
	uint64_t length;
	uint64_t max;
	char too_long[80]; /* what is said when there is more */
	struct failure *f;
	unsigned char packed[STREAM_CHUNK];
	unsigned char plain[STREAM_CHUNK];
};

/* Of layer number index, which need not be the one that is converted. It keeps f until its end. */
int stream_open(const struct conversion *conversion, size_t index, struct layer_stream **ret,
		struct failure *f) FAIL_MUST_CHECK;
/* Whether going on is in vain: asked for each part of what is read, and of a hole. */
bool stream_wants_end(const struct layer_stream *stream);
/* When the tar has ended: what follows it in the blob is read, and all of it has to be as claimed. */
int stream_check(struct layer_stream *stream, struct failure *f) FAIL_MUST_CHECK;
void stream_close(struct layer_stream *stream);
/* -1, with what the reader of the tar says. */
int stream_fail(struct layer_stream *stream, struct failure *f);

#endif
