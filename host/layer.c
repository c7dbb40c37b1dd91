// SPDX-License-Identifier: Apache-2.0
/* The layer of a bundle: an image of its root's tree, cached under the tree's key. */
#include <stdlib.h>
#include <string.h>

#include "cache.h"

struct packing {
	int root_fd;
	const char *root_path;
	const struct tree_key *key;
};

/* The tree must not have changed meanwhile. */
static int pack(void *context, const char *temporary, unsigned *ret_which, struct failure *f)
{
	const struct packing *packing = context;
	struct tree_key after;

	(void)ret_which; /* there is one name */
	if (pack_squashfs(packing->root_fd, temporary, packing->key, f) ||
	    tree_key(packing->root_fd, packing->root_path, pack_options, &after, f))
		return -1;
	if (strcmp(after.hex, packing->key->hex) != 0)
		return fail_err(
			f, 0, "pack", packing->root_path,
			"something changed in it meanwhile: run again when nothing writes to it");
	return 0;
}

int pack_layer(int root_fd, const char *root_path, char **ret_image, bool *ret_is_cached,
	       struct failure *f)
{
	AUTO_FREE char *name = NULL;
	struct tree_key key;
	struct packing packing = {root_fd, root_path, &key};
	struct cache_request request = {.what = "tree", .make = pack, .context = &packing};

	if (tree_key(root_fd, root_path, pack_options, &key, f))
		return -1;
	name = must_format("%s.squashfs", key.hex);
	request.names[0] = name;
	return cache_get(&request, ret_image, ret_is_cached, f);
}
