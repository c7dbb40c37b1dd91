// SPDX-License-Identifier: Apache-2.0
/* The names of a layer: directories with their entries, found by a hash, and inodes behind them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/image/layer.h"

#define BUCKETS_MIN 1024
#define DEPTH_MAX   1024

static size_t hash(const struct layer_entry *directory, const char *name)
{
	size_t value = (size_t)directory * 0x9e3779b97f4a7c15u;

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * 0x100000001b3u;
	return value ^ value >> 29;
}

static struct layer_entry **bucket_of(const struct layer_tree *tree,
				      const struct layer_entry *directory, const char *name)
{
	return &tree->buckets[hash(directory, name) & (tree->bucket_count - 1)];
}

static void grow(struct layer_tree *tree)
{
	struct layer_entry **old = tree->buckets;
	size_t count = tree->bucket_count;

	tree->bucket_count = count ? 2 * count : BUCKETS_MIN;
	tree->buckets = must_alloc(tree->bucket_count * sizeof(*tree->buckets));
	for (size_t i = 0; i < count; i++) {
		for (struct layer_entry *entry = old[i], *next; entry; entry = next) {
			struct layer_entry **bucket = bucket_of(tree, entry->parent, entry->name);

			next = entry->next_in_bucket;
			entry->next_in_bucket = *bucket;
			*bucket = entry;
		}
	}
	free(old);
}

struct layer_inode *tree_inode(struct layer_tree *tree, uint32_t mode)
{
	struct layer_inode *inode = must_alloc(sizeof(*inode));

	inode->mode = mode;
	inode->next = tree->inodes;
	tree->inodes = inode;
	return inode;
}

static struct layer_entry *new_entry(struct layer_tree *tree, struct layer_entry *directory,
				     const char *name, struct layer_inode *inode)
{
	struct layer_entry *entry = must_alloc(sizeof(*entry));

	entry->name = must_copy(name);
	entry->parent = directory;
	entry->inode = inode;
	inode->links++;
	if (!directory)
		return entry;
	entry->depth = directory->depth + 1;
	if (tree->entry_count++ >= tree->bucket_count)
		grow(tree);
	entry->next_in_bucket = *bucket_of(tree, directory, name);
	*bucket_of(tree, directory, name) = entry;
	if (directory->child_count == directory->child_capacity) {
		size_t capacity = directory->child_capacity ? 2 * directory->child_capacity : 8;
		struct layer_entry **children = must_alloc(capacity * sizeof(*children));

		if (directory->child_count)
			memcpy(children, directory->children,
			       directory->child_count * sizeof(*children));
		free(directory->children);
		directory->children = children;
		directory->child_capacity = capacity;
	}
	directory->children[directory->child_count++] = entry;
	return entry;
}

void tree_init(struct layer_tree *tree, size_t entry_max)
{
	*tree = (struct layer_tree){.entry_max = entry_max};
	grow(tree);
	tree->root = new_entry(tree, NULL, "", tree_inode(tree, S_IFDIR | 0755));
}

/* Frees the entry and all below it, which the caller has taken out of its directory. */
static void free_entry(struct layer_tree *tree, struct layer_entry *entry)
{
	/* Deep trees must not cost stack: go down to a leaf, free it, go on with its parent. */
	struct layer_entry *top = entry->parent;

	while (entry != top) {
		struct layer_entry *parent = entry->parent;
		struct layer_entry **at;

		if (entry->child_count) {
			entry = entry->children[--entry->child_count];
			continue;
		}
		if (parent) {
			at = bucket_of(tree, parent, entry->name);
			while (*at != entry)
				at = &(*at)->next_in_bucket;
			*at = entry->next_in_bucket;
			tree->entry_count--;
		}
		entry->inode->links--;
		free(entry->children);
		free(entry->name);
		free(entry);
		entry = parent;
	}
}

void tree_remove(struct layer_tree *tree, struct layer_entry *entry)
{
	struct layer_entry *directory = entry->parent;
	size_t i = 0;

	while (directory->children[i] != entry)
		i++;
	directory->children[i] = directory->children[--directory->child_count];
	free_entry(tree, entry);
}

