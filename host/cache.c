// SPDX-License-Identifier: Apache-2.0
/*
 * The cache of layer images.
 *
 * Any number of smk may want one at once: a lock per key lets one make it while the others wait for
 * its result. An image appears by rename, complete and on the disk; one that is no longer what was
 * made, as far as its size and superblock tell, is made again.
 */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "verity.h"

#define UNUSED_DAYS 30 /* an image nobody ran for so long is removed */
#define LOCK_PREFIX ".lock-"
#define UNDER       ".tmp-"           /* and a process id: the name of an image until it is whole */
#define DIGEST      "user.smk.sha256" /* an attribute: lower-case digits */

void cache_sweep(void)
{
	time_t oldest = time(NULL) - UNUSED_DAYS * 24 * 3600;
	AUTO_FREE char *directory = NULL;
	struct failure ignored = {0};
	struct dirent *entry;
	struct stat st;
	DIR *list;

	if (cache_directory(CACHE_LAYERS, &directory, &ignored))
		return; /* then there is nothing in it */
	list = opendir(directory);
	while (list && (entry = readdir(list)))
		if (!fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < oldest)
			unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		closedir(list);
}

/* Where a superblock of each kind says how long the file has to be. */
static const struct {
	size_t magic_at;
	uint8_t magic[4];
	size_t size_at;
	size_t size_bytes;
	uint64_t unit;
} formats[] = {
	{0, {'h', 's', 'q', 's'}, 40, 8, 1},
	{1024, {0xe2, 0xe1, 0xf5, 0xe0}, 1024 + 36, 4, 4096},
};

static bool is_whole(int fd)
{
	uint8_t head[2048] = {0};
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || pread(fd, head, sizeof(head), 0) <= 0)
		return false;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		uint64_t size = 0;

		if (memcmp(head + formats[i].magic_at, formats[i].magic, 4) != 0)
			continue;
		for (size_t j = formats[i].size_bytes; j-- > 0;)
			size = size << 8 | head[formats[i].size_at + j];
		return size && size <= (uint64_t)st.st_size / formats[i].unit;
	}
	return false;
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

/* The lock of whoever works is removed with its work: one that lost its name locks nothing. */
static bool has_name(int fd, const char *path)
{
	struct stat by_fd;
	struct stat by_name;

	return !fstat(fd, &by_fd) && !lstat(path, &by_name) && by_fd.st_dev == by_name.st_dev &&
	       by_fd.st_ino == by_name.st_ino;
}

static bool wants_end(const struct cache_request *request)
{
	return request->wants_end ? request->wants_end(request->context) : signals_want_end();
}

/* Waits with an eye on the signals, which a blocking flock() would sleep through. */
static int wait_for_lock(int fd, const char *path, const struct cache_request *request,
			 struct failure *f)
{
	struct pollfd signals = {.fd = signals_fd(), .events = POLLIN};
	double begin = now_ms();

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_sys(f, "flock", path);
		say_progress("another smk packs this %s, %.1f s", request->what,
			     (now_ms() - begin) / 1e3);
		poll(&signals, 1, 50);
		if (wants_end(request))
			return fail_err(f, EINTR, "flock", path, "ended by a signal");
	}
	return 0;
}

