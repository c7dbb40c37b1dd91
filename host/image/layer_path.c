// SPDX-License-Identifier: Apache-2.0
/*
 * The paths of a tar stream. Everything is looked up inside of the tree: "..", absolute paths and
 * links end at its root, whatever the stream says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/image/layer.h"

#define LINKS_MAX 40 /* as the kernel follows */

/* A directory that has no entry of its own in the stream (yet). */
static int make_directory(struct layer_tree *tree, const struct layer_place *place,
			  struct layer_entry **ret, struct failure *f)
{
	struct layer_inode *inode = tree_inode(tree, S_IFDIR | 0755);

	if (tree_put(tree, place, inode, f))
		return -1;
	*ret = tree_find(tree, place->directory, place->name);
	return 0;
}

/* Where a walk is: links put what they name in front of what is left of the path. */
struct walk {
	struct layer_tree *tree;
	const char *whole;
	char *rest; /* owned */
	unsigned links;
};

static int follow(struct walk *walk, const char *target, const char *rest, struct failure *f)
{
	char *path;

	if (++walk->links > LINKS_MAX)
		return fail_err(f, ELOOP, "", walk->whole, "a path of the layer");
	if (strlen(target) + strlen(rest) >= 1 << 16)
		return fail_err(f, ENAMETOOLONG, "", walk->whole, "a path of the layer");
	path = must_format("%s/%s", target, rest);
	free(walk->rest);
	walk->rest = path;
	return 0;
}

/* One component of a directory's path: on to the directory that it is, or makes. */
static int step_into(struct walk *walk, const struct layer_place *place, const char *rest,
		     struct layer_entry **ret_at, bool *ret_is_link, struct failure *f)
{
	struct layer_entry *entry = tree_find(walk->tree, place->directory, place->name);

	*ret_is_link = false;
	if (!entry || tree_is_whiteout(entry->inode))
		return make_directory(walk->tree, place, ret_at, f);
	if (S_ISDIR(entry->inode->mode)) {
		*ret_at = entry;
		return 0;
	}
	if (!S_ISLNK(entry->inode->mode))
		return fail_err(f, ENOTDIR, "", walk->whole, "a path of the layer");
	*ret_is_link = true;
	if (entry->inode->target[0] == '/')
		*ret_at = walk->tree->root;
	else
		*ret_at = place->directory;
	return follow(walk, entry->inode->target, rest, f);
}

/* Takes the next component off *path; false at its end. */
static int next_name(const char **path, struct layer_place *place, const char *whole,
		     struct failure *f)
{
	size_t length;

	*path += strspn(*path, "/");
	length = strcspn(*path, "/");
	if (length >= sizeof(place->name))
		return fail_err(f, ENAMETOOLONG, "", whole, "a path of the layer");
	memcpy(place->name, *path, length);
	place->name[length] = '\0';
	*path += length;
	return 0;
}

static int walk_path(struct walk *walk, struct layer_place *ret, struct failure *f)
{
	struct layer_place place = {.directory = walk->tree->root};
	const char *at = walk->rest;

	for (;;) {
		struct layer_place next = {.directory = place.directory};
		struct layer_entry *into = NULL;
		bool is_link;

		if (next_name(&at, &next, walk->whole, f))
			return -1;
		if (!next.name[0])
			break;
		if (!strcmp(next.name, "."))
			continue;
		if (place.name[0]) {
			if (step_into(walk, &place, at - strlen(next.name), &into, &is_link, f))
				return -1;
			place = (struct layer_place){.directory = into};
			if (is_link)
				at = walk->rest;
			else
				at -= strlen(next.name); /* the same name again, in there */
			continue;
		}
		if (!strcmp(next.name, "..")) {
			if (place.directory->parent)
				place.directory = place.directory->parent;
			continue;
		}
		place = next;
	}
	*ret = place;
	return 0;
}

int tree_locate(struct layer_tree *tree, const char *path, struct layer_place *ret,
		struct failure *f)
{
	struct walk walk = {.tree = tree, .whole = path, .rest = must_copy(path)};
	int result = walk_path(&walk, ret, f);

	free(walk.rest);
	return result;
}
