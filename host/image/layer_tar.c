// SPDX-License-Identifier: Apache-2.0
/*
 * A layer's tar stream -> its tree, and its files' data into the image.
 *
 * Two of libarchive's readers stand in a row: the first takes the compression off, so that the tar
 * stream itself can be hashed for the diff id; the second takes the tar apart. Both directions of
 * trust are checked: the blob by its digest (blob_read), the stream by its diff id.
 */
#include "host/image/convert.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK           (256u << 10)
#define WHITEOUT        ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META   ".wh..wh."
#define XATTRS_MAX      (64u << 10) /* bytes of one file's, names included */

struct stream {
	struct blob blob;
	struct archive *raw;
	struct archive *tar;
	struct sha256 hash; /* of what is in the compression */
	bool is_empty;      /* there is nothing in it */
	uint64_t length;
	uint64_t max;
	struct failure *f;
	unsigned char packed[CHUNK];
	unsigned char plain[CHUNK];
};

static ssize_t read_packed(struct archive *archive, void *context, const void **ret_bytes)
{
	struct stream *stream = context;
	ssize_t got = blob_read(&stream->blob, stream->packed, sizeof(stream->packed), stream->f);

	if (got < 0)
		archive_set_error(archive, EIO, "%s", "see the failure");
	*ret_bytes = stream->packed;
	return got < 0 ? -1 : got;
}

static ssize_t read_plain(struct archive *archive, void *context, const void **ret_bytes)
{
	struct stream *stream = context;
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

static int fail_stream(struct stream *stream, struct archive *archive, struct failure *f)
{
	const char *words = archive_error_string(archive);

	return fail_err(f, 0, "", stream->blob.shown, "%s",
			words ? words : "cannot be read as a tar archive");
}

static int open_stream(struct stream *stream, struct failure *f)
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
		return fail_stream(stream, stream->raw, f);
	result = archive_read_open(stream->tar, stream, NULL, read_plain, NULL);
	return result == ARCHIVE_OK ? 0 : fail_stream(stream, stream->tar, f);
}

/* ---- entries -------------------------------------------------------------------------------- */

/* xattrs that a layer may set: what the kernel gives a meaning only to the kernel's own is not one. */
static bool is_xattr_kept(const char *name)
{
	return !strncmp(name, "user.", 5) || !strncmp(name, "security.", 9) ||
	       (!strncmp(name, "trusted.", 8) && strncmp(name, "trusted.overlay.", 16) != 0);
}

static int read_xattrs(struct archive_entry *entry, const char *path, struct layer_inode *inode,
		       struct failure *f)
{
	const char *name;
	const void *value;
	size_t length;
	size_t total = 0;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &length) == ARCHIVE_OK) {
		if (!name || !is_xattr_kept(name))
			continue;
		total += length + strlen(name);
		if (total > XATTRS_MAX || strlen(name) > 255)
			return fail_err(f, 0, "", path, "its extended attributes are too large");
		tree_add_xattr(inode, name, value, length);
	}
	return 0;
}

static int new_inode(struct conversion *c, struct archive_entry *entry, const char *path,
		     struct layer_inode **ret, struct failure *f)
{
	uint32_t mode = (uint32_t)archive_entry_mode(entry);
	int64_t uid = archive_entry_uid(entry);
	int64_t gid = archive_entry_gid(entry);
	struct layer_inode *inode;

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return fail_err(f, 0, "", path, "its owner is not a user or group id: %lld:%lld",
				(long long)uid, (long long)gid);
	inode = tree_inode(&c->tree, mode & (S_IFMT | 07777));
	if (S_ISLNK(mode))
		inode->mode = S_IFLNK | 0777; /* Linux has no other */
	inode->uid = (uint32_t)uid;
	inode->gid = (uint32_t)gid;
	inode->mtime = archive_entry_mtime(entry);
	inode->ordinal = c->ordinal;
	if (S_ISCHR(mode) || S_ISBLK(mode)) {
		inode->major = (uint32_t)archive_entry_rdevmajor(entry);
		inode->minor = (uint32_t)archive_entry_rdevminor(entry);
	}
	if (S_ISLNK(mode)) {
		const char *target = archive_entry_symlink(entry);

		if (!target || !*target || strlen(target) >= 4096)
			return fail_err(f, 0, "", path, "a symbolic link without a sane target");
		inode->target = must_copy(target);
	}
	*ret = inode;
	return read_xattrs(entry, path, inode, f);
}

