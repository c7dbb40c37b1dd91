// SPDX-License-Identifier: Apache-2.0
/* A blob -> its bytes without their compression -> tar entries; hashed on both sides. */
#include "host/image/layer_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static ssize_t read_packed(struct archive *archive, void *context, const void **ret_bytes)
{
	struct layer_stream *stream = context;
	ssize_t got = blob_read(&stream->blob, stream->packed, sizeof(stream->packed), stream->f);

	if (got < 0)
		archive_set_error(archive, EIO, "%s", "see the failure");
	*ret_bytes = stream->packed;
	return got < 0 ? -1 : got;
}

static ssize_t read_plain(struct archive *archive, void *context, const void **ret_bytes)
{
	struct layer_stream *stream = context;
	la_ssize_t got = stream->is_empty ? 0
					  : archive_read_data(stream->raw, stream->plain,
							      sizeof(stream->plain));

	*ret_bytes = stream->plain;
	if (got < 0) {
		archive_set_error(archive, EIO, "%s", archive_error_string(stream->raw));
		return -1;
	}
	stream->length += (uint64_t)got;
	if (stream->length > stream->max) {
		archive_set_error(archive, EFBIG,
				  "more than %llu MiB unpacked: see --max-layer-size",
				  (unsigned long long)(stream->max >> 20));
		return -1;
	}
	sha256_update(&stream->hash, stream->plain, (size_t)got);
	return got;
}

static int fail_reader(struct layer_stream *stream, struct archive *archive, struct failure *f)
{
	const char *words = archive_error_string(archive);

	return fail_err(f, 0, "", stream->blob.shown, "%s",
			words ? words : "cannot be read as a tar archive");
}

int stream_fail(struct layer_stream *stream, struct failure *f)
{
	return fail_reader(stream, stream->tar, f);
}

static int open_readers(struct layer_stream *stream, struct failure *f)
{
	struct archive_entry *entry;
	int result;

	stream->raw = archive_read_new();
	stream->tar = archive_read_new();
	if (!stream->raw || !stream->tar)
		return fail_err(f, ENOMEM, "", stream->blob.shown, "%s", "");
	archive_read_support_filter_gzip(stream->raw);
	archive_read_support_filter_zstd(stream->raw);
	archive_read_support_format_raw(stream->raw);
	archive_read_support_format_empty(stream->raw);
	archive_read_support_format_tar(stream->tar);
	/* An empty tar, as some tools write a layer that changes nothing, is no error. */
	archive_read_support_format_empty(stream->tar);
	result = archive_read_open(stream->raw, stream, NULL, read_packed, NULL);
	if (result == ARCHIVE_OK)
		result = archive_read_next_header(stream->raw, &entry);
	if (result != ARCHIVE_OK && !stream->blob.length)
		return fail_err(f, 0, "", stream->blob.shown, "the layer is empty");
	stream->is_empty = result == ARCHIVE_EOF;
	if (result != ARCHIVE_OK && !stream->is_empty)
		return fail_reader(stream, stream->raw, f);
	result = archive_read_open(stream->tar, stream, NULL, read_plain, NULL);
	return result == ARCHIVE_OK ? 0 : stream_fail(stream, f);
}

/* What follows the end of the tar is part of the stream that the diff id is of. */
int stream_check(struct layer_stream *stream, const char *diff_id, struct failure *f)
{
	char hex[2 * SHA256_SIZE + 1];
	const void *bytes;
	ssize_t got;

	while ((got = read_plain(stream->tar, stream, &bytes)) > 0)
		;
	if (got < 0)
		return stream_fail(stream, f);
	/* The first reader may have stopped before the blob's end, where its digest is checked. */
	while ((got = blob_read(&stream->blob, stream->packed, sizeof(stream->packed), f)) > 0)
		;
	if (got < 0)
		return -1;
	sha256_finish_hex(&stream->hash, hex);
	if (strcmp(strchr(diff_id, ':') + 1, hex) != 0)
		return fail_err(f, 0, "", stream->blob.shown,
				"unpacked it is sha256:%.12s..., not %.19s... as the image says",
				hex, diff_id);
	return 0;
}

int stream_open(const struct store *store, const struct image_layer *layer, uint64_t max,
		struct layer_stream **ret, struct failure *f)
{
	const struct blob_claim claim = {layer->digest, layer->has_size, layer->size};
	struct layer_stream *stream = must_alloc(sizeof(*stream));

	stream->max = max;
	stream->f = f;
	sha256_init(&stream->hash);
	if (blob_open(store, layer->name, claim, &stream->blob, f)) {
		free(stream);
		return -1;
	}
	if (open_readers(stream, f)) {
		stream_close(stream);
		return -1;
	}
	*ret = stream;
	return 0;
}

void stream_close(struct layer_stream *stream)
{
	archive_read_free(stream->tar);
	archive_read_free(stream->raw);
	blob_finish(&stream->blob);
	free(stream);
}
