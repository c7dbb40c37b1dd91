// SPDX-License-Identifier: Apache-2.0
/* Opening, and if asked making, the directory of a path. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

static enum smk_result result_of_path(int error)
{
	return error == ENOENT || error == ENOTDIR ? SMK_ERROR_NO_DIRECTORY
						   : result_from_errno(error);
}

/* The directory part of path as an own string; "." when there is none. */
static void copy_parent(const char *path, char parent[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		path = ".";
	memcpy(parent, path, length ? length : 1);
	parent[length ? length : 1] = '\0';
}

static int open_directory(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

enum smk_result directory_sync(int fd)
{
	/* EINVAL, ENOTSUP: the file system has nothing to sync for directories. */
	if (output_sync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		return result_from_errno(errno);
	return SMK_OK;
}

static enum smk_result sync_parent(const char *path)
{
	char parent[PATH_MAX];
	enum smk_result result;
	int fd;

	copy_parent(path, parent);
	fd = open_directory(parent);
	if (fd < 0)
		return result_from_errno(errno);
	result = directory_sync(fd);
	output_close(fd);
	return result;
}

static enum smk_result make_one(const char *path)
{
	struct stat status;
	int error;

	if (mkdir(path, 0777) == 0)
		return sync_parent(path);
	/* Something is there, whatever mkdir says of it: opening it later decides. */
	error = errno;
	if (error == EEXIST || stat(path, &status) == 0)
		return SMK_OK;
	errno = error;
	return result_of_path(error);
}

static enum smk_result make_all(char *path)
{
	char *slash = path;
	enum smk_result result;

	do {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		result = make_one(path);
		if (slash)
			*slash = '/';
	} while (slash && !result);
	return result;
}

enum smk_result directory_open(const char *path, bool with_parents, struct place *ret)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char parent[PATH_MAX];
	enum smk_result result;
	int fd;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return SMK_ERROR_TARGET;
	copy_parent(path, parent);
	fd = open_directory(parent);
	if (fd < 0 && errno == ENOENT && with_parents) {
		result = make_all(parent);
		if (result)
			return result;
		fd = open_directory(parent);
	}
	if (fd < 0)
		return result_of_path(errno);
	*ret = (struct place){.directory_fd = fd, .name = name};
	return SMK_OK;
}
