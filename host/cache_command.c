// SPDX-License-Identifier: Apache-2.0
/* smk cache: what the cache of layers holds, and taking it away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"

#define DAYS_MAX 36500

struct walk {
	DIR *list;
	const char *directory;
	uint64_t files;
	uint64_t bytes; /* on the disk */
};

/* The next image; locks and temporary files of those that work now are none. */
static const char *next_image(struct walk *walk, struct stat *ret)
{
	struct dirent *entry;

	while ((entry = readdir(walk->list))) {
		const char *name = entry->d_name;

		if (name[0] == '.' || strstr(name, ".tmp-") ||
		    fstatat(dirfd(walk->list), name, ret, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(ret->st_mode))
			continue;
		walk->files++;
		walk->bytes += (uint64_t)ret->st_blocks * 512;
		return name;
	}
	return NULL;
}

/* Files of no use and their bytes, taken away when asked for. */
static void say_leftovers(struct walk *walk, bool is_removed)
{
	uint64_t files = 0;
	uint64_t bytes = 0;
	struct dirent *entry;
	struct stat st;

	rewinddir(walk->list);
	while ((entry = readdir(walk->list))) {
		if (!cache_is_leftover(walk->directory, entry->d_name) ||
		    fstatat(dirfd(walk->list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    (is_removed && unlinkat(dirfd(walk->list), entry->d_name, 0)))
			continue;
		files++;
		bytes += (uint64_t)st.st_blocks * 512;
	}
	if (files)
		printf("%8llu KiB  %llu unfinished images of killed runs%s\n",
		       (unsigned long long)bytes / 1024, (unsigned long long)files,
		       is_removed ? " removed" : ": smk cache prune removes them");
}

static int list_images(struct walk *walk, const char *unused, struct failure *f)
{
	const char *name;
	char day[16];
	struct stat st;
	struct tm tm;

	(void)unused;
	(void)f;
	while ((name = next_image(walk, &st))) {
		strftime(day, sizeof(day), "%F", gmtime_r(&st.st_mtim.tv_sec, &tm));
		printf("%8llu KiB  %s  %s\n", (unsigned long long)st.st_blocks / 2, day, name);
	}
	printf("%8llu KiB  %llu images in %s\n", (unsigned long long)walk->bytes / 1024,
	       (unsigned long long)walk->files, walk->directory);
	say_leftovers(walk, false);
	return 0;
}

/* One that a running machine has open goes on being there for it. */
static int prune_images(struct walk *walk, const char *days, struct failure *f)
{
	char *end = NULL;
	unsigned long number = days ? strtoul(days, &end, 10) : 0;
	time_t newest = time(NULL) - (time_t)number * 24 * 3600;
	uint64_t files = 0;
	uint64_t bytes = 0;
	const char *name;
	struct stat st;

	if (days && (*days < '0' || *days > '9' || *end || number > DAYS_MAX))
		return fail_config(f, "", "cache prune %s: a number of days", days);
	while ((name = next_image(walk, &st))) {
		if (number && st.st_mtim.tv_sec > newest)
			continue;
		if (unlinkat(dirfd(walk->list), name, 0) && errno != ENOENT)
			return fail_sys(f, "unlink", name);
		files++;
		bytes += (uint64_t)st.st_blocks * 512;
	}
	printf("%8llu KiB  %llu images removed from %s\n", (unsigned long long)bytes / 1024,
	       (unsigned long long)files, walk->directory);
	say_leftovers(walk, true);
	return 0;
}

static const struct {
	const char *name;
	bool has_argument;
	int (*run)(struct walk *walk, const char *argument, struct failure *f);
} actions[] = {{"ls", false, list_images}, {"prune", true, prune_images}};

static int run(size_t action, const char *argument, struct failure *f)
{
	AUTO_FREE char *directory = NULL;
	struct walk walk = {.list = NULL};
	int result;

	if (cache_directory(CACHE_LAYERS, &directory, f))
		return -1;
	walk.directory = directory;
	walk.list = opendir(directory);
	if (!walk.list)
		return fail_sys(f, "open", directory);
	result = actions[action].run(&walk, argument, f);
	closedir(walk.list);
	return result;
}

int command_cache(int argc, char *const *argv, struct failure *f)
{
	const char *name = argc ? argv[0] : "ls";

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		if (argc > 1 + actions[i].has_argument)
			return fail_config(f, "", "cache %s: too many words", name);
		return run(i, argc > 1 ? argv[1] : NULL, f);
	}
	return fail_config(f, "", "cache %s: ls or prune [DAYS]", name);
}
