// SPDX-License-Identifier: Apache-2.0
/*
 * The cache of layer images, each under the key of its tree.
 *
 * Any number of smk may want one at once: a lock per key lets one pack while the others wait for
 * its result. An image appears by rename, complete and on the disk; one that is no longer what was
 * packed, as far as its size and superblock tell, is packed again.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNUSED_DAYS 30 /* an image nobody ran for so long is removed */
#define LOCK_PREFIX ".lock-"

/* The parts of a squashfs superblock that say whether the file is whole. */
#define SUPERBLOCK_SIZE 96
#define MAGIC           "hsqs"
#define BYTES_USED_AT   40

/* Images, temporary files and locks that nobody has used for long; not finding any is fine. */
static void prune(const char *directory)
{
	time_t oldest = time(NULL) - UNUSED_DAYS * 24 * 3600;
	struct dirent *entry;
	DIR *list = opendir(directory);
	struct stat st;

	while (list && (entry = readdir(list)))
		if (!fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < oldest)
			unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		closedir(list);
}

static bool is_whole(int fd)
{
	uint8_t superblock[SUPERBLOCK_SIZE];
	uint64_t bytes_used = 0;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    pread(fd, superblock, sizeof(superblock), 0) != (ssize_t)sizeof(superblock) ||
	    memcmp(superblock, MAGIC, strlen(MAGIC)))
		return false;
	for (int i = 7; i >= 0; i--)
		bytes_used = bytes_used << 8 | superblock[BYTES_USED_AT + i];
	return bytes_used >= SUPERBLOCK_SIZE && bytes_used <= (uint64_t)st.st_size;
}

/* Whether a whole image is there; its time then says that it was used now. */
static bool is_cached(const char *image)
{
	AUTO_FD fd = open(image, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || !is_whole(fd))
		return false;
	futimens(fd, NULL); /* not allowed in another user's cache, and not needed there */
	return true;
}

/* The lock of whoever packs is removed with its work: one that lost its name locks nothing. */
static bool has_name(int fd, const char *path)
{
	struct stat by_fd;
	struct stat by_name;

	return !fstat(fd, &by_fd) && !lstat(path, &by_name) && by_fd.st_dev == by_name.st_dev &&
	       by_fd.st_ino == by_name.st_ino;
}

/* Waits with an eye on the signals, which a blocking flock() would sleep through. */
static int wait_for_lock(int fd, const char *path, struct failure *f)
{
	struct pollfd signals = {.fd = signals_fd(), .events = POLLIN};
	double begin = now_ms();

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_sys(f, "flock", path);
		say_progress("another smk packs this tree, %.1f s", (now_ms() - begin) / 1e3);
		if (poll(&signals, 1, 50) > 0 && signals_want_end())
			return fail_err(f, EINTR, "flock", path, "ended by a signal");
	}
	return 0;
}

static int lock(const char *path, int *ret_fd, struct failure *f)
{
	for (;;) {
		AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		int result;

		if (fd < 0)
			return fail_sys(f, "open", path);
		result = wait_for_lock(fd, path, f);
		say_progress(NULL);
		if (result)
			return -1;
		if (!has_name(fd, path))
			continue;
		*ret_fd = fd;
		fd = -1;
		return 0;
	}
}

static int sync_path(const char *path, struct failure *f)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? fail_sys(f, "fsync", path) : 0;
}

/* Packs into a temporary file and gives it its name, when the tree did not change meanwhile. */
static int pack_new(int root_fd, const char *root_path, const struct tree_key *key,
		    const char *image, struct failure *f)
{
	AUTO_FREE char *temporary = must_format("%s.tmp-%d", image, (int)getpid());
	struct tree_key after;
	int result;

	result = pack_squashfs(root_fd, temporary, key, f);
	if (!result)
		result = tree_key(root_fd, root_path, pack_options, &after, f);
	if (!result && strcmp(after.hex, key->hex))
		result = fail_err(
			f, 0, "pack", root_path,
			"something changed in it meanwhile: run again when nothing writes to it");
	if (!result)
		result = sync_path(temporary, f);
	if (!result && rename(temporary, image))
		result = fail_sys(f, "rename", image);
	if (result)
		unlink(temporary);
	return result;
}

/* With the lock: what another smk has packed meanwhile is taken. */
static int pack_once(int root_fd, const char *root_path, const struct tree_key *key,
		     const char *directory, const char *image, bool *ret_is_cached,
		     struct failure *f)
{
	AUTO_FREE char *path = must_format("%s/" LOCK_PREFIX "%s", directory, key->hex);
	AUTO_FD lock_fd = -1;
	bool is_there;
	int result = 0;

	if (lock(path, &lock_fd, f))
		return -1;
	is_there = is_cached(image);
	if (!is_there)
		result = pack_new(root_fd, root_path, key, image, f);
	if (!result && !is_there)
		result = sync_path(directory, f);
	unlink(path);
	if (!result)
		*ret_is_cached = is_there;
	return result;
}

int pack_layer(int root_fd, const char *root_path, char **ret_image, bool *ret_is_cached,
	       struct failure *f)
{
	AUTO_FREE char *directory = NULL;
	AUTO_FREE char *image = NULL;
	struct tree_key key;
	bool is_there;

	if (tree_key(root_fd, root_path, pack_options, &key, f) ||
	    cache_directory("layers", &directory, f))
		return -1;
	image = must_format("%s/%s.squashfs", directory, key.hex);
	is_there = is_cached(image);
	if (!is_there) {
		if (pack_once(root_fd, root_path, &key, directory, image, &is_there, f))
			return -1;
		prune(directory);
	}
	*ret_image = image;
	*ret_is_cached = is_there;
	image = NULL;
	return 0;
}