/* Holes come as gaps between blocks; the image finds zeros by itself. */
static int append_hole(struct conversion *c, int64_t length, struct failure *f)
{
	static const unsigned char zeros[64u << 10];

	while (length > 0) {
		size_t part = length < (int64_t)sizeof(zeros) ? (size_t)length : sizeof(zeros);

		if (c->ops->append(c->image, zeros, part, f))
			return -1;
		length -= (int64_t)part;
	}
	return 0;
}

static int check_size(struct conversion *c, struct stream *stream, const char *path, int64_t size,
		      struct failure *f)
{
	c->bytes += (uint64_t)size;
	if (size < 0 || c->bytes > stream->max)
		return fail_err(f, 0, "", path, "more than %llu MiB unpacked: see --max-layer-size",
				(unsigned long long)(stream->max >> 20));
	return 0;
}

static int copy_blocks(struct conversion *c, struct stream *stream, int64_t size, struct failure *f)
{
	int64_t done = 0;

	for (;;) {
		const void *bytes;
		size_t length;
		la_int64_t offset;
		int result = archive_read_data_block(stream->tar, &bytes, &length, &offset);

		if (result == ARCHIVE_EOF)
			break;
		if (result < ARCHIVE_WARN)
			return fail_stream(stream, stream->tar, f);
		if (offset < done || offset > size || (int64_t)length > size - offset)
			return fail_err(f, 0, "", stream->blob.shown, "a sparse file's map lies");
		if (append_hole(c, offset - done, f) ||
		    (length && c->ops->append(c->image, bytes, length, f)))
			return -1;
		done = offset + (int64_t)length;
	}
	return append_hole(c, size - done, f);
}

static int copy_file(struct conversion *c, struct stream *stream, struct archive_entry *entry,
		     const char *path, struct layer_inode *inode, struct failure *f)
{
	int64_t size = archive_entry_size(entry);

	if (check_size(c, stream, path, size, f) || c->ops->begin(c->image, inode, f) ||
	    copy_blocks(c, stream, size, f) || c->ops->end(c->image, f))
		return -1;
	inode->size = (uint64_t)size;
	return 0;
}

/* A second name of a file; one of a lower layer's files is looked for when the stream has ended. */
static int put_link(struct conversion *c, const struct layer_place *place, const char *path,
		    const char *target, struct failure *f)
{
	struct layer_place to;
	struct layer_entry *entry;

	if (tree_locate(&c->tree, target, &to, f))
		return -1;
	entry = to.name[0] ? tree_find(&c->tree, to.directory, to.name) : NULL;
	if (!entry) {
		conversion_add_link(c, path, target);
		return 0;
	}
	if (tree_is_whiteout(entry->inode))
		return fail_err(f, 0, "", path, "a hard link to %.80s, which is hidden", target);
	if (S_ISDIR(entry->inode->mode))
		return fail_err(f, 0, "", path, "a hard link to a directory: %.80s", target);
	if (entry == tree_find(&c->tree, place->directory, place->name))
		return 0;
	return tree_put(&c->tree, place, entry->inode, f);
}

