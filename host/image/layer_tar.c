// SPDX-License-Identifier: Apache-2.0
/* A layer's tar stream -> its tree, and its files' data into the image. */
#include "host/image/convert.h"
#include "host/image/layer_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WHITEOUT        ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META   ".wh..wh."
#define ACL_GROUP_OBJ   4           /* the tag of the file's group; linux/posix_acl.h */
#define XATTRS_MAX      (64u << 10) /* bytes of one file's, names included */

/* ---- entries -------------------------------------------------------------------------------- */

/* xattrs that a layer may set: what the kernel gives a meaning only to the kernel's own is not one. */
static bool is_xattr_kept(const char *name)
{
	return !strncmp(name, "user.", 5) || !strncmp(name, "security.", 9) ||
	       (!strncmp(name, "trusted.", 8) && strncmp(name, "trusted.overlay.", 16) != 0);
}

/*
 * No ACL is kept, for squashfs has none. A file with one has the ACL's mask for group bits, which may be more than
 * its group was given: what stays is the group's own.
 */
static void drop_acl(struct layer_inode *inode, const unsigned char *acl, size_t length)
{
	const size_t head = 4, entry = 8; /* little-endian: version; tag and rights, an id */

	for (size_t at = head; at + entry <= length; at += entry)
		if (acl[at] == ACL_GROUP_OBJ && !acl[at + 1])
			inode->mode &= ~(uint32_t)070 | (acl[at + 2] & 7u) << 3;
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
		if (name && !strcmp(name, "system.posix_acl_access"))
			drop_acl(inode, value, length);
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
	inode = tree_inode(c->tree, mode & (S_IFMT | 07777));
	if (S_ISLNK(mode))
		inode->mode = S_IFLNK | 0777; /* Linux has no other */
	inode->uid = (uint32_t)uid;
	inode->gid = (uint32_t)gid;
	inode->mtime = archive_entry_mtime(entry);
	inode->ordinal = c->ordinal;
	inode->source = c->index;
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
static int append_hole(struct conversion *c, struct layer_stream *stream, int64_t length,
		       struct failure *f)
{
	static const unsigned char zeros[256u << 10];

	while (length > 0) {
		size_t part = length < (int64_t)sizeof(zeros) ? (size_t)length : sizeof(zeros);

		if (stream_wants_end(stream))
			return fail_err(f, EINTR, "", stream->blob.shown, "ended by a signal");
		if (c->ops->append(c->image, zeros, part, f))
			return -1;
		length -= (int64_t)part;
	}
	return 0;
}

static int check_size(struct conversion *c, struct layer_stream *stream, const char *path,
		      int64_t size, struct failure *f)
{
	c->bytes += (uint64_t)size;
	if (size < 0 || c->bytes > stream->max)
		return fail_err(f, 0, "", path, "%s", stream->too_long);
	return 0;
}

/*
 * A stream may end with the last file's data, without the zeros up to the next block: `umoci insert`
 * leaves them out, and what others use to read layers does not miss them.
 */
static int copy_blocks(struct conversion *c, struct layer_stream *stream, int64_t size,
		       struct failure *f)
{
	int64_t done = 0;

	for (;;) {
		const void *bytes;
		size_t length;
		la_int64_t offset;
		int result = archive_read_data_block(stream->tar, &bytes, &length, &offset);

		stream->is_over = result < ARCHIVE_WARN && done == size;
		if (result == ARCHIVE_EOF || stream->is_over)
			break;
		if (result < ARCHIVE_WARN)
			return stream_fail(stream, f);
		if (offset < done || offset > size || (int64_t)length > size - offset)
			return fail_err(f, 0, "", stream->blob.shown, "a sparse file's map lies");
		if (append_hole(c, stream, offset - done, f) ||
		    (length && c->ops->append(c->image, bytes, length, f)))
			return -1;
		done = offset + (int64_t)length;
	}
	return append_hole(c, stream, size - done, f);
}

static int copy_file(struct conversion *c, struct layer_stream *stream, struct archive_entry *entry,
		     const char *path, struct layer_inode *inode, struct failure *f)
{
	int64_t size = archive_entry_size(entry);

	if (check_size(c, stream, path, size, f) || c->ops->begin(c->image, inode, f) ||
	    copy_blocks(c, stream, size, f) || c->ops->end(c->image, f))
		return -1;
	inode->size = (uint64_t)size;
	return 0;
}

/* A file that only a lower layer has is there under both names, as after a copy-up. */
static int put_lower_link(struct conversion *c, const struct layer_place *to, const char *path,
			  const char *target, struct layer_entry **ret, struct failure *f)
{
	struct layer_inode *inode = tree_inode(c->tree, S_IFREG);

	inode->lower = must_alloc(sizeof(*inode->lower));
	inode->lower->path = must_copy(path);
	inode->lower->target = must_copy(target);
	if (tree_put(c->tree, to, inode, f))
		return -1;
	*ret = tree_find(c->tree, to->directory, to->name);
	(*ret)->is_implied = true;
	return 0;
}

int fail_link(const char *path, const char *target, struct failure *f)
{
	return fail_err(f, 0, "", path, "a hard link to %.100s, which is no file", target);
}

/* A second name of a file. */
static int put_link(struct conversion *c, const struct layer_place *place, const char *path,
		    const char *target, struct failure *f)
{
	struct layer_place to;
	struct layer_entry *entry;

	if (tree_locate(c->tree, target, &to, f))
		return -1;
	if (!to.name[0])
		return fail_link(path, target, f);
	entry = tree_find(c->tree, to.directory, to.name);
	if (!entry && put_lower_link(c, &to, path, target, &entry, f))
		return -1;
	if (tree_is_whiteout(entry->inode))
		return fail_err(f, 0, "", path, "a hard link to %.80s, which is hidden", target);
	if (S_ISDIR(entry->inode->mode))
		return fail_err(f, 0, "", path, "a hard link to a directory: %.80s", target);
	if (entry != tree_find(c->tree, place->directory, place->name))
		return tree_put(c->tree, place, entry->inode, f);
	entry->is_implied = false;
	return 0;
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
	return tree_whiteout(c->tree, &hidden, f) ? -1 : 1;
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

static int put_entry(struct conversion *c, struct layer_stream *stream, struct archive_entry *entry,
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
	if (tree_locate(c->tree, path, &place, f))
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
	return tree_put(c->tree, &place, inode, f);
}

/* Only files that links of a higher layer lead to, which are sorted by their entries' numbers. */
static int put_wanted(struct conversion *c, struct layer_stream *stream,
		      struct archive_entry *entry, struct failure *f)
{
	struct layer_inode *inode = *c->wanted;

	if (c->ordinal != inode->ordinal)
		return 0;
	c->wanted++;
	return copy_file(c, stream, entry, inode->lower->path, inode, f);
}

/* All that was wanted of a lower layer is there. */
static bool is_served(const struct conversion *c)
{
	return c->wanted && !*c->wanted;
}

static int read_entries(struct conversion *c, struct layer_stream *stream, struct failure *f)
{
	struct archive_entry *entry;
	int result;

	while ((result = archive_read_next_header(stream->tar, &entry)) == ARCHIVE_OK ||
	       result == ARCHIVE_WARN) {
		if (is_served(c))
			continue; /* to the end, for the stream's hash */
		c->ordinal++;
		if (c->wanted ? put_wanted(c, stream, entry, f) : put_entry(c, stream, entry, f))
			return -1;
		if (stream->is_over)
			return 0;
	}
	/* Nothing more is wanted of a stream whose last file is passed over: its hash judges it. */
	return result == ARCHIVE_EOF || is_served(c) ? 0 : stream_fail(stream, f);
}

int layer_read(struct conversion *c, size_t index, struct failure *f)
{
	struct layer_stream *stream;
	int result;

	if (stream_open(c, index, &stream, f))
		return -1;
	result = read_entries(c, stream, f) || stream_check(stream, f) ? -1 : 0;
	stream_close(stream);
	return result;
}
