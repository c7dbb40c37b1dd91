// SPDX-License-Identifier: Apache-2.0
/*
 * What a layer takes from those below it.
 *
 * A tar stream may leave two things to lower layers: directories that lead to its files but have no
 * entry of their own, which then keep their owner and mode; and hard links to files that only a
 * lower layer has, whose inodes say no more than that (layer.h: lower). Only when a layer does, are
 * the names of lower layers looked at, and those in the cache read again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/image/convert.h"

/* ---- an image that keeps nothing: for a stream of which only the names are wanted ----------- */

static int nothing_begin(struct layer_image *image, struct layer_inode *inode, struct failure *f)
{
	(void)image;
	(void)inode;
	(void)f;
	return 0;
}

static int nothing_append(struct layer_image *image, const void *bytes, size_t length,
			  struct failure *f)
{
	(void)image;
	(void)bytes;
	(void)length;
	(void)f;
	return 0;
}

static int nothing_end(struct layer_image *image, struct failure *f)
{
	(void)image;
	(void)f;
	return 0;
}

static void nothing_destroy(struct layer_image *image)
{
	(void)image;
}

static const struct layer_image_ops nothing = {
	.name = "nothing",
	.begin = nothing_begin,
	.append = nothing_append,
	.end = nothing_end,
	.destroy = nothing_destroy,
};

/* ---- names of lower layers ------------------------------------------------------------------ */

/* What a lower layer says about a path. */
enum lower_word {
	LOWER_SILENT, /* look further below */
	LOWER_HAS,
	LOWER_HIDES, /* a whiteout, or an opaque directory without it */
};

static enum lower_word ask(const struct layer_tree *tree, const char *path,
			   struct layer_entry **ret)
{
	struct layer_entry *at = tree->root;
	bool is_hidden = false;
	char name[256];

	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t length = strcspn(path, "/");

		if (length >= sizeof(name) || !S_ISDIR(at->inode->mode))
			return LOWER_HIDES;
		memcpy(name, path, length);
		name[length] = '\0';
		path += length;
		if (!strcmp(name, "."))
			continue;
		is_hidden |= at->is_opaque;
		at = tree_find(tree, at, name);
		if (!at)
			return is_hidden ? LOWER_HIDES : LOWER_SILENT;
		if (tree_is_whiteout(at->inode))
			return LOWER_HIDES;
	}
	*ret = at;
	return LOWER_HAS;
}

/* The names of a layer, from its conversion, or read now. */
static int lower_tree(struct layers *layers, size_t index, struct failure *f);

/*
 * The topmost layer below `index` that has the path with an entry of its own; *ret stays NULL when
 * none has.
 */
static int find_lower(struct layers *layers, size_t index, const char *path,
		      struct layer_entry **ret, struct failure *f)
{
	struct layer_entry *found = NULL;

	*ret = NULL;
	for (size_t i = index; i-- > 0;) {
		enum lower_word word;

		if (lower_tree(layers, i, f))
			return -1;
		word = ask(&layers->trees[i], path, &found);
		if (word == LOWER_HAS && found->inode->ordinal) {
			*ret = found;
			return 0;
		}
		if (word == LOWER_HIDES || (word == LOWER_HAS && found->is_new))
			break;
	}
	return 0;
}

/* ---- directories ---------------------------------------------------------------------------- */

/* The whole path of an entry; the caller frees it. */
static char *path_of(const struct layer_entry *entry)
{
	char *path = must_copy(entry->parent ? entry->name : "/");

	for (entry = entry->parent; entry && entry->parent; entry = entry->parent) {
		char *longer = must_format("%s/%s", entry->name, path);

		free(path);
		path = longer;
	}
	return path;
}

static void copy_attributes(struct layer_inode *to, const struct layer_inode *from)
{
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->mtime = from->mtime;
	for (const struct layer_xattr *xattr = from->xattrs; xattr; xattr = xattr->next)
		if (strcmp(xattr->name, LAYER_OPAQUE) != 0)
			tree_add_xattr(to, xattr->name, xattr->value, xattr->length);
}

/* Directories without an entry of their own look as in the layers below. */
static int borrow(struct layers *layers, size_t index, struct layer_entry *directory,
		  bool *ret_depends, struct failure *f)
{
	if (!directory->inode->ordinal && index && !directory->is_new) {
		AUTO_FREE char *path = path_of(directory);
		struct layer_entry *lower;

		*ret_depends = true;
		if (find_lower(layers, index, path, &lower, f))
			return -1;
		if (lower && S_ISDIR(lower->inode->mode))
			copy_attributes(directory->inode, lower->inode);
	}
	for (size_t i = 0; i < directory->child_count; i++) {
		struct layer_entry *child = directory->children[i];

		if (S_ISDIR(child->inode->mode) && borrow(layers, index, child, ret_depends, f))
			return -1;
	}
	return 0;
}

