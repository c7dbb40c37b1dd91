// SPDX-License-Identifier: Apache-2.0
/* A blob -> its bytes without their compression -> tar entries; hashed on both sides. */
#include "host/image/layer_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *magic;
	int filter;
} compressions[] = {
	{"\x1f\x8b\x08", ARCHIVE_FILTER_GZIP},
	{"\x28\xb5\x2f\xfd", ARCHIVE_FILTER_ZSTD},
};

static int find_compression(const void *bytes, size_t length)
{
	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
		size_t known = strlen(compressions[i].magic);

		if (length >= known && !memcmp(bytes, compressions[i].magic, known))
			return compressions[i].filter;
	}
	return ARCHIVE_FILTER_NONE;
}

bool stream_wants_end(const struct layer_stream *stream)
{
	return layers_want_end(stream->conversion->layers, stream->conversion->index);
}

static bool is_ended(struct layer_stream *stream, struct archive *archive)
{
	if (!stream_wants_end(stream))
		return false;
	archive_set_error(archive, EINTR, "%s", "ended by a signal");
	return true;
}

static ssize_t read_packed(struct archive *archive, void *context, const void **ret_bytes)
{
	struct layer_stream *stream = context;
	ssize_t got = (ssize_t)stream->ahead;

	stream->ahead = 0;
	if (is_ended(stream, archive))
		return -1;
	if (!got)
		got = blob_read(&stream->blob, stream->packed, sizeof(stream->packed), stream->f);
	if (got < 0)
		archive_set_error(archive, EIO, "%s", "see the failure");
	*ret_bytes = stream->packed;
	return got < 0 ? -1 : got;
}

static ssize_t read_plain(struct archive *archive, void *context, const void **ret_bytes)
{
	struct layer_stream *stream = context;
	la_ssize_t got;

	if (is_ended(stream, archive))
		return -1;
	got = stream->is_empty
		      ? 0
		      : archive_read_data(stream->raw, stream->plain, sizeof(stream->plain));
	*ret_bytes = stream->plain;
	if (got < 0) {
		archive_set_error(archive, EIO, "%s", archive_error_string(stream->raw));
		return -1;
	}
	if (!stream->length && find_compression(stream->plain, (size_t)got)) {
		archive_set_error(archive, EINVAL, "%s", "compressed twice");
		return -1;
	}
	stream->length += (uint64_t)got;
	if (stream->length > stream->max) {
		archive_set_error(archive, EFBIG, "%s", stream->too_long);
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

/* The filter that is named is the only one: nothing is guessed then. */
static int add_filter(struct layer_stream *stream)
{
	ssize_t got = blob_read(&stream->blob, stream->packed, sizeof(stream->packed), stream->f);
	int filter;

	if (got < 0)
		return -1;
	if (!got)
		return fail_err(stream->f, 0, "", stream->blob.shown, "the layer is empty");
	stream->ahead = (size_t)got;
	filter = find_compression(stream->packed, stream->ahead);
	if (filter && archive_read_append_filter(stream->raw, filter) != ARCHIVE_OK)
		return fail_reader(stream, stream->raw, stream->f);
	return 0;
}

static int open_readers(struct layer_stream *stream, struct failure *f)
{
	struct archive_entry *entry;
	int result;

	stream->raw = archive_read_new();
	stream->tar = archive_read_new();
	if (!stream->raw || !stream->tar)
		return fail_err(f, ENOMEM, "", stream->blob.shown, "%s", "");
	if (add_filter(stream))
		return -1;
	archive_read_support_format_raw(stream->raw);
	archive_read_support_format_empty(stream->raw);
	archive_read_support_format_tar(stream->tar);
	/* An empty tar, as some tools write a layer that changes nothing, is no error. */
	archive_read_support_format_empty(stream->tar);
	result = archive_read_open(stream->raw, stream, NULL, read_packed, NULL);
	if (result == ARCHIVE_OK)
		result = archive_read_next_header(stream->raw, &entry);
	stream->is_empty = result == ARCHIVE_EOF;
	if (result != ARCHIVE_OK && !stream->is_empty)
		return fail_reader(stream, stream->raw, f);
	result = archive_read_open(stream->tar, stream, NULL, read_plain, NULL);
	return result == ARCHIVE_OK ? 0 : stream_fail(stream, f);
}

/* A decompressor stops at what it does not know; of the blob all has to be the stream's. */
static int check_rest(const struct layer_stream *stream, struct failure *f)
{
	const uint64_t used = (uint64_t)archive_filter_bytes(stream->raw, -1);

	if (used == stream->blob.length)
		return 0;
	return fail_err(f, 0, "", stream->blob.shown, "has %llu bytes behind the compressed layer",
			(unsigned long long)(stream->blob.length - used));
}

/* What follows the end of the tar is part of the stream that the diff id is of. */
int stream_check(struct layer_stream *stream, struct failure *f)
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
	if (got < 0 || check_rest(stream, f))
		return -1;
	sha256_finish_hex(&stream->hash, hex);
	if (strcmp(strchr(stream->diff_id, ':') + 1, hex) != 0)
		return fail_err(f, 0, "", stream->blob.shown,
				"unpacked it is sha256:%.12s..., not %.19s... as the image says",
				hex, stream->diff_id);
	return 0;
}

/* "more than 1536 KiB ...": in the largest unit that says it exactly. */
static void set_too_long(struct layer_stream *stream)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	uint64_t number = stream->max;
	size_t unit = 0;

	while (number && number % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		number /= 1024;
		unit++;
	}
	snprintf(stream->too_long, sizeof(stream->too_long),
		 "more than %llu %s unpacked: see --max-layer-size", (unsigned long long)number,
		 units[unit]);
}

int stream_open(const struct conversion *conversion, size_t index, struct layer_stream **ret,
		struct failure *f)
{
	const struct image *image = conversion->layers->image;
	const struct image_layer *layer = &image->layers[index];
	const struct blob_claim claim = {layer->digest, layer->has_size, layer->size};
	struct layer_stream *stream = must_alloc(sizeof(*stream));

	stream->conversion = conversion;
	stream->diff_id = layer->diff_id;
	stream->max = conversion->layers->max;
	set_too_long(stream);
	stream->f = f;
	sha256_init(&stream->hash);
	if (blob_open(&image->store, layer->name, claim, &stream->blob, f)) {
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
