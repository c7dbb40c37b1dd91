// SPDX-License-Identifier: Apache-2.0
/*
 * The tools that make images: mksquashfs for layers, mkfs.ext4 for upper disks. mksquashfs is
 * started inside the root ("mksquashfs . IMAGE"), so that no name of the user's is ever taken for
 * an option.
 */
#include "host.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Any: a machine has one upper. */
#define UPPER_UUID "736d6b2d-7570-4065-8072-000000000001"

/*
 * lz4: quick to pack, and the guest decodes it with the fewest instructions. No fragments: a page
 * of a small file does not make the guest decode a block full of others (0.5 million instructions
 * on the way to the entrypoint). The times inside the image are those of the files; the image's own
 * is fixed, so that equal trees give equal images. The words are part of the cache's key.
 */
const char pack_options[] = "-comp lz4 -no-fragments -noappend -no-progress -quiet "
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

		say_progress("%s, %.1f s", what, (now_ms() - begin) / 1e3);
		if (poll(polls, 2, 100) < 0 && errno != EINTR)
			return true;
		if (signals_want_end())
			return false;
		got = read(tool->output_fd, bytes, sizeof(bytes));
		if (got > 0)
			tail_add(tail, bytes, (size_t)got);
		else if (!got || errno != EAGAIN)
			return true;
	}
}

/* A tool would give all rights that the umask leaves. */
static int create(const char *path, struct failure *f)
{
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	return fd < 0 ? fail_sys(f, "create", path) : 0;
}

/* Runs a tool to its end; what it says is only shown when it fails. */
static int run_tool(const char *name, const struct strings *argv, int cwd_fd, const char *what,
		    struct failure *f)
{
	struct process_setup setup = {.argv = argv->items, .cwd_fd = cwd_fd};
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
	tail_last_words(&tail, name, line, sizeof(line));
	return fail_err(f, 0, name, NULL, "%s", *line ? line : "failed without a word");
}

int pack_squashfs(int root_fd, const char *image, const struct tree_key *key, struct failure *f)
{
	AUTO_FREE char *what =
		must_format("packing %llu files, %.1f MiB", (unsigned long long)key->files,
			    (double)key->bytes / (1 << 20));
	struct strings argv = {0};
	int result;

	strings_add(&argv, "mksquashfs");
	strings_add(&argv, ".");
	strings_add(&argv, "%s", image);
	for (const char *word = pack_options; *word; word += strspn(word, " ")) {
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
		"mkfs.ext4", "-q", "-F",
		"-m",        "0",  "-U",
		UPPER_UUID,  "-E", "lazy_itable_init=1,lazy_journal_init=1,hash_seed=" UPPER_UUID,
	};
	struct strings argv = {0};
	int result;

	if (create(path, f))
		return -1;
	/* mkfs's clock: the same size makes the same bytes. */
	setenv("E2FSPROGS_FAKE_TIME", "1", 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		strings_add(&argv, "%s", words[i]);
	strings_add(&argv, "%s", path);
	strings_add(&argv, "%s", size);
	result = run_tool("mkfs.ext4", &argv, -1, "making the upper disk", f);
	strings_finish(&argv);
	return result;
}
