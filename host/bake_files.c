// SPDX-License-Identifier: Apache-2.0
/* Files of a baked directory: written or copied, hashed on their way. */
#include "bake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_CHUNK (1u << 20)

char *bake_path(const struct bake *bake, const char *name)
{
	return must_format("%s/%s", bake->directory, name);
}

static int write_all(int fd, const char *path, const void *bytes, size_t length, struct failure *f)
{
	const char *at = bytes;

	while (length) {
		ssize_t done = write(fd, at, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail_sys(f, "write", path);
		at += done;
		length -= (size_t)done;
	}
	return 0;
}

static int create(const char *path, mode_t mode, int *ret_fd, struct failure *f)
{
	*ret_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	return *ret_fd < 0 ? fail_sys(f, "create", path) : 0;
}

int bake_write(const struct bake *bake, const char *name, mode_t mode, const void *bytes,
	       size_t length, struct product *ret, struct failure *f)
{
	AUTO_FREE char *path = bake_path(bake, name);
	AUTO_FD fd = -1;

	if (create(path, mode, &fd, f) || write_all(fd, path, bytes, length, f))
		return -1;
	ret->name = must_copy(name);
	ret->size = length;
	sha256_hex(bytes, length, ret->hex);
	return fsync(fd) ? fail_sys(f, "fsync", path) : 0;
}

static bool is_zero(const char *bytes, size_t length)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, length - 1);
}

/* Holes stay holes: what is there before is a new file, and its end is set at last. */
static int put_part(int to, const char *path, const char *bytes, size_t length, struct failure *f)
{
	if (!is_zero(bytes, length))
		return write_all(to, path, bytes, length, f);
	return lseek(to, (off_t)length, SEEK_CUR) < 0 ? fail_sys(f, "seek", path) : 0;
}

/* Hashed on its way. */
static int copy_fd(int from, int to, const char *path, struct sha256 *hash, uint64_t *ret_size,
		   struct failure *f)
{
	AUTO_FREE char *buffer = must_alloc(COPY_CHUNK);
	ssize_t got;

	*ret_size = 0;
	while ((got = read(from, buffer, COPY_CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_sys(f, "read", path);
		if (signals_want_end())
			return fail_err(f, EINTR, "", path, "ended by a signal");
		if (put_part(to, path, buffer, (size_t)got, f))
			return -1;
		sha256_update(hash, buffer, (size_t)got);
		*ret_size += (uint64_t)got;
	}
	return ftruncate(to, (off_t)*ret_size) ? fail_sys(f, "truncate", path) : 0;
}

int bake_copy(const struct bake *bake, const char *from, const char *name, int *ret_fd,
	      struct product *ret, struct failure *f)
{
	AUTO_FREE char *path = bake_path(bake, name);
	AUTO_FD source = open(from, O_RDONLY | O_CLOEXEC);
	struct sha256 hash;

	if (source < 0)
		return fail_sys(f, "open", from);
	sha256_init(&hash);
	if (create(path, 0644, ret_fd, f) || copy_fd(source, *ret_fd, path, &hash, &ret->size, f))
		return -1;
	ret->name = must_copy(name);
	sha256_finish_hex(&hash, ret->hex);
	return 0;
}
