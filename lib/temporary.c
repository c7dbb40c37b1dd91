// SPDX-License-Identifier: Apache-2.0
/* Temporary files beside their target. */
#include "temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

#define ATTEMPTS      16
#define RANDOM_DIGITS 16
#define SUFFIX        ".tmp"
/* What is left of the target's name, so that the whole fits: two dots, PID, dash, random, suffix.
 */
#define TARGET_MAX (NAME_MAX - (1 + 1 + 11 + 1 + RANDOM_DIGITS + 4))

static int make_name(const char *target, char name[NAME_MAX + 1])
{
	unsigned long long number;

	if (getentropy(&number, sizeof(number)) < 0)
		return -1;
	snprintf(name, NAME_MAX + 1, ".%.*s.%d-%016llx" SUFFIX, TARGET_MAX, target, (int)getpid(),
		 number);
	return 0;
}

enum smk_result temporary_create(const struct place *place, unsigned mode, struct temporary *ret)
{
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		if (make_name(place->name, ret->name) < 0)
			break;
		ret->fd = openat(place->directory_fd, ret->name,
				 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (ret->fd >= 0) {
			/* Without locks on this file system, nobody will take ours away either. */
			(void)flock(ret->fd, LOCK_EX | LOCK_NB);
			return SMK_OK;
		}
		if (errno != EEXIST && errno != EINTR)
			break;
	}
	return result_from_errno(errno);
}

void temporary_remove(const struct place *place, const struct temporary *temporary)
{
	int error = errno;

	unlinkat(place->directory_fd, temporary->name, 0);
	errno = error;
}

/* name is .TARGET.DIGITS-HEX.tmp */
static bool is_ours(const char *target, const char *name)
{
	size_t length = strlen(target);

	if (length > TARGET_MAX)
		length = TARGET_MAX;
	if (*name++ != '.' || strncmp(name, target, length) != 0)
		return false;
	name += length;
	if (*name++ != '.')
		return false;
	length = strspn(name, "0123456789");
	name += length;
	if (!length || *name++ != '-' || strspn(name, "0123456789abcdef") != RANDOM_DIGITS)
		return false;
	return !strcmp(name + RANDOM_DIGITS, SUFFIX);
}

/* Looked at by descriptor, so that what is judged is what has the lock. */
static bool is_abandoned(int directory_fd, const char *name)
{
	struct stat status;
	bool is_free;
	int fd;

	if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(status.st_mode))
		return false;
	fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_free = flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &status) == 0 &&
		  time(NULL) - status.st_mtime > TEMPORARY_STALE_SECONDS;
	output_close(fd);
	return is_free;
}

void temporary_remove_stale(const struct place *place)
{
	int fd = openat(place->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!directory) {
		output_close(fd);
		return;
	}
	while ((entry = readdir(directory)))
		if (is_ours(place->name, entry->d_name) &&
		    is_abandoned(place->directory_fd, entry->d_name))
			unlinkat(place->directory_fd, entry->d_name, 0);
	closedir(directory);
}
