// SPDX-License-Identifier: Apache-2.0
/*
 * A layer's conversion as a whole, and what a layer takes from those below it.
 *
 * A tar stream may leave two things to lower layers: directories that lead to its files but have no
 * entry of their own, which then keep their owner and mode; and hard links to files that only a
 * lower layer has, which have to be there under both names, as after a copy-up. Such layers are
 * rare; only for them the lower streams are read.
 */
#include "host/image/convert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRIES_MAX (4u << 20)

/* ---- an image that keeps nothing: for a stream of which only the names are wanted ----------- */

static int nothing_create(const char *path, struct layer_image **ret, struct failure *f)
{
	(void)path;
	(void)f;
	*ret = NULL;
	return 0;
}

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
	.create = nothing_create,
	.begin = nothing_begin,
	.append = nothing_append,
	.end = nothing_end,
	.destroy = nothing_destroy,
};

/* ---- conversions ---------------------------------------------------------------------------- */

void conversion_init(struct conversion *c, const struct layer_image_ops *ops)
{
	*c = (struct conversion){.ops = ops};
	tree_init(&c->tree, ENTRIES_MAX);
}

void conversion_finish(struct conversion *c)
{
	/* First the image: its threads write into the tree's inodes. */
	c->ops->destroy(c->image);
	tree_finish(&c->tree);
	for (struct lower_link *link = c->links, *next; link; link = next) {
		next = link->next;
		free(link->path);
		free(link->target);
		free(link);
	}
	*c = (struct conversion){.ops = NULL};
}

/* In the stream's order: a link may be to another link. */
void conversion_add_link(struct conversion *c, const char *path, const char *target)
{
	struct lower_link *link = must_alloc(sizeof(*link));
	struct lower_link **at = &c->links;

	while (*at)
		at = &(*at)->next;
	link->path = must_copy(path);
	link->target = must_copy(target);
	*at = link;
}

void layers_init(struct layers *layers, const struct image *image,
		 const struct layer_image_ops *ops, uint64_t max)
{
	*layers = (struct layers){.image = image, .ops = ops, .max = max};
	layers->trees = must_alloc(image->layer_count * sizeof(struct layer_tree));
}

void layers_finish(struct layers *layers)
{
	for (size_t i = 0; layers->trees && i < layers->image->layer_count; i++)
		tree_finish(&layers->trees[i]);
	free(layers->trees);
	*layers = (struct layers){.image = NULL};
}

/* ---- lower layers --------------------------------------------------------------------------- */

/* The names of a layer, from its conversion, or read now. */
static int lower_tree(struct layers *layers, size_t index, struct failure *f)
{
	struct conversion c;
	int result;

	if (layers->trees[index].root)
		return 0;
	conversion_init(&c, &nothing);
	result = layer_read(&c, &layers->image->store, &layers->image->layers[index], layers->max,
			    f);
	if (!result) {
		layers->trees[index] = c.tree;
		c.tree = (struct layer_tree){.root = NULL};
	}
	conversion_finish(&c);
	return result;
}

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

/*
 * The topmost layer below `index` that has the path with an entry of its own; index itself when
 * none has.
 */
static int find_lower(struct layers *layers, size_t index, const char *path, size_t *ret_layer,
		      struct layer_entry **ret, struct failure *f)
{
	for (size_t i = index; i-- > 0;) {
		enum lower_word word;

		if (lower_tree(layers, i, f))
			return -1;
		word = ask(&layers->trees[i], path, ret);
		if (word == LOWER_HAS && (*ret)->inode->ordinal) {
			*ret_layer = i;
			return 0;
		}
		if (word == LOWER_HIDES || (word == LOWER_HAS && (*ret)->is_new))
			break;
	}
	*ret_layer = index;
	return 0;
}

/* The whole path of an entry, for which the caller gives room. */
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
		tree_add_xattr(to, xattr->name, xattr->value, xattr->length);
}

/* Directories without an entry of their own look as in the layers below. */
static int borrow(struct layers *layers, size_t index, struct layer_entry *directory,
		  bool *ret_depends, struct failure *f)
{
	if (!directory->inode->ordinal && index && !directory->is_new) {
		AUTO_FREE char *path = path_of(directory);
		struct layer_entry *lower;
		size_t layer;

		*ret_depends = true;
		if (find_lower(layers, index, path, &layer, &lower, f))
			return -1;
		if (layer != index && S_ISDIR(lower->inode->mode))
			copy_attributes(directory->inode, lower->inode);
	}
	for (size_t i = 0; i < directory->child_count; i++) {
		struct layer_entry *child = directory->children[i];

		if (S_ISDIR(child->inode->mode) && borrow(layers, index, child, ret_depends, f))
			return -1;
	}
	return 0;
}

static int fail_link(const struct lower_link *link, struct failure *f)
{
	return fail_err(f, 0, "", link->path, "a hard link to %.100s, which is no file",
			link->target);
}