/* 1: it was a whiteout; 0; -1. */
static int put_whiteout(struct conversion *c, const struct layer_place *place, struct failure *f)
{
	struct layer_place hidden = *place;

	if (strncmp(place->name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	if (!strcmp(place->name, WHITEOUT_OPAQUE)) {
		place->directory->is_opaque = true;
		return 1;
	}
	memmove(hidden.name, place->name + strlen(WHITEOUT),
		strlen(place->name + strlen(WHITEOUT)) + 1);
	if (!hidden.name[0] || !strcmp(hidden.name, ".") || !strcmp(hidden.name, ".."))
		return fail_err(f, 0, "", place->name, "a whiteout of nothing");
	return tree_whiteout(&c->tree, &hidden, f) ? -1 : 1;
}

/* Another union file system's own records, and what is below them. */
static bool is_record(const char *path)
{
	for (; *path; path += strcspn(path, "/")) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (!strncmp(path, WHITEOUT_META, strlen(WHITEOUT_META)) &&
		    (length != strlen(WHITEOUT_OPAQUE) ||
		     strncmp(path, WHITEOUT_OPAQUE, length) != 0))
			return true;
	}
	return false;
}

static int put_entry(struct conversion *c, struct stream *stream, struct archive_entry *entry,
		     struct failure *f)
{
	const char *path = archive_entry_pathname(entry);
	const char *target = archive_entry_hardlink(entry);
	struct layer_place place;
	struct layer_inode *inode = NULL;
	int result;

	if (!path)
		return fail_err(f, 0, "", stream->blob.shown, "an entry without a readable name");
	if (is_record(path))
		return 0;
	if (tree_locate(&c->tree, path, &place, f))
		return -1;
	result = put_whiteout(c, &place, f);
	if (result)
		return result < 0 ? -1 : 0;
	if (target)
		return put_link(c, &place, path, target, f);
	if (!archive_entry_filetype(entry))
		return fail_err(f, 0, "", path, "an entry of an unknown type");
	if (new_inode(c, entry, path, &inode, f) ||
	    (S_ISREG(inode->mode) && copy_file(c, stream, entry, path, inode, f)))
		return -1;
	return tree_put(&c->tree, &place, inode, f);
}

/* Only the file that a link of a higher layer leads to, under the link's target's name. */
static int put_wanted(struct conversion *c, struct stream *stream, struct archive_entry *entry,
		      struct failure *f)
{
	struct layer_place place;
	struct layer_inode *inode = NULL;

	if (c->ordinal != c->wanted)
		return 0;
	if (tree_locate(&c->tree, c->wanted_path, &place, f) ||
	    new_inode(c, entry, c->wanted_path, &inode, f) ||
	    (S_ISREG(inode->mode) && copy_file(c, stream, entry, c->wanted_path, inode, f)))
		return -1;
	return tree_put(&c->tree, &place, inode, f);
}

/* What follows the end of the tar is part of the stream that the diff id is of. */
static int check_rest(struct stream *stream, const char *diff_id, struct failure *f)
{
	char hex[2 * SHA256_SIZE + 1];
	const void *bytes;
	ssize_t got;

	while ((got = read_plain(stream->tar, stream, &bytes)) > 0)
		;
	if (got < 0)
		return fail_stream(stream, stream->tar, f);
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

static int read_entries(struct conversion *c, struct stream *stream, struct failure *f)
{
	struct archive_entry *entry;
	int result;

	while ((result = archive_read_next_header(stream->tar, &entry)) == ARCHIVE_OK ||
	       result == ARCHIVE_WARN) {
		if (signals_want_end())
			return fail_err(f, EINTR, "", stream->blob.shown, "ended by a signal");
		c->ordinal++;
		if (c->wanted ? put_wanted(c, stream, entry, f) : put_entry(c, stream, entry, f))
			return -1;
	}
	return result == ARCHIVE_EOF ? 0 : fail_stream(stream, stream->tar, f);
}

static int read_layer(struct conversion *c, struct stream *stream, const char *diff_id,
		      struct failure *f)
{
	return open_stream(stream, f) || read_entries(c, stream, f) ||
			       check_rest(stream, diff_id, f)
		       ? -1
		       : 0;
}

int layer_read(struct conversion *c, const struct store *store, const struct image_layer *layer,
	       uint64_t max, struct failure *f)
{
	const struct blob_claim claim = {layer->digest, layer->has_size, layer->size};
	struct stream *stream = must_alloc(sizeof(*stream));
	int result;

	stream->max = max;
	stream->f = f;
	sha256_init(&stream->hash);
	result = blob_open(store, layer->name, claim, &stream->blob, f);
	if (!result) {
		result = read_layer(c, stream, layer->diff_id, f);
		archive_read_free(stream->tar);
		archive_read_free(stream->raw);
		blob_finish(&stream->blob);
	}
	free(stream);
	return result;
}
