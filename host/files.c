// SPDX-License-Identifier: Apache-2.0
/* Reading files, and the cache's directories. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, size_t limit, const char *path, char **ret_bytes, size_t *ret_length,
		    struct failure *f)
{
	AUTO_FREE char *bytes = must_alloc(limit + 1);
	size_t length = 0;

	while (length <= limit) {
		ssize_t got = read(fd, bytes + length, limit + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_sys(f, "read", path);
		if (!got)
			break;
		length += (size_t)got;
	}
	if (length > limit)
		return fail_err(f, 0, "read", path, "larger than %zu bytes", limit);
	*ret_bytes = bytes;
	*ret_length = length;
	bytes = NULL;
	return 0;
}

int file_read(int dir_fd, const char *path, size_t limit, char **ret_bytes, size_t *ret_length,
	      struct failure *f)
{
	/* Non-blocking: a FIFO at this path must not hang smk. */
	AUTO_FD fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fail_sys(f, "open", path);
	if (fstat(fd, &st))
		return fail_sys(f, "fstat", path);
	if (!S_ISREG(st.st_mode))
		return fail_err(f, 0, "open", path, "not a regular file");
	return read_all(fd, limit, path, ret_bytes, ret_length, f);
}

int file_write_at(int fd, const char *path, uint64_t offset, const void *bytes, size_t length,
		  struct failure *f)
{
	const char *at = bytes;

	while (length) {
		ssize_t done = pwrite(fd, at, length, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail_sys(f, "write", path);
		at += done;
		offset += (uint64_t)done;
		length -= (size_t)done;
	}
	return 0;
}

/* mkdir -p of a path, new directories with mode 0700. */
static int make_directories(char *path, struct failure *f)
{
	for (char *slash = path + 1; slash; *slash++ = '/') {
		slash = strchr(slash, '/');
		if (!slash)
			break;
		*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return fail_sys(f, "mkdir", path);
	}
	if (mkdir(path, 0700) && errno != EEXIST)
		return fail_sys(f, "mkdir", path);
	return 0;
}

int cache_directory(const char *name, char **ret_path, struct failure *f)
{
	const char *base = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *user;
	AUTO_FREE char *path = NULL;

	/* The XDG specification: a relative path is to be ignored. */
	if (base && *base == '/') {
		path = must_format("%s/smk/%s", base, name);
	} else {
		if (!home || *home != '/') {
			user = getpwuid(getuid());
			home = user ? user->pw_dir : NULL;
		}
		if (!home || *home != '/')
			return fail_config(f, "", "no cache directory: set XDG_CACHE_HOME or HOME");
		path = must_format("%s/.cache/smk/%s", home, name);
	}
	if (make_directories(path, f))
		return -1;
	*ret_path = path;
	path = NULL;
	return 0;
}
