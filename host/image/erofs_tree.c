// SPDX-License-Identifier: Apache-2.0
/*
 * Inodes and directories of an erofs image, in three walks over the tree: places for all inodes,
 * the directories' whole blocks, then the inodes with what stands behind them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/image/erofs.h"

/* A name of a directory as it is written: its children, "." and "..", in the order of names. */
struct item {
	const char *name;
	const struct layer_inode *inode;
};

/* What the walks know of an inode beside the layer's own record. */
struct node {
	struct layer_inode *inode;
	const struct layer_entry *directory; /* of directories */
	uint64_t size;                       /* of the data */
	size_t xattr_bytes;
	bool is_inline;
	uint32_t block; /* of the data's whole blocks */
};

struct walk {
	struct layer_image *image;
	struct node *nodes; /* in the order of their places; inode->number is the index + 1 */
	size_t count;
	size_t capacity;
	uint64_t end; /* of the inodes' part so far, in bytes */
};

/* ---- extended attributes -------------------------------------------------------------------- */

static const struct {
	const char *prefix;
	uint8_t number;
} prefixes[] = {{"user.", 1}, {"trusted.", 4}, {"security.", 6}};

/* The layer's reader lets no other name through. */
static uint8_t split_name(const char *name, const char **ret_rest)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i].prefix);

		if (!strncmp(name, prefixes[i].prefix, length)) {
			*ret_rest = name + length;
			return prefixes[i].number;
		}
	}
	*ret_rest = name;
	return 0;
}

static size_t round_up(size_t length, size_t unit)
{
	return (length + unit - 1) / unit * unit;
}

static size_t xattr_size(const struct layer_xattr *xattr)
{
	const char *rest;

	split_name(xattr->name, &rest);
	return round_up(sizeof(struct erofs_xattr) + strlen(rest) + xattr->length, 4);
}

static size_t xattr_bytes(const struct layer_inode *inode)
{
	size_t bytes = 0;

	for (const struct layer_xattr *xattr = inode->xattrs; xattr; xattr = xattr->next)
		bytes += xattr_size(xattr);
	return bytes ? bytes + sizeof(struct erofs_xattr_header) : 0;
}

static int write_xattrs(struct layer_image *image, const struct layer_inode *inode,
			struct failure *f)
{
	static const struct erofs_xattr_header header;

	if (!inode->xattrs)
		return 0;
	if (erofs_write(image, &header, sizeof(header), f))
		return -1;
	for (const struct layer_xattr *xattr = inode->xattrs; xattr; xattr = xattr->next) {
		const char *rest;
		struct erofs_xattr entry = {.prefix = split_name(xattr->name, &rest)};

		entry.name_length = (uint8_t)strlen(rest);
		entry.value_length = (uint16_t)xattr->length;
		if (erofs_write(image, &entry, sizeof(entry), f) ||
		    erofs_write(image, rest, strlen(rest), f) ||
		    erofs_write(image, xattr->value, xattr->length, f) || erofs_align(image, 4, f))
			return -1;
	}
	return 0;
}

/* ---- directories ---------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static struct item *items_of(const struct layer_entry *directory, size_t *ret_count)
{
	const struct layer_entry *parent = directory->parent ? directory->parent : directory;
	struct item *items = must_alloc((directory->child_count + 2) * sizeof(*items));

	items[0] = (struct item){".", directory->inode};
	items[1] = (struct item){"..", parent->inode};
	for (size_t i = 0; i < directory->child_count; i++)
		items[i + 2] =
			(struct item){directory->children[i]->name, directory->children[i]->inode};
	*ret_count = directory->child_count + 2;
	qsort(items, *ret_count, sizeof(*items), by_name);
	return items;
}

/* How many items, from the first, one block takes; and their bytes. */
static size_t fill_block(const struct item *items, size_t count, size_t *ret_bytes)
{
	size_t bytes = 0;
	size_t taken = 0;

	while (taken < count) {
		size_t more = sizeof(struct erofs_dirent) + strlen(items[taken].name);

		if (bytes + more > EROFS_BLOCK)
			break;
		bytes += more;
		taken++;
	}
	*ret_bytes = bytes;
	return taken;
}

