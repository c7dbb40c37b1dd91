// SPDX-License-Identifier: Apache-2.0
/*
 * The key of a tree: a SHA-256 over what lstat says of each entry, in the order of their names,
 * over the targets of links and over extended attributes. File contents are not read: whoever
 * changes one changes its ctime, which nobody can set back. A copy of the tree has other inodes and
 * with them another key. A second change of the same size within the same tick of the kernel's
 * clock leaves the ctime as it is.
 *
 * The walk opens each directory relative to its parent with O_NOFOLLOW, so that no link, and none
 * that is put there meanwhile, leads out of the root.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/sha256.h"

#define DEPTH_MAX 1024

struct walk {
	struct sha256 hash;
	struct tree_key *key;
	const char *root_path;
	unsigned depth;
};

static int fail_entry(const struct walk *walk, const char *op, const char *name, struct failure *f)
{
	int error = errno;
	AUTO_FREE char *path = must_format("%s: %s", walk->root_path, name);

	return fail_err(f, error, op, path, "%s", "");
}

static void add_string(struct walk *walk, const char *text)
{
	sha256_update(&walk->hash, text, strlen(text) + 1);
}

static void add_stat(struct walk *walk, const struct stat *st)
{
	const uint64_t numbers[] = {
		st->st_dev,
		st->st_ino,
		st->st_mode,
		st->st_nlink,
		st->st_uid,
		st->st_gid,
		st->st_rdev,
		(uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec,
		(uint64_t)st->st_mtim.tv_nsec,
		(uint64_t)st->st_ctim.tv_sec,
		(uint64_t)st->st_ctim.tv_nsec,
	};

	sha256_update(&walk->hash, numbers, sizeof(numbers));
	walk->key->files++;
	if (S_ISREG(st->st_mode))
		walk->key->bytes += (uint64_t)st->st_size;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *directory, struct strings *names)
{
	struct dirent *entry;

	for (errno = 0; (entry = readdir(directory)); errno = 0)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			strings_add(names, "%s", entry->d_name);
	if (errno)
		return -1;
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return 0;
}

static int walk_directory(struct walk *walk, int fd, struct failure *f);

static int walk_entry(struct walk *walk, int parent_fd, const char *name, struct failure *f)
{
	char target[4096];
	struct stat st;
	ssize_t length;
	int fd;

	if (signals_want_end())
		return fail_err(f, EINTR, "walk", walk->root_path, "ended by a signal");
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return fail_entry(walk, "lstat", name, f);
	add_string(walk, name);
	add_stat(walk, &st);
	if (S_ISLNK(st.st_mode)) {
		length = readlinkat(parent_fd, name, target, sizeof(target));
		if (length < 0)
			return fail_entry(walk, "readlink", name, f);
		sha256_update(&walk->hash, target, (size_t)length);
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_entry(walk, "open", name, f);
	return walk_directory(walk, fd, f);
}

static int walk_names(struct walk *walk, DIR *directory, struct failure *f)
{
	struct strings names = {0};
	int result = 0;

	if (read_names(directory, &names))
		result = fail_entry(walk, "readdir", "", f);
	for (size_t i = 0; !result && i < names.count; i++)
		result = walk_entry(walk, dirfd(directory), names.items[i], f);
	strings_finish(&names);
	return result;
}

/* Takes over fd. */
static int walk_directory(struct walk *walk, int fd, struct failure *f)
{
	DIR *directory;
	int result;

	if (walk->depth >= DEPTH_MAX) {
		close(fd);
		return fail_err(f, ENAMETOOLONG, "walk", walk->root_path,
				"more than %d directories deep", DEPTH_MAX);
	}
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return fail_entry(walk, "opendir", "", f);
	}
	walk->depth++;
	result = walk_names(walk, directory, f);
	walk->depth--;
	add_string(walk, "/"); /* the end of a directory: no name contains it */
	closedir(directory);
	return result;
}

int tree_key(int root_fd, const char *root_path, const char *how, struct tree_key *ret,
	     struct failure *f)
{
	struct tree_key key = {0};
	struct walk walk = {.key = &key, .root_path = root_path};
	uint8_t digest[SHA256_SIZE];
	struct stat st;
	int fd;

	if (fstat(root_fd, &st))
		return fail_sys(f, "fstat", root_path);
	sha256_init(&walk.hash);
	add_string(&walk, how);
	add_stat(&walk, &st);
	fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_sys(f, "open", root_path);
	if (walk_directory(&walk, fd, f))
		return -1;
	sha256_finish(&walk.hash, digest);
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		key.hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		key.hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	*ret = key;
	return 0;
}
