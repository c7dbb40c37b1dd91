// SPDX-License-Identifier: Apache-2.0
// What lies below a directory, and changes to it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/probe/probe.h"

#define TEXT_MAX 4096 /* larger files are shown by size only */

static void show(const char *path, const struct stat *st)
{
	char target[1024];
	ssize_t length;

	json_open(path, '{');
	json_number("mode", st->st_mode);
	json_number("uid", st->st_uid);
	json_number("gid", st->st_gid);
	if (S_ISLNK(st->st_mode) && (length = readlink(path, target, sizeof(target))) >= 0)
		json_bytes("target", target, (size_t)length);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		json_number("major", major(st->st_rdev));
		json_number("minor", minor(st->st_rdev));
	}
	if (S_ISREG(st->st_mode)) {
		size_t size = 0;
		const char *text = st->st_size <= TEXT_MAX ? file_text(path, &size) : NULL;

		json_number("size", (uint64_t)st->st_size);
		json_bytes("text", text, size);
	}
	json_close('}');
}

/* Everything below path on the same file system. */
static void walk(const char *path, dev_t device)
{
	DIR *dir = opendir(*path ? path : "/");
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		char child[4096];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (lstat(child, &st) < 0)
			continue;
		show(child, &st);
		if (S_ISDIR(st.st_mode) && st.st_dev == device)
			walk(child, device);
	}
	if (dir)
		closedir(dir);
}

static int show_trees(const char *key, char *const paths[])
{
	json_open(key, '{');
	for (; *paths; paths++) {
		struct stat st;

		if (lstat(*paths, &st) < 0)
			return complain(*paths);
		show(*paths, &st);
		if (S_ISDIR(st.st_mode))
			walk(strcmp(*paths, "/") ? *paths : "", st.st_dev);
	}
	json_close('}');
	return 0;
}

static int do_tree(int argc, char *argv[])
{
	(void)argc;
	if (show_trees(NULL, argv + 1))
		return 1;
	putchar('\n');
	return 0;
}

/* The trees, the mounts and the working directory. */
static int do_see(int argc, char *argv[])
{
	char cwd[4096];

	(void)argc;
	json_open(NULL, '{');
	json_text("cwd", getcwd(cwd, sizeof(cwd)));
	facts_mounts();
	if (show_trees("tree", argv + 1))
		return 1;
	json_close('}');
	putchar('\n');
	return 0;
}

/* Each PATH gets TEXT; prints "PATH ERRNO" for each. */
static int do_put(int argc, char *argv[])
{
	for (int i = 2; i < argc; i++) {
		int fd = open(argv[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		const char *text = argv[1];
		ssize_t put = fd < 0 ? -1 : 0;

		while (put >= 0 && *text) {
			put = write(fd, text, strlen(text));
			text += put;
		}
		int error = put < 0 ? errno : 0;

		printf("%s %d\n", argv[i], error);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* Leaves a file behind that says so, then prints the facts. */
static int do_witness(int argc, char *argv[])
{
	static const char text[] = "the probe was here\n";
	int fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		return complain("witness");
	close(fd);
	return print_facts(argc, argv);
}

/* The text of each PATH. */
static int do_show(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		const char *text = file_text(argv[i], NULL);

		if (!text)
			return complain(argv[i]);
		fputs(text, stdout);
	}
	return 0;
}

const struct command tree_commands[] = {
	{"tree", "PATH...", do_tree},    {"see", "PATH...", do_see},
	{"put", "TEXT PATH...", do_put}, {"show", "PATH...", do_show},
	{"witness", "PATH", do_witness}, {NULL, NULL, NULL},
};