static uint64_t directory_size(const struct layer_entry *directory)
{
	size_t count;
	size_t bytes = 0;
	uint64_t blocks = 0;
	struct item *items = items_of(directory, &count);

	for (size_t at = 0; at < count; blocks++)
		at += fill_block(items + at, count - at, &bytes);
	free(items);
	return (blocks - 1) * EROFS_BLOCK + bytes;
}

static uint8_t dirent_type(uint32_t mode)
{
	static const struct {
		uint32_t mode;
		uint8_t type;
	} types[] = {{S_IFREG, 1}, {S_IFDIR, 2},  {S_IFCHR, 3}, {S_IFBLK, 4},
		     {S_IFIFO, 5}, {S_IFSOCK, 6}, {S_IFLNK, 7}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((mode & S_IFMT) == types[i].mode)
			return types[i].type;
	return 0;
}

/* One block's worth of items. */
static int write_items(struct layer_image *image, const struct item *items, size_t count,
		       struct failure *f)
{
	size_t name_at = count * sizeof(struct erofs_dirent);

	for (size_t i = 0; i < count; i++) {
		const struct erofs_dirent dirent = {
			.number = items[i].inode->place,
			.name_at = (uint16_t)name_at,
			.type = dirent_type(items[i].inode->mode),
		};

		if (erofs_write(image, &dirent, sizeof(dirent), f))
			return -1;
		name_at += strlen(items[i].name);
	}
	for (size_t i = 0; i < count; i++)
		if (erofs_write(image, items[i].name, strlen(items[i].name), f))
			return -1;
	return 0;
}

/* The whole blocks, or only what does not fill one. */
static int write_directory(struct layer_image *image, const struct node *node, bool is_tail,
			   struct failure *f)
{
	size_t count;
	size_t bytes;
	int result = 0;
	struct item *items = items_of(node->directory, &count);

	for (size_t at = 0, taken; at < count && !result; at += taken) {
		taken = fill_block(items + at, count - at, &bytes);
		if (is_tail == (at + taken == count && node->is_inline))
			result = write_items(image, items + at, taken, f);
		if (!result && !is_tail)
			result = erofs_align(image, EROFS_BLOCK, f);
	}
	free(items);
	return result;
}

/* ---- places --------------------------------------------------------------------------------- */

static uint64_t data_size(const struct layer_inode *inode, const struct layer_entry *directory)
{
	if (directory)
		return directory_size(directory);
	return S_ISLNK(inode->mode) ? strlen(inode->target) : inode->size;
}

/* A tail must not cross the end of a block. */
static void give_place(struct walk *walk, struct node *node)
{
	size_t tail = node->is_inline ? node->size % EROFS_BLOCK : 0;
	size_t length = sizeof(struct erofs_inode) + node->xattr_bytes + tail;

	if (tail && length > EROFS_BLOCK) {
		node->is_inline = false; /* with so many attributes it gets a block of its own */
		length -= tail;
	} else if (tail && walk->end % EROFS_BLOCK + length > EROFS_BLOCK) {
		walk->end = round_up(walk->end, EROFS_BLOCK);
	}
	node->inode->place = walk->end / EROFS_SLOT;
	walk->end = round_up(walk->end + length, EROFS_SLOT);
}

static void add_node(struct walk *walk, struct layer_inode *inode,
		     const struct layer_entry *directory)
{
	struct node *node;

	if (inode->number)
		return;
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? 2 * walk->capacity : 256;
		struct node *nodes = must_alloc(capacity * sizeof(*nodes));

		if (walk->count)
			memcpy(nodes, walk->nodes, walk->count * sizeof(*nodes));
		free(walk->nodes);
		walk->nodes = nodes;
		walk->capacity = capacity;
	}
	node = &walk->nodes[walk->count++];
	inode->number = (uint32_t)walk->count;
	*node = (struct node){
		.inode = inode,
		.directory = directory,
		.size = data_size(inode, directory),
		.xattr_bytes = xattr_bytes(inode),
		.is_inline = directory || S_ISLNK(inode->mode),
		.block = (uint32_t)inode->place,
	};
	node->is_inline = node->is_inline && node->size % EROFS_BLOCK;
	give_place(walk, node);
}

