// SPDX-License-Identifier: Apache-2.0
/*
 * targets ASSETS: extraction onto targets of every kind, and what it does with temporary files.
 * Runs in an empty directory of its own.
 */
#include "smkernel.h"
#include "tests/lib/files.h"

#include <dirent.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

static char *kernel;
static size_t kernel_length;

static void check_is_kernel(const char *path)
{
	files_check(path, kernel, kernel_length);
}

/* Entries of a directory, less "." and "..". */
static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = -2;

	CHECK(directory);
	while (directory && readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void test_new(void)
{
	struct stat status;

	umask(0);
	mkdir("new", 0755);
	CHECK_INT(smk_extract_kernel_to("new/k"), SMK_OK);
	check_is_kernel("new/k");
	CHECK(!stat("new/k", &status));
	CHECK_INT(status.st_mode, S_IFREG | 0644);
	CHECK_INT(smk_extract_init_oci_to("new/i"), SMK_OK);
	CHECK(!stat("new/i", &status));
	CHECK_INT(status.st_mode, S_IFREG | 0755);
	umask(077);
	CHECK_INT(smk_extract_kernel_to("new/private"), SMK_OK);
	CHECK(!stat("new/private", &status));
	CHECK_INT(status.st_mode, S_IFREG | 0600);
	umask(022);
	CHECK_INT(count_entries("new"), 3);
}

/* The inode and times of an up-to-date target stay; any other content is replaced. */
static void test_existing(void)
{
	struct stat before, after;

	mkdir("existing", 0755);
	CHECK_INT(smk_extract_kernel_to("existing/k"), SMK_OK);
	CHECK(!stat("existing/k", &before));
	CHECK_INT(smk_extract_kernel_to("existing/k"), SMK_OK);
	CHECK(!stat("existing/k", &after));
	CHECK_INT(after.st_ino, before.st_ino);
	CHECK(!memcmp(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim)));

	kernel[kernel_length - 1] ^= 1;
	files_write("existing/k", kernel, kernel_length);
	kernel[kernel_length - 1] ^= 1;
	CHECK_INT(smk_extract_kernel_to("existing/k"), SMK_OK);
	check_is_kernel("existing/k");
	files_write("existing/k", kernel, kernel_length - 1);
	CHECK_INT(smk_extract_kernel_to("existing/k"), SMK_OK);
	check_is_kernel("existing/k");
	files_write("existing/k", "", 0);
	CHECK_INT(smk_extract_kernel_to("existing/k"), SMK_OK);
	check_is_kernel("existing/k");
	CHECK_INT(count_entries("existing"), 1);
}

/* A hard link of the old content keeps it: the target is replaced, not written. */
static void test_hard_link(void)
{
	char *bytes;
	size_t length = 0;

	mkdir("hard", 0755);
	files_write("hard/k", "old", 3);
	CHECK(!link("hard/k", "hard/other"));
	CHECK_INT(smk_extract_kernel_to("hard/k"), SMK_OK);
	check_is_kernel("hard/k");
	bytes = files_read("hard/other", &length);
	CHECK(bytes && length == 3 && !memcmp(bytes, "old", 3));
	free(bytes);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

static void test_other_kinds(void)
{
	static const char *const targets[] = {"kinds/directory", "kinds/fifo",     "kinds/socket",
					      "kinds/link",      "kinds/dangling", "kinds/loop",
					      "kinds/to-dir",    "kinds/device"};

	mkdir("kinds", 0755);
	mkdir("kinds/directory", 0755);
	CHECK(!mkfifo("kinds/fifo", 0644));
	make_socket("kinds/socket");
	files_write("kinds/victim", "v", 1);
	CHECK(!symlink("victim", "kinds/link"));
	CHECK(!symlink("missing", "kinds/dangling"));
	CHECK(!symlink("loop", "kinds/loop"));
	CHECK(!symlink("directory", "kinds/to-dir"));
	CHECK(!mknod("kinds/device", S_IFCHR | 0600, makedev(1, 3)));
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct stat before, after;

		CHECK(!lstat(targets[i], &before));
		CHECK_INT(smk_extract_kernel_to(targets[i]), SMK_ERROR_TARGET);
		CHECK_INT(smk_extract_kernel_to_with_parents(targets[i]), SMK_ERROR_TARGET);
		CHECK(!lstat(targets[i], &after));
		CHECK_INT(after.st_ino, before.st_ino);
	}
	CHECK(access("kinds/missing", F_OK) < 0);
	CHECK_INT(count_entries("kinds"), 9);
	CHECK_INT(smk_extract_kernel_to("kinds/directory/"), SMK_ERROR_TARGET);
	CHECK_INT(smk_extract_kernel_to("kinds/directory/.."), SMK_ERROR_TARGET);
	CHECK_INT(smk_extract_kernel_to("."), SMK_ERROR_TARGET);
	CHECK_INT(smk_extract_kernel_to("/"), SMK_ERROR_TARGET);
}