static int lock(const char *path, const struct cache_request *request, int *ret_fd,
		struct failure *f)
{
	for (;;) {
		AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		int result;

		if (fd < 0)
			return fail_sys(f, "open", path);
		result = wait_for_lock(fd, path, request, f);
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

/* The image under one of its names, or NULL. */
static char *find(const struct cache_request *request, const char *directory)
{
	for (unsigned i = 0; i < CACHE_NAMES && request->names[i]; i++) {
		char *image = must_format("%s/%s", directory, request->names[i]);

		if (is_cached(image))
			return image;
		free(image);
	}
	return NULL;
}

/*
 * The digest of an image's bytes is kept with it, for who copies them: cache_check(). A file system
 * without such attributes keeps none.
 */
static int remember_digest(const char *path, struct failure *f)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	char hex[2 * SHA256_SIZE + 1];
	uint64_t size;

	if (fd < 0)
		return fail_sys(f, "open", path);
	if (verity_hash_file(fd, path, hex, &size, f))
		return -1;
	if (fsetxattr(fd, DIGEST, hex, strlen(hex), 0) && errno != EOPNOTSUPP)
		return fail_sys(f, "setxattr", path);
	return 0;
}

int cache_check(const char *image, const char *hex, struct failure *f)
{
	char kept[2 * SHA256_SIZE + 1] = "";
	ssize_t length = getxattr(image, DIGEST, kept, sizeof(kept) - 1);

	if (length < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return fail_sys(f, "getxattr", image);
	if (length < 0 || !strcmp(kept, hex))
		return 0;
	if (unlink(image))
		return fail_sys(f, "unlink", image);
	return fail_err(f, 0, "", image, "was damaged in the cache, and is removed: bake again");
}

/* Who works on an image has the lock of its key, in whatever namespace of pids it runs. */
static char *lock_path(const char *directory, const char *name)
{
	return must_format("%s/" LOCK_PREFIX "%.*s", directory, (int)strcspn(name, "."), name);
}

bool cache_is_leftover(const char *directory, const char *name)
{
	AUTO_FREE char *path = lock_path(directory, name);
	AUTO_FD fd = -1;

	if (name[0] == '.' || !strstr(name, UNDER))
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? errno == ENOENT : !flock(fd, LOCK_EX | LOCK_NB);
}

/* Of a smk that was killed: with the lock, nobody else makes this image. */
static void remove_leftovers(const char *directory, const char *name)
{
	AUTO_FREE char *prefix = must_format("%s" UNDER, name);
	DIR *list = opendir(directory);
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		closedir(list);
}

/* Makes a temporary file and gives it its name. */
static int make(const struct cache_request *request, const char *directory, char **ret_image,
		struct failure *f)
{
	AUTO_FREE char *temporary =
		must_format("%s/%s" UNDER "%d", directory, request->names[0], (int)getpid());
	AUTO_FREE char *image = NULL;
	unsigned which = 0;
	int result;

	remove_leftovers(directory, request->names[0]);
	result = request->make(request->context, temporary, &which, f);
	image = must_format("%s/%s", directory, request->names[which]);
	if (!result)
		result = remember_digest(temporary, f);
	if (!result)
		result = sync_path(temporary, f);
	if (!result && rename(temporary, image))
		result = fail_sys(f, "rename", image);
	if (!result)
		result = sync_path(directory, f);
	if (result) {
		unlink(temporary);
		return -1;
	}
	*ret_image = image;
	image = NULL;
	return 0;
}

static void unlock(struct cache_place *place)
{
	if (place->lock_fd >= 0)
		unlink(place->lock_path);
	cleanup_fd(&place->lock_fd);
	cleanup_free(&place->lock_path);
	cleanup_free(&place->directory);
}

int cache_open(const struct cache_request *request, struct cache_place *ret, struct failure *f)
{
	struct cache_place place = {.lock_fd = -1};

	if (cache_directory(CACHE_LAYERS, &place.directory, f))
		return -1;
	place.image = find(request, place.directory);
	if (!place.image) {
		place.lock_path = lock_path(place.directory, request->names[0]);
		if (lock(place.lock_path, request, &place.lock_fd, f)) {
			unlock(&place);
			return -1;
		}
		/* What another smk has made meanwhile is taken. */
		place.image = find(request, place.directory);
	}
	if (place.image)
		unlock(&place);
	*ret = place;
	return 0;
}

int cache_make(const struct cache_request *request, struct cache_place *place, struct failure *f)
{
	int result = make(request, place->directory, &place->image, f);

	unlock(place);
	return result;
}

int cache_get(const struct cache_request *request, char **ret_image, bool *ret_is_cached,
	      struct failure *f)
{
	struct cache_place place;

	if (cache_open(request, &place, f))
		return -1;
	*ret_is_cached = place.image;
	if (!place.image) {
		if (cache_make(request, &place, f))
			return -1;
		cache_sweep();
	}
	*ret_image = place.image;
	return 0;
}