/* ---- hard links ----------------------------------------------------------------------------- */

static bool is_left(const struct layer_inode *inode)
{
	return inode->lower && inode->links;
}

/* All but the contents: lower_read(). */
static void copy_file(struct layer_inode *to, const struct layer_inode *from)
{
	copy_attributes(to, from);
	to->major = from->major;
	to->minor = from->minor;
	to->target = from->target ? must_copy(from->target) : NULL;
	to->ordinal = from->ordinal;
	to->source = from->source;
}

static int by_source(const void *a, const void *b)
{
	const struct layer_inode *left = *(struct layer_inode *const *)a;
	const struct layer_inode *right = *(struct layer_inode *const *)b;

	if (left->source != right->source)
		return left->source < right->source ? -1 : 1;
	return left->ordinal < right->ordinal ? -1 : left->ordinal > right->ordinal;
}

/* The inodes that links made, NULL at the end, by layer and entry; NULL when there are none. */
static struct layer_inode **links_of(const struct layer_tree *tree, size_t *ret_count)
{
	struct layer_inode **links;
	size_t count = 0;

	for (const struct layer_inode *inode = tree->inodes; inode; inode = inode->next)
		count += is_left(inode);
	*ret_count = count;
	if (!count)
		return NULL;
	links = must_alloc((count + 1) * sizeof(struct layer_inode *));
	count = 0;
	for (struct layer_inode *inode = tree->inodes; inode; inode = inode->next)
		if (is_left(inode))
			links[count++] = inode;
	qsort(links, count, sizeof(struct layer_inode *), by_source);
	return links;
}

static int resolve_links(struct layers *layers, size_t index, struct layer_tree *tree,
			 bool *ret_depends, struct failure *f)
{
	AUTO_FREE struct layer_inode **links = NULL;
	size_t count;

	for (struct layer_inode *inode = tree->inodes; inode; inode = inode->next) {
		struct layer_entry *lower;

		if (!is_left(inode))
			continue;
		*ret_depends = true;
		if (find_lower(layers, index, inode->lower->target, &lower, f))
			return -1;
		if (!lower || S_ISDIR(lower->inode->mode))
			return fail_link(inode->lower->path, inode->lower->target, f);
		copy_file(inode, lower->inode);
	}
	/* Two names of one lower file go on to be one file's. */
	links = links_of(tree, &count);
	for (size_t i = 1; i < count; i++)
		if (!by_source(&links[i - 1], &links[i]))
			links[i]->twin = links[i - 1]->twin ? links[i - 1]->twin : links[i - 1];
	if (count > 1)
		tree_repoint(tree);
	return 0;
}

int lower_resolve(struct layers *layers, size_t index, struct layer_tree *tree, bool *ret_depends,
		  struct failure *f)
{
	if (resolve_links(layers, index, tree, ret_depends, f))
		return -1;
	return borrow(layers, index, tree->root, ret_depends, f);
}

int lower_resolve_merged(const struct layer_tree *merged, struct layer_tree *tree,
			 struct failure *f)
{
	for (struct layer_inode *inode = tree->inodes; inode; inode = inode->next) {
		struct layer_entry *lower;

		if (!is_left(inode))
			continue;
		if (ask(merged, inode->lower->target, &lower) != LOWER_HAS ||
		    S_ISDIR(lower->inode->mode))
			return fail_link(inode->lower->path, inode->lower->target, f);
		inode->twin = lower->inode;
	}
	tree_repoint(tree);
	return 0;
}

int lower_read(struct conversion *c, struct failure *f)
{
	size_t count;
	AUTO_FREE struct layer_inode **links = links_of(c->tree, &count);
	AUTO_FREE struct layer_inode **wanted = NULL;
	size_t i = 0;

	if (!count)
		return 0;
	wanted = must_alloc((count + 1) * sizeof(struct layer_inode *));
	while (i < count) {
		const size_t source = links[i]->source;
		size_t n = 0;

		for (; i < count && links[i]->source == source; i++)
			if (S_ISREG(links[i]->mode))
				wanted[n++] = links[i];
		wanted[n] = NULL;
		c->wanted = wanted;
		c->ordinal = 0;
		if (n && layer_read(c, source, f))
			return -1;
	}
	return 0;
}

static int lower_tree(struct layers *layers, size_t index, struct failure *f)
{
	struct layer_tree *tree = &layers->trees[index];
	bool unused = false;
	struct conversion c;
	int result;

	if (tree->root)
		return 0;
	conversion_init(&c, layers, index, &nothing, tree);
	result =
		layer_read(&c, index, f) || resolve_links(layers, index, tree, &unused, f) ? -1 : 0;
	conversion_finish(&c);
	if (result)
		tree_finish(tree);
	return result;
}