static void test_parents(void)
{
	struct stat status;
	char path[PATH_MAX], cwd[PATH_MAX - 32];

	CHECK_INT(smk_extract_kernel_to("none/k"), SMK_ERROR_NO_DIRECTORY);
	CHECK(access("none", F_OK) < 0);
	CHECK_INT(smk_extract_kernel_to_with_parents("par/e//n/./t/k"), SMK_OK);
	check_is_kernel("par/e/n/t/k");
	CHECK(!stat("par/e/n", &status));
	CHECK_INT(status.st_mode, S_IFDIR | 0755);
	CHECK(getcwd(cwd, sizeof(cwd)));
	snprintf(path, sizeof(path), "%s/absolute/a/k", cwd);
	CHECK_INT(smk_extract_kernel_to(path), SMK_ERROR_NO_DIRECTORY);
	CHECK_INT(smk_extract_kernel_to_with_parents(path), SMK_OK);
	check_is_kernel("absolute/a/k");
	/* a parent may be a link to a directory, as anywhere; a file it may not */
	CHECK(!symlink("absolute", "way"));
	CHECK_INT(smk_extract_kernel_to_with_parents("way/b/k"), SMK_OK);
	check_is_kernel("absolute/b/k");
	CHECK_INT(smk_extract_kernel_to("absolute/a/k/k"), SMK_ERROR_NO_DIRECTORY);
	CHECK_INT(smk_extract_kernel_to_with_parents("absolute/a/k/k"), SMK_ERROR_NO_DIRECTORY);
	CHECK_INT(smk_extract_kernel_to_with_parents("absolute/a/k/k/k"), SMK_ERROR_NO_DIRECTORY);
	check_is_kernel("absolute/a/k");
}

static void test_long_name(void)
{
	char path[NAME_MAX + 8] = "long/";

	mkdir("long", 0755);
	memset(path + 5, 'n', NAME_MAX);
	CHECK_INT(smk_extract_kernel_to(path), SMK_OK);
	check_is_kernel(path);
	CHECK_INT(count_entries("long"), 1);
}

/* The file size limit is an error, not a signal that ends the process. */
static void test_size_limit(void)
{
	struct rlimit before, limit;
	int fd;

	mkdir("limit", 0755);
	fd = open("limit/fd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK(!getrlimit(RLIMIT_FSIZE, &before));
	limit = before;
	limit.rlim_cur = kernel_length - 1;
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	errno = 0;
	CHECK_INT(smk_extract_kernel_to("limit/k"), SMK_ERROR_NO_SPACE);
	CHECK_INT(errno, EFBIG);
	CHECK_INT(smk_extract_to_fd(SMK_ASSET_KERNEL, fd), SMK_ERROR_NO_SPACE);
	limit.rlim_cur = kernel_length;
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_INT(smk_extract_kernel_to("limit/exact"), SMK_OK);
	CHECK_INT(lseek(fd, 1, SEEK_SET), 1);
	CHECK_INT(smk_extract_to_fd(SMK_ASSET_KERNEL, fd), SMK_ERROR_NO_SPACE);
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
	check_is_kernel("limit/exact");
	CHECK_INT(count_entries("limit"), 2);
	close(fd);
}

/* ---- what dead writers left ----------------------------------------------------------------- */

#define OLD "stale/.k.4242-0123456789abcdef.tmp"

static void make_old(const char *path)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	files_write(path, "x", 1);
	CHECK(!utimensat(AT_FDCWD, path, times, 0));
}

