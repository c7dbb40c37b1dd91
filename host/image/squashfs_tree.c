// SPDX-License-Identifier: Apache-2.0
/* Inodes and directories of a squashfs image, children before their directories, then its tables. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/image/squashfs.h"

#define NO_XATTR 0xffffffffu

static int write_xattrs(struct layer_image *image, const struct layer_inode *inode,
			sqfs_u32 *ret_index, struct failure *f)
{
	int error;

	*ret_index = NO_XATTR;
	if (!inode->xattrs)
		return 0;
	error = sqfs_xattr_writer_begin(image->xattrs, 0);
	for (const struct layer_xattr *xattr = inode->xattrs; xattr && !error; xattr = xattr->next)
		error = sqfs_xattr_writer_add(image->xattrs, xattr->name, xattr->value,
					      xattr->length);
	if (!error)
		error = sqfs_xattr_writer_end(image->xattrs, ret_index);
	return error ? fail_sqfs(f, image, "xattrs", error) : 0;
}

static const struct {
	uint32_t mode;
	uint16_t type;
} special_types[] = {
	{S_IFCHR, SQFS_INODE_EXT_CDEV},  {S_IFBLK, SQFS_INODE_EXT_BDEV},
	{S_IFIFO, SQFS_INODE_EXT_FIFO},  {S_IFSOCK, SQFS_INODE_EXT_SOCKET},
	{S_IFLNK, SQFS_INODE_EXT_SLINK},
};

/* Devices, links, FIFOs and sockets. */
static sqfs_inode_generic_t *special_inode(const struct layer_inode *inode)
{
	size_t length = S_ISLNK(inode->mode) ? strlen(inode->target) : 0;
	sqfs_inode_generic_t *made = calloc(1, sizeof(*made) + length + 1);
	sqfs_u32 device =
		(inode->minor & 0xff) | (inode->major & 0xfff) << 8 | (inode->minor & ~0xffu) << 12;

	if (!made)
		return NULL;
	for (size_t i = 0; i < sizeof(special_types) / sizeof(special_types[0]); i++)
		if ((inode->mode & S_IFMT) == special_types[i].mode)
			made->base.type = special_types[i].type;
	if (S_ISLNK(inode->mode)) {
		made->data.slink_ext.nlink = inode->links;
		made->data.slink_ext.target_size = (sqfs_u32)length;
		made->data.slink_ext.xattr_idx = NO_XATTR;
		memcpy(made->extra, inode->target, length);
	} else if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		made->data.dev_ext.nlink = inode->links;
		made->data.dev_ext.devno = device;
		made->data.dev_ext.xattr_idx = NO_XATTR;
	} else {
		made->data.ipc_ext.nlink = inode->links;
		made->data.ipc_ext.xattr_idx = NO_XATTR;
	}
	return made;
}

/* A regular file's inode is what the block processor made of its data. */
static sqfs_inode_generic_t *file_inode(struct layer_inode *inode)
{
	sqfs_inode_generic_t *made = inode->data;

	if (!made || sqfs_inode_make_extended(made))
		return NULL;
	made->data.file_ext.nlink = inode->links;
	return made;
}

static int fill_base(struct layer_image *image, const struct layer_inode *inode,
		     sqfs_inode_generic_t *made, struct failure *f)
{
	sqfs_u32 xattrs;
	int error;

	if (write_xattrs(image, inode, &xattrs, f))
		return -1;
	made->base.mode = (sqfs_u16)inode->mode;
	made->base.inode_number = inode->number;
	/* The format has 32 bits without a sign. */
	made->base.mod_time = inode->mtime < 0            ? 0
			      : inode->mtime > UINT32_MAX ? UINT32_MAX
							  : (sqfs_u32)inode->mtime;
	error = sqfs_id_table_id_to_index(image->ids, inode->uid, &made->base.uid_idx);
	if (!error)
		error = sqfs_id_table_id_to_index(image->ids, inode->gid, &made->base.gid_idx);
	if (!error)
		error = sqfs_inode_set_xattr_index(made, xattrs);
	if (!error && xattrs == NO_XATTR)
		error = sqfs_inode_make_basic(made);
	return error ? fail_sqfs(f, image, "inode", error) : 0;
}

