// SPDX-License-Identifier: Apache-2.0
/* Layers on top of each other, made into one: what an overlay does when it is looked at. */
#include <string.h>

#include "host/image/layer.h"

static int merge_directory(struct layer_tree *to, struct layer_entry *at,
			   const struct layer_entry *from, struct failure *f);

/* A file, or a directory that is not there yet. */
static int replace(struct layer_tree *to, struct layer_entry *at, const struct layer_entry *child,
		   struct failure *f)
{
	struct layer_place place = {.directory = at};

	strcpy(place.name, child->name); /* at most NAME_MAX long, as in tree_locate() */
	return tree_put(to, &place, child->inode, f);
}

static int merge_child(struct layer_tree *to, struct layer_entry *at,
		       const struct layer_entry *child, struct failure *f)
{
	struct layer_entry *old = tree_find(to, at, child->name);

	if (tree_is_whiteout(child->inode)) {
		if (old)
			tree_remove(to, old);
		return 0;
	}
	if (!S_ISDIR(child->inode->mode))
		return replace(to, at, child, f);
	if (!old || !S_ISDIR(old->inode->mode)) {
		if (replace(to, at, child, f))
			return -1;
		old = tree_find(to, at, child->name);
	}
	return merge_directory(to, old, child, f);
}

/* A directory that has no entry of its own in the layer leaves the lower one's attributes. */
static int merge_directory(struct layer_tree *to, struct layer_entry *at,
			   const struct layer_entry *from, struct failure *f)
{
	while (from->is_opaque && at->child_count)
		tree_remove(to, at->children[0]);
	if ((from->inode->ordinal || from->is_new) && at->inode != from->inode) {
		at->inode->links--;
		at->inode = from->inode;
		at->inode->links++;
	}
	for (size_t i = 0; i < from->child_count; i++)
		if (merge_child(to, at, from->children[i], f))
			return -1;
	return 0;
}

int tree_merge(struct layer_tree *to, struct layer_tree *from, struct failure *f)
{
	struct layer_inode **last = &to->inodes;
	int result = merge_directory(to, to->root, from->root, f);

	while (*last)
		last = &(*last)->next;
	*last = from->inodes;
	from->inodes = NULL;
	return result;
}