/* The root comes first: its number has 16 bits. */
static void add_tree(struct walk *walk, const struct layer_entry *entry)
{
	bool is_directory = S_ISDIR(entry->inode->mode);

	add_node(walk, entry->inode, is_directory ? entry : NULL);
	for (size_t i = 0; i < entry->child_count; i++)
		add_tree(walk, entry->children[i]);
}

/* ---- writing -------------------------------------------------------------------------------- */

static uint32_t subdirectories(const struct layer_entry *directory)
{
	uint32_t count = 0;

	for (size_t i = 0; i < directory->child_count; i++)
		count += S_ISDIR(directory->children[i]->inode->mode);
	return count;
}

static int write_data(struct walk *walk, struct node *node, struct failure *f)
{
	bool is_link = S_ISLNK(node->inode->mode);

	if (!node->directory && !is_link)
		return 0;
	node->block = (uint32_t)(erofs_tell(walk->image) / EROFS_BLOCK);
	if (is_link && !node->is_inline)
		return erofs_write(walk->image, node->inode->target, (size_t)node->size, f) ||
				       erofs_align(walk->image, EROFS_BLOCK, f)
			       ? -1
			       : 0;
	return node->directory ? write_directory(walk->image, node, false, f) : 0;
}

static int write_node(struct walk *walk, const struct node *node, uint64_t begin, struct failure *f)
{
	const struct layer_inode *inode = node->inode;
	struct layer_image *image = walk->image;
	uint32_t device =
		(inode->minor & 0xff) | (inode->major & 0xfff) << 8 | (inode->minor & ~0xffu) << 12;
	bool is_device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
	const struct erofs_inode made = {
		.format = (uint16_t)(1 | (node->is_inline ? EROFS_INLINE : EROFS_PLAIN) << 1),
		.xattr_count = (uint16_t)(node->xattr_bytes ? (node->xattr_bytes - 8) / 4 : 0),
		.mode = (uint16_t)inode->mode,
		.size = node->size,
		.place = is_device ? device : node->block,
		.number = inode->number,
		.uid = inode->uid,
		.gid = inode->gid,
		.mtime = (uint64_t)inode->mtime,
		.links = node->directory ? 2 + subdirectories(node->directory) : inode->links,
	};

	/* give_place() may have gone on to the next block, and has rounded up to a slot. */
	while (erofs_tell(image) < begin + inode->place * EROFS_SLOT)
		if (erofs_write(image, "", 1, f))
			return -1;
	if (erofs_write(image, &made, sizeof(made), f) || write_xattrs(image, inode, f))
		return -1;
	if (!node->is_inline)
		return 0;
	return node->directory ? write_directory(image, node, true, f)
			       : erofs_write(image, inode->target, (size_t)node->size, f);
}

static int write_all(struct walk *walk, struct erofs_super *ret, struct failure *f)
{
	uint64_t begin;

	for (size_t i = 0; i < walk->count; i++)
		if (write_data(walk, &walk->nodes[i], f))
			return -1;
	begin = erofs_tell(walk->image);
	for (size_t i = 0; i < walk->count; i++)
		if (write_node(walk, &walk->nodes[i], begin, f))
			return -1;
	if (erofs_align(walk->image, EROFS_BLOCK, f))
		return -1;
	*ret = (struct erofs_super){
		.magic = EROFS_MAGIC,
		.block_bits = 12,
		.root_number = (uint16_t)walk->nodes[0].inode->place,
		.inodes = walk->count,
		.blocks = (uint32_t)(erofs_tell(walk->image) / EROFS_BLOCK),
		.inodes_block = (uint32_t)(begin / EROFS_BLOCK),
	};
	return 0;
}

int erofs_write_tree(struct layer_image *image, const struct layer_tree *tree,
		     struct erofs_super *ret, struct failure *f)
{
	struct walk walk = {.image = image};
	int result;

	add_tree(&walk, tree->root);
	result = write_all(&walk, ret, f);
	free(walk.nodes);
	return result;
}