void tree_finish(struct layer_tree *tree)
{
	if (tree->root)
		free_entry(tree, tree->root);
	for (struct layer_inode *inode = tree->inodes, *next; inode; inode = next) {
		next = inode->next;
		for (struct layer_xattr *xattr = inode->xattrs, *after; xattr; xattr = after) {
			after = xattr->next;
			free(xattr->name);
			free(xattr->value);
			free(xattr);
		}
		free(inode->data);
		free(inode->target);
		if (inode->lower) {
			free(inode->lower->path);
			free(inode->lower->target);
			free(inode->lower);
		}
		free(inode);
	}
	free(tree->buckets);
	*tree = (struct layer_tree){.root = NULL};
}

struct layer_entry *tree_find(const struct layer_tree *tree, const struct layer_entry *directory,
			      const char *name)
{
	struct layer_entry *entry = *bucket_of(tree, directory, name);

	while (entry && (entry->parent != directory || strcmp(entry->name, name) != 0))
		entry = entry->next_in_bucket;
	return entry;
}

/* ---- changes -------------------------------------------------------------------------------- */

int tree_put(struct layer_tree *tree, const struct layer_place *place, struct layer_inode *inode,
	     struct failure *f)
{
	struct layer_entry *old =
		place->name[0] ? tree_find(tree, place->directory, place->name) : place->directory;
	bool was_whiteout = old && tree_is_whiteout(old->inode);
	struct layer_entry *entry;

	if (old && S_ISDIR(old->inode->mode) && S_ISDIR(inode->mode)) {
		old->inode->links--;
		old->inode = inode;
		inode->links++;
		return 0;
	}
	if (old && !old->parent)
		return fail_err(f, 0, "", "/", "the layer's root must be a directory");
	if (tree->entry_count >= tree->entry_max)
		return fail_err(f, 0, "", "", "the layer has more than %zu entries",
				tree->entry_max);
	if (place->directory->depth >= DEPTH_MAX)
		return fail_err(f, 0, "", place->name, "deeper than %d directories", DEPTH_MAX);
	if (old)
		tree_remove(tree, old);
	entry = new_entry(tree, place->directory, place->name, inode);
	entry->is_opaque = was_whiteout;
	entry->is_new = was_whiteout;
	return 0;
}

int tree_whiteout(struct layer_tree *tree, const struct layer_place *place, struct failure *f)
{
	struct layer_entry *old = tree_find(tree, place->directory, place->name);

	/* A whiteout is about lower layers only: what this layer has of the name stays. */
	if (old && !old->is_implied) {
		old->is_opaque = true;
		old->is_new = true;
		return 0;
	}
	return tree_put(tree, place, tree_inode(tree, S_IFCHR), f);
}

void tree_repoint(struct layer_tree *tree)
{
	for (size_t i = 0; i < tree->bucket_count; i++) {
		for (struct layer_entry *e = tree->buckets[i]; e; e = e->next_in_bucket) {
			if (!e->inode->twin)
				continue;
			e->inode->links--;
			e->inode = e->inode->twin;
			e->inode->links++;
		}
	}
}

void tree_add_xattr(struct layer_inode *inode, const char *name, const void *value, size_t length)
{
	struct layer_xattr **at = &inode->xattrs;
	struct layer_xattr *xattr = must_alloc(sizeof(*xattr));

	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	xattr->name = must_copy(name);
	xattr->length = length;
	xattr->value = must_alloc(length + 1);
	if (length)
		memcpy(xattr->value, value, length);
	xattr->next = *at;
	*at = xattr;
}

static int by_name(const void *a, const void *b)
{
	const struct layer_entry *const *left = a;
	const struct layer_entry *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static void sort(struct layer_entry *directory)
{
	if (directory->child_count)
		qsort(directory->children, directory->child_count, sizeof(*directory->children),
		      by_name);
	if (directory->is_opaque && S_ISDIR(directory->inode->mode))
		tree_add_xattr(directory->inode, LAYER_OPAQUE, "y", 1);
	for (size_t i = 0; i < directory->child_count; i++)
		sort(directory->children[i]); /* DEPTH_MAX deep at most */
}

void tree_sort(struct layer_tree *tree)
{
	sort(tree->root);
}