static bool is_kept(const char *path)
{
	struct stat status;

	unlink("stale/k");
	CHECK_INT(smk_extract_kernel_to("stale/k"), SMK_OK);
	return lstat(path, &status) == 0;
}

static void test_stale(void)
{
	static const char *const others[] = {
		"stale/.k.4242-0123456789abcdef.tmp2", "stale/.k.4242-0123456789abcde.tmp",
		"stale/.kx4242-0123456789abcdef.tmp",  "stale/.k.-0123456789abcdef.tmp",
		"stale/.kk.4242-0123456789abcdef.tmp", "stale/k.4242-0123456789abcdef.tmp",
		"stale/.k.42x42-0123456789abcdef.tmp", "stale/.k.4242-0123456789ABCDEF.tmp",
		"stale/.j.4242-0123456789abcdef.tmp",
	};
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	int fd;

	mkdir("stale", 0755);
	make_old(OLD);
	CHECK(!is_kept(OLD));
	files_write(OLD, "x", 1);
	CHECK(is_kept(OLD)); /* young */
	make_old(OLD);
	fd = open(OLD, O_RDONLY | O_CLOEXEC);
	CHECK(!flock(fd, LOCK_EX));
	CHECK(is_kept(OLD)); /* its writer lives */
	close(fd);
	CHECK(!is_kept(OLD));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		make_old(others[i]);
		CHECK(is_kept(others[i])); /* not ours */
	}
	make_old("stale/victim");
	CHECK(!symlink("victim", OLD));
	CHECK(!utimensat(AT_FDCWD, OLD, times, AT_SYMLINK_NOFOLLOW));
	CHECK(is_kept(OLD) && is_kept("stale/victim"));
	unlink(OLD);
	mkdir(OLD, 0755);
	CHECK(!utimensat(AT_FDCWD, OLD, times, 0));
	CHECK(is_kept(OLD));
	rmdir(OLD);
	CHECK(!mkfifo(OLD, 0644));
	CHECK(!utimensat(AT_FDCWD, OLD, times, 0));
	CHECK(is_kept(OLD));
}

/* Of the longest names, the temporary file's has only the beginning. */
static void test_stale_long(void)
{
	char target[NAME_MAX + 8] = "stale/", old[NAME_MAX + 8] = "stale/.";

	memset(target + 6, 'n', NAME_MAX);
	memset(old + 7, 'n', 221);
	strcat(old, ".4242-0123456789abcdef.tmp");
	mkdir("stale", 0755);
	make_old(old);
	CHECK_INT(smk_extract_kernel_to(target), SMK_OK);
	CHECK(access(old, F_OK) < 0);
}

static const struct t_case cases[] = {
	{"new", test_new},
	{"existing", test_existing},
	{"hard-link", test_hard_link},
	{"other-kinds", test_other_kinds},
	{"parents", test_parents},
	{"long-name", test_long_name},
	{"size-limit", test_size_limit},
	{"stale", test_stale},
	{"stale-long", test_stale_long},
};

int main(int argc, char **argv)
{
	int code;

	if (argc != 2)
		return 2;
	kernel = files_read_in(argv[1], "kernel", &kernel_length);
	code = t_run("lib/targets", cases, sizeof(cases) / sizeof(cases[0]));
	smk_cache_drop();
	free(kernel);
	return code;
}
