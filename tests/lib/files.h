// SPDX-License-Identifier: Apache-2.0
/* Files for the library's tests: whole ones, read and written. */
#ifndef TESTS_LIB_FILES_H
#define TESTS_LIB_FILES_H

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/t.h"

/* What is left of fd, up to its size and one byte: the caller frees it. NULL: cannot be read. */
static inline char *files_read_fd(int fd, size_t *ret_length)
{
	struct stat status;
	ssize_t length = -1;
	char *bytes;

	if (fd < 0 || fstat(fd, &status) < 0)
		return NULL;
	bytes = malloc((size_t)status.st_size + 1);
	if (bytes)
		length = read(fd, bytes, (size_t)status.st_size + 1);
	*ret_length = length < 0 ? 0 : (size_t)length;
	return bytes;
}

static inline char *files_read(const char *path, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = files_read_fd(fd, ret_length);

	if (fd >= 0)
		close(fd);
	return bytes;
}

static inline char *files_read_in(const char *directory, const char *name, size_t *ret_length)
{
	char path[PATH_MAX];
	char *bytes;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	bytes = files_read(path, ret_length);
	if (!bytes) {
		perror(path);
		exit(2);
	}
	return bytes;
}

/* A new file: an old one of the same name is unlinked, never written into. */
static inline void files_write(const char *path, const void *bytes, size_t length)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length && close(fd) == 0);
}

static inline void files_check(const char *path, const char *bytes, size_t length)
{
	size_t got_length = 0;
	char *got = files_read(path, &got_length);

	CHECK(got);
	CHECK_INT(got_length, length);
	CHECK(got && got_length == length && !memcmp(got, bytes, length));
	free(got);
}

#endif
