// SPDX-License-Identifier: Apache-2.0
/*
 * The scratch directory of a run: $TMPDIR/smk-run-XXXXXX, locked as long as its smk lives and
 * removed at its end. What an smk left that was killed is removed by the next one: whatever has the
 * name, the owner and the mode of a scratch directory and no lock. One that is to stay is called
 * smk-kept-XXXXXX.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX      "smk-run-"
#define PREFIX_KEPT "smk-kept-"
#define RANDOM      "XXXXXX"

/* The only files that smk puts there; nothing else is ever removed. */
static const char *const files[] = {SCRATCH_UPPER, SCRATCH_INITRAMFS};

static char *scratch_path;
static int scratch_fd = -1; /* has the lock */
static bool is_scratch_kept;

static const char *base_directory(void)
{
	const char *base = getenv("TMPDIR");

	return base && *base == '/' ? base : "/tmp";
}

static void remove_files(int fd)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(fd, files[i], 0);
}

void scratch_remove(void)
{
	if (!scratch_path || is_scratch_kept)
		return;
	remove_files(scratch_fd);
	rmdir(scratch_path);
	cleanup_fd(&scratch_fd);
	scratch_fd = -1;
	free(scratch_path);
	scratch_path = NULL;
}

/* Whether the name still leads to what is open: another smk may have swept it away. */
static bool is_at(int fd, int base_fd, const char *name)
{
	struct stat by_fd;
	struct stat by_name;

	return !fstat(fd, &by_fd) && !fstatat(base_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) &&
	       by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

static bool is_abandoned(int fd, int base_fd, const char *name)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_uid == geteuid() && (st.st_mode & 07777) == 0700 &&
	       !flock(fd, LOCK_EX | LOCK_NB) && is_at(fd, base_fd, name);
}

static void sweep_one(int base_fd, const char *name)
{
	AUTO_FD fd = -1;

	if (strncmp(name, PREFIX, strlen(PREFIX)) ||
	    strlen(name) != strlen(PREFIX) + strlen(RANDOM))
		return;
	fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !is_abandoned(fd, base_fd, name))
		return;
	remove_files(fd);
	unlinkat(base_fd, name, AT_REMOVEDIR);
}

void scratch_sweep(void)
{
	DIR *base = opendir(base_directory());
	struct dirent *entry;

	while (base && (entry = readdir(base)))
		sweep_one(dirfd(base), entry->d_name);
	if (base)
		closedir(base);
}

/* Makes and locks one; another smk may be sweeping at this very moment. */
static int make_locked(const char *prefix, struct failure *f)
{
	while (!scratch_path) {
		AUTO_FREE char *path = must_format("%s/%s" RANDOM, base_directory(), prefix);
		AUTO_FD fd = -1;

		if (!mkdtemp(path))
			return fail_sys(f, "mkdtemp", path);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return fail_sys(f, "open", path);
		/* Where locks do not work, no sweeper gets one either. */
		if (fd >= 0)
			(void)flock(fd, LOCK_EX);
		if (fd < 0 || !is_at(fd, AT_FDCWD, path))
			continue;
		scratch_path = path;
		scratch_fd = fd;
		path = NULL;
		fd = -1;
	}
	return 0;
}

int scratch_directory(bool keep, const char **ret_path, struct failure *f)
{
	if (!scratch_path) {
		if (make_locked(keep ? PREFIX_KEPT : PREFIX, f))
			return -1;
		is_scratch_kept = keep;
		atexit(scratch_remove);
	}
	*ret_path = scratch_path;
	return 0;
}