static int write_inode(struct layer_image *image, struct layer_inode *inode,
		       sqfs_inode_generic_t *made, struct failure *f)
{
	sqfs_u64 block;
	sqfs_u32 offset;
	int error;

	if (fill_base(image, inode, made, f))
		return -1;
	sqfs_meta_writer_get_position(image->inodes, &block, &offset);
	inode->place = block << 16 | offset;
	error = sqfs_meta_writer_write_inode(image->inodes, made);
	return error ? fail_sqfs(f, image, "inode", error) : 0;
}

/* Once for all names of a file; place 0 is nobody's after the first inode, which has number 1. */
static int write_file(struct layer_image *image, struct layer_inode *inode, struct failure *f)
{
	sqfs_inode_generic_t *made;
	int result;

	if (inode->number)
		return 0;
	inode->number = image->next_number++;
	made = S_ISREG(inode->mode) ? file_inode(inode) : special_inode(inode);
	if (!made)
		return fail_sqfs(f, image, "inode", SQFS_ERROR_ALLOC);
	result = write_inode(image, inode, made, f);
	sqfs_free(made);
	inode->data = NULL;
	return result;
}

static int write_directory(struct layer_image *image, struct layer_entry *entry, uint32_t parent,
			   struct failure *f);

static int write_children(struct layer_image *image, struct layer_entry *entry, struct failure *f)
{
	for (size_t i = 0; i < entry->child_count; i++) {
		struct layer_entry *child = entry->children[i];

		if (S_ISDIR(child->inode->mode)
			    ? write_directory(image, child, entry->inode->number, f)
			    : write_file(image, child->inode, f))
			return -1;
	}
	return 0;
}

static size_t count_directories(const struct layer_entry *entry)
{
	size_t count = 0;

	for (size_t i = 0; i < entry->child_count; i++)
		count += S_ISDIR(entry->children[i]->inode->mode);
	return count;
}

static int write_directory(struct layer_image *image, struct layer_entry *entry, uint32_t parent,
			   struct failure *f)
{
	sqfs_inode_generic_t *made;
	int error;
	int result;

	entry->inode->number = image->next_number++;
	if (write_children(image, entry, f))
		return -1;
	error = sqfs_dir_writer_begin(image->directory, 0);
	for (size_t i = 0; i < entry->child_count && !error; i++) {
		const struct layer_inode *inode = entry->children[i]->inode;

		error = sqfs_dir_writer_add_entry(image->directory, entry->children[i]->name,
						  inode->number, inode->place,
						  (sqfs_u16)inode->mode);
	}
	if (!error)
		error = sqfs_dir_writer_end(image->directory);
	if (error)
		return fail_sqfs(f, image, "directory", error);
	made = sqfs_dir_writer_create_inode(image->directory, 0, 0, parent);
	if (!made)
		return fail_sqfs(f, image, "directory", SQFS_ERROR_ALLOC);
	sqfs_inode_make_extended(made);
	made->data.dir_ext.nlink = (sqfs_u32)count_directories(entry) + 2;
	result = write_inode(image, entry->inode, made, f);
	sqfs_free(made);
	return result;
}

static int write_tables(struct layer_image *image, struct failure *f)
{
	int error = sqfs_meta_writer_flush(image->inodes);

	if (!error)
		error = sqfs_meta_writer_flush(image->directories);
	if (!error) {
		image->super.directory_table_start = image->file->get_size(image->file);
		error = sqfs_meta_write_write_to_file(image->directories);
	}
	if (!error)
		error = sqfs_frag_table_write(image->fragments, image->file, &image->super,
					      image->compressor);
	if (!error)
		error = sqfs_id_table_write(image->ids, image->file, &image->super,
					    image->compressor);
	if (!error)
		error = sqfs_xattr_writer_flush(image->xattrs, image->file, &image->super,
						image->compressor);
	image->super.bytes_used = image->file->get_size(image->file);
	if (!error)
		error = sqfs_super_write(&image->super, image->file);
	return error ? fail_sqfs(f, image, "write", error) : 0;
}

int squashfs_write_tree(struct layer_image *image, const struct layer_tree *tree, struct failure *f)
{
	/* Files that a later entry of the stream has replaced. */
	for (struct layer_inode *inode = tree->inodes; inode; inode = inode->next) {
		if (!inode->links) {
			sqfs_free(inode->data);
			inode->data = NULL;
		}
	}
	image->super.inode_table_start = image->file->get_size(image->file);
	image->next_number = 1;
	if (write_directory(image, tree->root, 0, f))
		return -1;
	image->super.inode_count = image->next_number - 1;
	image->super.root_inode_ref = tree->root->inode->place;
	return write_tables(image, f);
}
