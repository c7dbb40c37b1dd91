// SPDX-License-Identifier: Apache-2.0
// Paths inside the container's root.
#include "init/target.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/sys.h"

#define LINKS_MAX 40 /* as the kernel follows */

static int open_in_root(int root_fd, const char *path, int flags)
{
	return sys_open_resolve(root_fd, path, O_PATH | flags, 0,
				RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int target_open(int root_fd, const char *path, int flags, int *ret_fd, struct failure *f)
{
	int fd = open_in_root(root_fd, path, flags);

	if (fd < 0)
		return fail_sys(f, "open", path);
	*ret_fd = fd;
	return 0;
}

int target_find(int root_fd, const char *path, int *ret_fd, struct failure *f)
{
	int fd = open_in_root(root_fd, path, 0);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return fail_sys(f, "open", path);
	*ret_fd = fd;
	return 0;
}

/* A path that is being made. */
struct making {
	int root_fd;
	char path[PATH_MAX]; /* with dangling links replaced by what they say */
	mode_t mode;         /* of the last component, with its type */
	unsigned links;      /* that were replaced */
};

/*
 * path[0..start) exists, the component path[start..end) is a dangling link: replaces it by the
 * link's text. The kernel resolves the result again, from the container's root.
 */
static int replace_link(struct making *making, size_t start, size_t end, const char *link)
{
	char rest[PATH_MAX];
	size_t keep = link[0] == '/' ? 0 : start;
	size_t link_length = strlen(link);
	size_t rest_length = strlen(making->path + end);

	if (keep + link_length + rest_length >= sizeof(making->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(rest, making->path + end);
	memcpy(making->path + keep, link, link_length);
	strcpy(making->path + keep + link_length, rest);
	return 0;
}

/*
 * path[0..end), whose last component is `name` in parent_fd. A name costs one look-up; only a link
 * and ".." are resolved from the root: a path is not to cost the square of its parts.
 */
static int open_component(struct making *making, int parent_fd, const char *name, size_t end)
{
	const char next = making->path[end];
	int fd;

	if (strcmp(name, "..") != 0) {
		fd = sys_open(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		if (fd >= 0 || errno != ENOTDIR)
			return fd;
	}
	making->path[end] = '\0';
	fd = open_in_root(making->root_fd, making->path, 0);
	making->path[end] = next;
	return fd;
}

/* Makes the component, or replaces it if it is a dangling link. *start is where to go on. */
static int add_component(struct making *making, int parent_fd, const char *name, size_t *start,
			 size_t end)
{
	bool is_last = making->path[end + strspn(making->path + end, "/")] == '\0';
	mode_t mode = is_last ? making->mode : S_IFDIR | 0755;
	char link[PATH_MAX];
	ssize_t length = readlinkat(parent_fd, name, link, sizeof(link) - 1);

	if (length < 0 && S_ISDIR(mode))
		return mkdirat(parent_fd, name, mode & 07777);
	if (length < 0)
		return mknodat(parent_fd, name, mode, 0);
	if (making->links++ == LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	link[length] = '\0';
	if (replace_link(making, *start, end, link))
		return -1;
	if (link[0] == '/')
		*start = 0;
	return 0;
}

/* Goes down the path and makes what is missing. `name` has no slash: nothing is followed. */
static int make_components(struct making *making)
{
	AUTO_FD parent_fd = -1; /* path[0..start) */
	size_t start = strspn(making->path, "/");

	while (making->path[start]) {
		size_t length = strcspn(making->path + start, "/");
		int dir_fd = parent_fd < 0 ? making->root_fd : parent_fd;
		char name[NAME_MAX + 1];
		int fd;

		if (length > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, making->path + start, length);
		name[length] = '\0';
		fd = open_component(making, dir_fd, name, start + length);
		if (fd < 0 && (errno != ENOENT ||
			       add_component(making, dir_fd, name, &start, start + length)))
			return -1;
		if (fd >= 0 || start == 0)
			sys_close(&parent_fd);
		if (fd >= 0) {
			parent_fd = fd;
			start += length;
		}
		start += strspn(making->path + start, "/");
	}
	return 0;
}

static int make_missing(int root_fd, const char *path, mode_t mode)
{
	struct making making = {.root_fd = root_fd, .mode = mode};

	if (strlen(path) >= sizeof(making.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(making.path, path);
	return make_components(&making) ? -1 : open_in_root(root_fd, making.path, 0);
}

static int make(int root_fd, const char *path, mode_t mode, int *ret_fd, struct failure *f)
{
	int fd = open_in_root(root_fd, path, 0);

	if (fd < 0 && errno == ENOENT) {
		fd = make_missing(root_fd, path, mode);
		if (fd < 0)
			return fail_sys(f, "make in the image", path);
	}
	if (fd < 0)
		return fail_sys(f, "open", path);
	*ret_fd = fd;
	return 0;
}

int target_make_dir(int root_fd, const char *path, uint32_t mode, int *ret_fd, struct failure *f)
{
	return make(root_fd, path, S_IFDIR | mode, ret_fd, f);
}

int target_make_file(int root_fd, const char *path, int *ret_fd, struct failure *f)
{
	return make(root_fd, path, S_IFREG | 0644, ret_fd, f);
}

int target_parent(int root_fd, const char *path, struct target_parent *cache, const char **ret_name,
		  struct failure *f)
{
	const char *name = strrchr(path, '/') + 1;
	size_t length = (size_t)(name - path); /* with the slash */
	char parent[sizeof(cache->path)];
	int fd;

	if (length >= sizeof(parent))
		return fail_err(f, ENAMETOOLONG, "open", path, "%s", "");
	memcpy(parent, path, length);
	parent[length] = '\0';
	if (cache->fd < 0 || strcmp(cache->path, parent)) {
		if (target_make_dir(root_fd, parent, 0755, &fd, f))
			return -1;
		target_parent_forget(cache);
		cache->fd = fd;
		strcpy(cache->path, parent);
	}
	*ret_name = name;
	return 0;
}

void target_parent_forget(struct target_parent *cache)
{
	sys_close(&cache->fd);
}
