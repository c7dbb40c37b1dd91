// SPDX-License-Identifier: Apache-2.0
/*
 * Layer images: mksquashfs packs the tree, the result is cached under the tree's key.
 *
 * Any number of smk may do this at once: a lock per group of keys lets one pack while the others
 * wait for its result, and an image appears by rename, complete. mksquashfs is started inside the
 * root
 * ("mksquashfs . IMAGE"), so that no name of the user's is ever taken for an option.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED_DAYS 30 /* an image nobody ran for so long is removed */

/*
 * lz4: quick to pack, and the guest decodes it with the fewest instructions. No fragments: a page
 * of a small file does not make the guest decode a block full of others (0.5 million instructions
 * on the way to the entrypoint). The times inside the image are those of the files; the image's own
 * is fixed, so that equal trees give equal images. The words are part of the cache's key.
 */
static const char squashfs_options[] = "-comp lz4 -no-fragments -noappend -no-progress -quiet "
				       "-no-exports -exit-on-error -mkfs-time 0 -xattrs";

/* Reads the tool's output into tail until it ends; false when a signal asks smk to end. */
static bool wait_for_tool(struct process *tool, struct tail *tail, const char *what)
{
	struct pollfd polls[] = {{.fd = tool->output_fd, .events = POLLIN},
				 {.fd = signals_fd(), .events = POLLIN}};
	double begin = now_ms();
	char bytes[4096];

	for (;;) {
		ssize_t got;
		int signal;

		say_progress("%s, %.1f s", what, (now_ms() - begin) / 1e3);
		if (poll(polls, 2, 100) < 0 && errno != EINTR)
			return true;
		while ((signal = signals_next()))
			if (signals_is_end(signal))
				return false;
		got = read(tool->output_fd, bytes, sizeof(bytes));
		if (got > 0)
			tail_add(tail, bytes, (size_t)got);
		else if (!got || errno != EAGAIN)
			return true;
	}
}

/* Runs a tool to its end; what it says is only shown when it fails. */
static int run_tool(const char *name, const struct strings *argv, int cwd_fd, const char *what,
		    struct failure *f)
{
	struct process_setup setup = {.argv = argv->items, .cwd_fd = cwd_fd, .own_session = true};
	AUTO_FREE char *path = NULL;
	struct tail tail = {.written = 0};
	struct process tool;
	char line[128];
	bool is_done;
	int status = 0;

	if (program_find(name, &path, f))
		return -1;
	setup.path = path;
	if (process_start(&setup, &tool, f))
		return -1;
	is_done = wait_for_tool(&tool, &tail, what);
	say_progress(NULL);
	if (is_done) {
		while (waitpid(tool.pid, &status, 0) < 0 && errno == EINTR)
			;
		tool.pid = -1;
	}
	process_stop(&tool);
	if (!is_done)
		return fail_err(f, EINTR, name, NULL, "ended by a signal");
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	tail_last_line(&tail, line, sizeof(line));
	return fail_err(f, 0, name, NULL, "%s", *line ? line : "failed without a word");
}

static int run_mksquashfs(int root_fd, const char *image, const struct tree_key *key,
			  struct failure *f)
{
	AUTO_FREE char *what =
		must_format("packing %llu files, %.1f MiB", (unsigned long long)key->files,
			    (double)key->bytes / (1 << 20));
	struct strings argv = {0};
	int result;

	strings_add(&argv, "mksquashfs");
	strings_add(&argv, ".");
	strings_add(&argv, "%s", image);
	for (const char *word = squashfs_options; *word; word += strspn(word, " ")) {
		strings_add(&argv, "%.*s", (int)strcspn(word, " "), word);
		word += strcspn(word, " ");
	}
	/* Its own variable would change the times of all files. */
	unsetenv("SOURCE_DATE_EPOCH");
	result = run_tool("mksquashfs", &argv, root_fd, what, f);
	strings_finish(&argv);
	return result;
}

int pack_ext4(const char *path, const char *size, struct failure *f)
{
	static const char *const words[] = {
		"mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1",
	};
	struct strings argv = {0};
	int result;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		strings_add(&argv, "%s", words[i]);
	strings_add(&argv, "%s", path);
	strings_add(&argv, "%s", size);
	result = run_tool("mkfs.ext4", &argv, -1, "making the upper disk", f);
	strings_finish(&argv);
	return result;
}

/* Images and temporary files that nobody has used for long; not finding any is fine. */
static void prune(const char *directory)
{
	time_t oldest = time(NULL) - UNUSED_DAYS * 24 * 3600;
	struct dirent *entry;
	DIR *list = opendir(directory);
	struct stat st;

	while (list && (entry = readdir(list)))
		if (*entry->d_name != '.' &&
		    !fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < oldest)
			unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		closedir(list);
}

static int lock(const char *directory, const struct tree_key *key, int *ret_fd, struct failure *f)
{
	AUTO_FREE char *path = must_format("%s/.lock-%c", directory, key->hex[0]);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail_sys(f, "open", path);
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR) {
			fail_sys(f, "flock", path);
			close(fd);
			return -1;
		}
	}
	*ret_fd = fd;
	return 0;
}

/* Packs into a temporary file and gives it its name, when the tree did not change meanwhile. */
static int pack_new(int root_fd, const char *root_path, const struct tree_key *key,
		    const char *image, struct failure *f)
{
	AUTO_FREE char *temporary = must_format("%s.tmp-%d", image, (int)getpid());
	struct tree_key after;
	int result;

	result = run_mksquashfs(root_fd, temporary, key, f);
	if (!result)
		result = tree_key(root_fd, root_path, squashfs_options, &after, f);
	if (!result && strcmp(after.hex, key->hex))
		result = fail_err(
			f, 0, "pack", root_path,
			"something changed in it meanwhile: run again when nothing writes to it");
	if (!result && rename(temporary, image))
		result = fail_sys(f, "rename", image);
	if (result)
		unlink(temporary);
	return result;
}

int pack_layer(int root_fd, const char *root_path, char **ret_image, bool *ret_is_cached,
	       struct failure *f)
{
	AUTO_FREE char *directory = NULL;
	AUTO_FREE char *image = NULL;
	AUTO_FD lock_fd = -1;
	struct tree_key key;
	bool is_cached;

	if (tree_key(root_fd, root_path, squashfs_options, &key, f) ||
	    cache_directory("layers", &directory, f))
		return -1;
	image = must_format("%s/%s.squashfs", directory, key.hex);
	/* Its time says when it was used last. */
	is_cached = !utimensat(AT_FDCWD, image, NULL, AT_SYMLINK_NOFOLLOW);
	if (!is_cached) {
		if (lock(directory, &key, &lock_fd, f))
			return -1;
		is_cached = !access(image, R_OK);
		if (!is_cached && pack_new(root_fd, root_path, &key, image, f))
			return -1;
		prune(directory);
	}
	*ret_image = image;
	*ret_is_cached = is_cached;
	image = NULL;
	return 0;
}
