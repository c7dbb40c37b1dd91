// SPDX-License-Identifier: Apache-2.0
/* The place of a baked directory: free, filled beside it under another name, and renamed. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bake.h"

#define NOT_FREE "a baked directory is a new one, or an empty one"
#define UNDER    ".tmp-" /* and smk's process id */

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void bake_directory_remove(const char *path, int fd)
{
	struct dirent *entry;
	DIR *list = fdopendir(dup(fd));

	while (list && (entry = readdir(list)))
		unlinkat(fd, entry->d_name, 0); /* "." and ".." refuse to go */
	if (list)
		closedir(list);
	rmdir(path);
}

/* Whether nothing is there, or an empty directory, not a link to one; else errno says what. */
static bool is_free(const char *target)
{
	struct dirent *entry;
	size_t count = 0;
	struct stat st;
	DIR *list;

	if (lstat(target, &st))
		return true;
	errno = ENOTDIR;
	list = S_ISDIR(st.st_mode) ? opendir(target) : NULL;
	if (!list)
		return false;
	while ((entry = readdir(list)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(list);
	errno = count ? ENOTEMPTY : EBUSY;
	return !count && strcmp(target, ".") != 0;
}

/* Of nobody who runs: a pid that is this smk's own now was another's before. */
static bool is_of_the_dead(const char *digits)
{
	char *end;
	long pid = isdigit((unsigned char)*digits) ? strtol(digits, &end, 10) : 0;

	if (pid <= 0 || pid > INT32_MAX || *end)
		return false;
	return pid == getpid() || (kill((pid_t)pid, 0) && errno == ESRCH);
}

/* One of ours that nobody has locked, from wherever its pid may be of somebody. */
static void remove_leftover(const char *path)
{
	AUTO_FD fd = open_directory(path);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid() && !flock(fd, LOCK_EX | LOCK_NB))
		bake_directory_remove(path, fd);
}

/* What smk left that were killed while they baked to the same place. */
static void remove_leftovers(const char *target)
{
	const char *slash = strrchr(target, '/');
	const char *name = slash ? slash + 1 : target;
	AUTO_FREE char *parent =
		slash ? must_format("%.*s/", (int)(slash - target), target) : must_copy("./");
	AUTO_FREE char *prefix = must_format("%s" UNDER, name);
	struct dirent *entry;
	DIR *list = opendir(parent);

	while (list && (entry = readdir(list))) {
		AUTO_FREE char *path = must_format("%s%s", parent, entry->d_name);

		if (!strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    is_of_the_dead(entry->d_name + strlen(prefix)))
			remove_leftover(path);
	}
	if (list)
		closedir(list);
}

int bake_directory_make(const char *target, char **ret_path, int *ret_fd, struct failure *f)
{
	AUTO_FREE char *path = NULL;
	AUTO_FD fd = -1;

	if (!is_free(target))
		return fail_err(f, errno, "", target, NOT_FREE);
	remove_leftovers(target);
	path = must_format("%s" UNDER "%d", target, (int)getpid());
	if (mkdir(path, 0755))
		return fail_sys(f, "mkdir", path);
	fd = open_directory(path);
	if (fd < 0 || flock(fd, LOCK_EX)) {
		fail_sys(f, "open", path);
		rmdir(path);
		return -1;
	}
	*ret_path = path;
	*ret_fd = fd;
	path = NULL;
	fd = -1;
	return 0;
}

/* rename(2) takes an empty directory's place, and no other's. */
int bake_directory_place(const char *path, const char *target, struct failure *f)
{
	return rename(path, target) ? fail_err(f, errno, "", target, NOT_FREE) : 0;
}
