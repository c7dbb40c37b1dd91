// SPDX-License-Identifier: Apache-2.0
// Every entry of the root's file system with all that a layer can say of it, and the SHA-256 of its contents.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "tests/probe/probe.h"

static char names[65536], value[65536]; /* XATTR_LIST_MAX, XATTR_SIZE_MAX */

static int show_xattrs(const char *path)
{
	ssize_t length = llistxattr(path, names, sizeof(names));

	if (length < 0 && errno != EOPNOTSUPP)
		return complain(path);
	json_open("xattrs", '{');
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		ssize_t size = lgetxattr(path, name, value, sizeof(value));

		if (size < 0)
			return complain(path);
		json_bytes(name, value, (size_t)size);
	}
	json_close('}');
	return 0;
}

static int show_contents(const char *path)
{
	static char block[65536];
	char digest[2 * SHA256_SIZE + 1];
	struct sha256 hash;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return complain(path);
	sha256_init(&hash);
	while ((got = read(fd, block, sizeof(block))) > 0)
		sha256_update(&hash, block, (size_t)got);
	if (got < 0)
		return complain(path);
	close(fd);
	sha256_finish_hex(&hash, digest);
	json_text("data", digest);
	return 0;
}

static int show_kind(const char *path, const struct stat *st)
{
	static char target[65536];
	ssize_t length;

	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		json_number("size", (uint64_t)st->st_size);
		return show_contents(path);
	case S_IFLNK:
		if ((length = readlink(path, target, sizeof(target))) < 0)
			return complain(path);
		json_bytes("target", target, (size_t)length);
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		json_number("major", major(st->st_rdev));
		json_number("minor", minor(st->st_rdev));
		return 0;
	default:
		return 0;
	}
}

static int show(const char *path, const struct stat *st)
{
	json_open(path, '{');
	json_number("mode", st->st_mode);
	json_number("uid", st->st_uid);
	json_number("gid", st->st_gid);
	json_signed("time", st->st_mtime);
	json_number("links", st->st_nlink);
	json_number("device", st->st_dev);
	json_number("inode", st->st_ino);
	if (show_xattrs(path) || show_kind(path, st))
		return 1;
	json_close('}');
	return 0;
}

static int walk(const char *path, dev_t device);

/* One entry, and what lies below it, unless something else is mounted there. */
static int visit(const char *parent, const struct dirent *entry, dev_t device)
{
	char path[4096];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name) >= sizeof(path))
		errno = ENAMETOOLONG;
	else if (!lstat(path, &st))
		errno = (mode_t)DTTOIF(entry->d_type) == (st.st_mode & S_IFMT) ? 0 : EBADMSG;
	if (errno)
		return complain(path);
	if (show(path, &st))
		return 1;
	return S_ISDIR(st.st_mode) && st.st_dev == device ? walk(path, device) : 0;
}

static int walk(const char *path, dev_t device)
{
	DIR *dir = opendir(*path ? path : "/");
	struct dirent *entry;
	int result = 0;

	if (!dir)
		return complain(path);
	while (!result && (errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = visit(path, entry, device);
	}
	if (!result && errno)
		result = complain(path);
	closedir(dir);
	return result;
}

static int do_entries(int argc, char *argv[])
{
	struct stat st;

	(void)argc;
	(void)argv;
	if (lstat("/", &st) < 0)
		return complain("/");
	json_open(NULL, '{');
	if (show("/", &st) || walk("", st.st_dev))
		return 1;
	json_close('}');
	putchar('\n');
	return 0;
}

const struct command entries_commands[] = {{"entries", "", do_entries}, {NULL, NULL, NULL}};
