// SPDX-License-Identifier: Apache-2.0
/*
 * A layer on its way from a tar stream to a file system image.
 *
 *   tar entries -> struct layer_tree (names, owners, ...)    layer_tar.c, layer_tree.c
 *               -> file data, at once, into the image        struct layer_image: squashfs, erofs
 *   the tree    -> the image's inodes and directories        when the stream has ended
 *
 * So nothing is unpacked to a disk, no right to create anything is needed, and an entry that comes
 * twice in the stream is there once.
 */
#ifndef HOST_IMAGE_LAYER_H
#define HOST_IMAGE_LAYER_H

#include <sys/stat.h>

#include "host/host.h"

/* The attribute of a directory that hides what lower layers have in it. */
#define LAYER_OPAQUE "trusted.overlay.opaque"

struct layer_xattr {
	struct layer_xattr *next; /* sorted by name */
	char *name;
	size_t length;
	unsigned char *value;
};

/* A hard link of the stream whose file only a lower layer has. */
struct lower_link {
	char *path;
	char *target;
};

/* A file with any number of names. */
struct layer_inode {
	struct layer_inode *next; /* of all of the tree's */
	uint32_t mode;            /* with its type */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	uint32_t major; /* of devices */
	uint32_t minor;
	uint64_t size; /* of regular files */
	char *target;  /* of symbolic links */
	struct layer_xattr *xattrs;
	uint32_t links; /* names that it has */
	void *data;     /* the image's: where its contents are; freed by free() */
	uint64_t place; /* the image's: where its inode is */
	uint32_t number;
	uint64_t ordinal; /* of its entry in the stream, from 1; 0: a directory without one */
	size_t source;    /* the layer whose stream that is */
	/* Nothing is known yet but this: all else comes from the layers below. */
	struct lower_link *lower;
	struct layer_inode
		*twin; /* the same file, whose names are to be this one's: tree_repoint() */
};

/* A name in a directory. */
struct layer_entry {
	char *name;
	struct layer_entry *parent;
	struct layer_inode *inode;
	struct layer_entry **children; /* sorted by tree_sort() */
	size_t child_count;
	size_t child_capacity;
	struct layer_entry *next_in_bucket;
	unsigned depth;
	bool is_opaque; /* lower layers' contents of the directory are hidden */
	bool is_new;    /* and so are its owner, mode and time: there was a whiteout of it */
	bool is_implied; /* not of the stream: a lower file's name, which a hard link gave one more */
};

struct layer_tree {
	struct layer_entry *root;
	struct layer_inode *inodes;
	struct layer_entry **buckets;
	size_t bucket_count;
	size_t entry_count;
	size_t entry_max;
};

void tree_init(struct layer_tree *tree, size_t entry_max);
void tree_finish(struct layer_tree *tree);

/*
 * The place that a path of the tar stream names: links of this layer among its directories are
 * followed without ever leaving the root, and directories that are missing are made.
 */
struct layer_place {
	struct layer_entry *directory;
	char name[256]; /* "" when the path is the root itself */
};
int tree_locate(struct layer_tree *tree, const char *path, struct layer_place *ret,
		struct failure *f) FAIL_MUST_CHECK;
struct layer_entry *tree_find(const struct layer_tree *tree, const struct layer_entry *directory,
			      const char *name);
/* Puts an inode at the place. What is there goes away, but a directory stays one. */
int tree_put(struct layer_tree *tree, const struct layer_place *place, struct layer_inode *inode,
	     struct failure *f) FAIL_MUST_CHECK;
/* "Lower layers have no such name": overlayfs's form of a whiteout. */
int tree_whiteout(struct layer_tree *tree, const struct layer_place *place,
		  struct failure *f) FAIL_MUST_CHECK;
/* overlayfs's form of one: a character device 0:0. */
static inline bool tree_is_whiteout(const struct layer_inode *inode)
{
	return S_ISCHR(inode->mode) && !inode->major && !inode->minor;
}
/* Takes the entry, with all below it, out of the tree. */
void tree_remove(struct layer_tree *tree, struct layer_entry *entry);
/* Gives the names of all inodes that have a twin to the twin. */
void tree_repoint(struct layer_tree *tree);
/*
 * Puts a layer on top of the others, as an overlay shows them: what whiteouts and opaque directories
 * hide is gone afterwards, and so are they. `from` is left without inodes, to be finished.
 */
int tree_merge(struct layer_tree *to, struct layer_tree *from, struct failure *f) FAIL_MUST_CHECK;
struct layer_inode *tree_inode(struct layer_tree *tree, uint32_t mode);
void tree_add_xattr(struct layer_inode *inode, const char *name, const void *value, size_t length);
/* Orders all directories by name, byte by byte, as images want them, and marks opaque ones. */
void tree_sort(struct layer_tree *tree);

/* A file system image that is being written. */
struct layer_image;
struct layer_image_ops {
	const char *name; /* of --layer-fs */
	int (*create)(const char *path, struct layer_image **ret, struct failure *f);
	/* The contents of a regular file, in order; the inode's size is set by end(). */
	int (*begin)(struct layer_image *image, struct layer_inode *inode, struct failure *f);
	int (*append)(struct layer_image *image, const void *bytes, size_t length,
		      struct failure *f);
	int (*end)(struct layer_image *image, struct failure *f);
	/* Everything else; the image is complete, and closed, afterwards. */
	int (*finish)(struct layer_image *image, const struct layer_tree *tree, struct failure *f);
	void (*destroy)(struct layer_image *image); /* NULL is fine */
};

extern const struct layer_image_ops squashfs_image;
extern const struct layer_image_ops erofs_image;

#endif
