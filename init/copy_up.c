// SPDX-License-Identifier: Apache-2.0
/*
 * tmpcopyup: a new tmpfs begins with the files that it is about to cover. By descriptors and names
 * without a slash only, so no link of the image is followed; links, devices and FIFOs are made
 * again. Owners, modes and times are kept, extended attributes and hard links are not.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/sys.h"

#define DEPTH_MAX  200
#define PIECE_SIZE (1u << 20)

struct copy {
	const char *path; /* for messages: where the tmpfs goes */
	struct failure *f;
	unsigned depth;
};

static int fail_copy(const struct copy *copy, const char *name)
{
	return fail_err(copy->f, errno, "tmpcopyup", copy->path, "%s", name);
}

static int copy_bytes(int from_fd, int to_fd)
{
	ssize_t put;

	do
		put = sendfile(to_fd, from_fd, NULL, PIECE_SIZE);
	while (put > 0 || (put < 0 && errno == EINTR));
	return put < 0 ? -1 : 0;
}

static int copy_file(int from_dir_fd, int to_dir_fd, const char *name)
{
	AUTO_FD from_fd = sys_open(from_dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	AUTO_FD to_fd = -1;

	if (from_fd < 0)
		return -1;
	to_fd = sys_open(to_dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return to_fd < 0 ? -1 : copy_bytes(from_fd, to_fd);
}

static int copy_link(int from_dir_fd, int to_dir_fd, const char *name)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(from_dir_fd, name, text, sizeof(text) - 1);

	if (length < 0)
		return -1;
	text[length] = '\0';
	return symlinkat(text, to_dir_fd, name);
}

static int copy_directory(struct copy *copy, int from_fd, int to_fd);

static int copy_below(struct copy *copy, int from_dir_fd, int to_dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	AUTO_FD from_fd = sys_open(from_dir_fd, name, flags, 0);
	AUTO_FD to_fd = -1;

	if (from_fd < 0 || mkdirat(to_dir_fd, name, 0700))
		return fail_copy(copy, name);
	to_fd = sys_open(to_dir_fd, name, flags, 0);
	return to_fd < 0 ? fail_copy(copy, name) : copy_directory(copy, from_fd, to_fd);
}

/* What a new entry does not get when it is made. The owner first: changing it drops set-id bits. */
static int copy_attributes(int to_dir_fd, const char *name, const struct stat *status)
{
	const struct timespec times[2] = {status->st_atim, status->st_mtim};

	if (fchownat(to_dir_fd, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (!S_ISLNK(status->st_mode) && fchmodat(to_dir_fd, name, status->st_mode & 07777, 0))
		return -1;
	return utimensat(to_dir_fd, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_entry(struct copy *copy, int from_dir_fd, int to_dir_fd, const char *name)
{
	struct stat status;
	int result;

	if (fstatat(from_dir_fd, name, &status, AT_SYMLINK_NOFOLLOW))
		return fail_copy(copy, name);
	if (S_ISDIR(status.st_mode)) {
		if (copy_below(copy, from_dir_fd, to_dir_fd, name))
			return -1;
		result = 0;
	} else if (S_ISREG(status.st_mode)) {
		result = copy_file(from_dir_fd, to_dir_fd, name);
	} else if (S_ISLNK(status.st_mode)) {
		result = copy_link(from_dir_fd, to_dir_fd, name);
	} else {
		result = mknodat(to_dir_fd, name, status.st_mode, status.st_rdev);
	}
	if (result || copy_attributes(to_dir_fd, name, &status))
		return fail_copy(copy, name);
	return 0;
}

/* errno tells the end of the directory from a failure. */
static int copy_entries(struct copy *copy, DIR *dir, int from_fd, int to_fd)
{
	struct dirent *entry;

	while (errno = 0, (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (copy_entry(copy, from_fd, to_fd, entry->d_name))
			return -1;
	}
	return errno ? fail_copy(copy, "readdir") : 0;
}

/* A level costs two descriptors and a buffer: deeper ones are refused before those run out. */
static int copy_directory(struct copy *copy, int from_fd, int to_fd)
{
	int list_fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	int result;

	if (!dir) {
		sys_close(&list_fd);
		return fail_copy(copy, "opendir");
	}
	if (++copy->depth > DEPTH_MAX)
		result = fail_err(copy->f, ELOOP, "tmpcopyup", copy->path,
				  "directories are more than %d deep", DEPTH_MAX);
	else
		result = copy_entries(copy, dir, from_fd, to_fd);
	copy->depth--;
	closedir(dir);
	return result;
}

int copy_up(int from_fd, int to_fd, const char *path, struct failure *f)
{
	struct copy copy = {.path = path, .f = f};
	AUTO_FD list_fd = sys_open(from_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	return list_fd < 0 ? fail_copy(&copy, ".") : copy_directory(&copy, list_fd, to_fd);
}
