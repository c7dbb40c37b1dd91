// SPDX-License-Identifier: Apache-2.0
/*
 * What the image says about its user: the home directory in /etc/passwd. The file is the image's,
 * so nothing about it is trusted: it is read when it is a regular file, at most its first MiB, and
 * whatever is wrong with it only means that the home is "/". What is wrong with the machine is a
 * failure: no other home than the right one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/spawn.h"
#include "init/sys.h"
#include "init/user.h"

/* The n-th field (from 0) of a line of colon-separated ones; NULL: there are fewer. */
static const char *field_at(const char *line, size_t length, unsigned n, size_t *ret_length)
{
	const char *end = line + length;

	for (;;) {
		const char *colon = memchr(line, ':', (size_t)(end - line));

		if (n == 0) {
			*ret_length = (size_t)((colon ? colon : end) - line);
			return line;
		}
		if (!colon)
			return NULL;
		line = colon + 1;
		n--;
	}
}

/* Decimal digits and nothing else, below 2^32. */
static bool is_uid(const char *text, size_t length, uint32_t uid)
{
	uint64_t value = 0;

	if (length == 0 || length > 10)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	return value == uid;
}

static bool line_home(const char *line, size_t length, uint32_t uid,
		      char ret[static LOOKUP_HOME_MAX])
{
	size_t uid_length, home_length;
	const char *uid_text = field_at(line, length, 2, &uid_length);
	const char *home = field_at(line, length, 5, &home_length);

	if (!uid_text || !home || !is_uid(uid_text, uid_length, uid))
		return false;
	if (home_length >= LOOKUP_HOME_MAX || memchr(home, '\0', home_length))
		return false;
	if (home_length == 0)
		strcpy(ret, "/");
	else
		*(char *)mempcpy(ret, home, home_length) = '\0';
	return true;
}

bool passwd_home(const char *text, size_t length, uint32_t uid, char ret[static LOOKUP_HOME_MAX])
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_length = (size_t)((newline ? newline : end) - text);

		if (line_home(text, line_length, uid, ret))
			return true;
		text += line_length + 1;
	}
	return false;
}

/* What an image can make of a path. */
static bool is_the_images(int err)
{
	static const int errors[] = {ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == err)
			return true;
	return false;
}

/*
 * Looks before it opens: opening some devices does things, so only a regular file is opened at all.
 * Links in the image may lead anywhere in the image, but not through procfs's magic ones.
 */
static int open_regular(const char *path, int *ret_fd, struct failure *f)
{
	const uint64_t how = RESOLVE_NO_MAGICLINKS;
	AUTO_FD fd = sys_open_resolve(AT_FDCWD, path, O_PATH, 0, how);
	struct stat st;

	*ret_fd = -1;
	if (fd < 0)
		return is_the_images(errno) ? 0 : fail_sys(f, "openat2", path);
	if (fstat(fd, &st) < 0)
		return fail_sys(f, "fstat", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	*ret_fd = sys_open_resolve(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, how);
	return *ret_fd < 0 && !is_the_images(errno) ? fail_sys(f, "openat2", path) : 0;
}

int lookup_read(const char *path, char **ret_text, size_t *ret_length, struct failure *f)
{
	AUTO_FD fd = -1;
	ssize_t length = 0;
	char *text;

	if (open_regular(path, &fd, f) < 0)
		return -1;
	/* Mapped, not on the heap: pages that a short file does not reach cost nothing. */
	text = mmap(NULL, LOOKUP_MAX_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (text == MAP_FAILED)
		return fail_sys(f, "mmap", path);
	if (fd >= 0)
		length = sys_read_full(fd, text, LOOKUP_MAX_BYTES);
	if (length < 0) {
		fail_sys(f, "read", path);
		lookup_free(text);
		return -1;
	}
	*ret_text = text;
	*ret_length = (size_t)length;
	return 0;
}

void lookup_free(char *text)
{
	if (text)
		munmap(text, LOOKUP_MAX_BYTES);
}

int lookup_home(uint32_t uid, char ret[static LOOKUP_HOME_MAX], struct failure *f)
{
	char *text;
	size_t length;

	if (lookup_read("/etc/passwd", &text, &length, f) < 0)
		return -1;
	strcpy(ret, "/");
	(void)passwd_home(text, length, uid, ret); /* no such user: ret stays "/" */
	lookup_free(text);
	return 0;
}

const char *lookup_env(char *const env[], const char *name)
{
	size_t length = strlen(name);

	for (; *env; env++) {
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	}
	return NULL;
}