static int copy_up(struct layers *layers, struct conversion *c, size_t index,
		   const struct lower_link *link, const char *name, struct failure *f)
{
	const struct image *image = layers->image;
	struct layer_entry *lower;
	size_t layer;

	if (find_lower(layers, index, link->target, &layer, &lower, f))
		return -1;
	if (layer == index || S_ISDIR(lower->inode->mode))
		return fail_link(link, f);
	c->ordinal = 0;
	c->wanted = lower->inode->ordinal;
	c->wanted_path = name;
	return layer_read(c, &image->store, &image->layers[layer], layers->max, f);
}

static struct layer_entry *find_target(struct layer_tree *tree, const struct lower_link *link,
				       struct failure *f)
{
	struct layer_place target;

	if (tree_locate(tree, link->target, &target, f) || !target.name[0])
		return NULL;
	return tree_find(tree, target.directory, target.name);
}

static int add_lower_link(struct layers *layers, struct conversion *c, size_t index,
			  const struct lower_link *link, struct failure *f)
{
	struct layer_place place;
	struct layer_entry *entry = find_target(&c->tree, link, f);

	if (entry && tree_is_whiteout(entry->inode)) /* hidden after it got its second name */
		return copy_up(layers, c, index, link, link->path, f);
	if (!entry) {
		if (copy_up(layers, c, index, link, link->target, f))
			return -1;
		entry = find_target(&c->tree, link, f);
	}
	if (tree_locate(&c->tree, link->path, &place, f))
		return -1;
	return tree_put(&c->tree, &place, entry->inode, f);
}

static int convert(struct layers *layers, struct conversion *c, size_t index, bool *ret_depends,
		   struct failure *f)
{
	const struct image *image = layers->image;

	if (layer_read(c, &image->store, &image->layers[index], layers->max, f))
		return -1;
	for (const struct lower_link *link = c->links; link; link = link->next) {
		*ret_depends = true;
		if (add_lower_link(layers, c, index, link, f))
			return -1;
	}
	if (borrow(layers, index, c->tree.root, ret_depends, f))
		return -1;
	*ret_depends |= c->tree.root->is_opaque;
	if (index && c->tree.root->is_opaque)
		return fail_err(
			f, 0, "", image->layers[index].diff_id,
			"the layer hides all below it, which no overlay can: use --flatten");
	tree_sort(&c->tree);
	return c->ops->finish(c->image, &c->tree, f);
}

/* Before the layer, which may hide the file's first name, goes on top of the others. */
static int link_merged(struct layer_tree *lower, struct layer_tree *tree,
		       const struct lower_link *link, struct failure *f)
{
	struct layer_entry *entry = find_target(tree, link, f);
	struct layer_place place;

	if (!entry || tree_is_whiteout(entry->inode))
		entry = find_target(lower, link, f);
	if (!entry || S_ISDIR(entry->inode->mode))
		return fail_link(link, f);
	return tree_locate(tree, link->path, &place, f) || tree_put(tree, &place, entry->inode, f)
		       ? -1
		       : 0;
}

/* All data goes into one image; the names are merged, layer by layer, when each is read. */
static int add_layer(struct layers *layers, struct conversion *merged, size_t index,
		     struct failure *f)
{
	const struct image *image = layers->image;
	struct conversion c;
	int result;

	conversion_init(&c, layers->ops);
	c.image = merged->image;
	c.bytes = merged->bytes;
	result = layer_read(&c, &image->store, &image->layers[index], layers->max, f);
	merged->bytes = c.bytes;
	for (const struct lower_link *link = c.links; link && !result; link = link->next)
		result = link_merged(&merged->tree, &c.tree, link, f);
	if (!result)
		result = tree_merge(&merged->tree, &c.tree, f);
	if (result) { /* the image's threads write into the inodes of this tree, too */
		merged->ops->destroy(merged->image);
		merged->image = NULL;
	}
	c.image = NULL; /* it goes on */
	conversion_finish(&c);
	return result;
}

int layers_flatten(struct layers *layers, const char *path, struct failure *f)
{
	struct conversion merged;
	int result;

	conversion_init(&merged, layers->ops);
	result = layers->ops->create(path, &merged.image, f);
	for (size_t i = 0; i < layers->image->layer_count && !result; i++) {
		say_progress("reading layer %zu of %zu", i + 1, layers->image->layer_count);
		result = add_layer(layers, &merged, i, f);
	}
	if (!result) {
		tree_sort(&merged.tree);
		result = merged.ops->finish(merged.image, &merged.tree, f);
	}
	conversion_finish(&merged);
	return result;
}

int layers_convert(struct layers *layers, size_t index, const char *path, bool *ret_depends,
		   struct failure *f)
{
	struct conversion c;
	bool depends = false;
	int result;

	conversion_init(&c, layers->ops);
	result = c.ops->create(path, &c.image, f);
	if (!result)
		result = convert(layers, &c, index, &depends, f);
	if (!result && !layers->trees[index].root) {
		layers->trees[index] = c.tree;
		c.tree = (struct layer_tree){.root = NULL};
	}
	conversion_finish(&c);
	if (!result)
		*ret_depends = depends;
	return result;
}
