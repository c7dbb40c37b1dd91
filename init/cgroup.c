// SPDX-License-Identifier: Apache-2.0
/*
 * The container's cgroup: made below the top of the hierarchy, in which PID 1 stays, so that no limit
 * of the workload's is one of PID 1's. The child is born in it (birth.c); to move there it would have
 * to wait for every CPU.
 *
 * Everything goes through a mount of our own that no image sees, made when the plan asks for a cgroup.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "init/apply.h"
#include "init/fs.h"
#include "init/procfs.h"
#include "init/sys.h"

#define CONTROLLERS_MAX 256 /* bytes of their names */

static int mount_hierarchy(int *ret_fd, struct failure *f)
{
	const struct fs_request request = {.fstype = "cgroup2", .where = "/sys/fs/cgroup"};

	return fs_mount_request(&request, ret_fd, f);
}

/* "memory" of "memory.max"; whole words of the list only. */
static bool has_word(const char *list, const char *word, size_t length)
{
	for (const char *at = list; (at = strstr(at, word)); at++) {
		bool begins = at == list || at[-1] == ' ';

		if (begins && (at[length] == ' ' || !at[length]))
			return true;
	}
	return false;
}

/*
 * "+memory +pids": the controllers of the writes that follow, as far as the kernel has them. Of
 * one that it has not the file is missing, and its write says so with its field.
 */
static void list_controllers(const struct step *step, const char *available,
			     char ret[static CONTROLLERS_MAX])
{
	size_t used = 0;

	ret[0] = '\0';
	for (step++; step->kind == STEP_CGROUP_WRITE; step++) {
		char word[32];
		int length = (int)strcspn(step->dst, ".");

		if (length >= (int)sizeof(word) - 1 || used + sizeof(word) > CONTROLLERS_MAX)
			continue;
		snprintf(word, sizeof(word), "%.*s", length, step->dst);
		if (!has_word(available, word, (size_t)length))
			continue;
		snprintf(word, sizeof(word), "+%.*s", length, step->dst);
		if (!has_word(ret, word, (size_t)length + 1))
			used += (size_t)snprintf(ret + used, CONTROLLERS_MAX - used, "%s%s",
						 used ? " " : "", word);
	}
}

/* Goes from *dir_fd into its child of this name, which is made when it is missing. */
static int enter_child(int *dir_fd, const char *name, const char *path, struct failure *f)
{
	int child_fd;

	if (mkdirat(*dir_fd, name, 0755) < 0 && errno != EEXIST)
		return fail_sys(f, "mkdir", path);
	child_fd = sys_open_resolve(*dir_fd, name, O_RDONLY | O_DIRECTORY, 0,
				    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (child_fd < 0)
		return fail_sys(f, "open", path);
	sys_close(dir_fd);
	*dir_fd = child_fd;
	return 0;
}

static int enter_path(int *dir_fd, const char *path, const char *controllers, struct failure *f)
{
	for (const char *at = path + strspn(path, "/"); *at; at += strspn(at, "/")) {
		size_t length = strcspn(at, "/");
		char name[256];

		if (length >= sizeof(name))
			return fail_err(f, ENAMETOOLONG, "mkdir", path, "%s", "");
		memcpy(name, at, length);
		name[length] = '\0';
		at += length;
		if (controllers[0] && kernel_file_write(*dir_fd, "cgroup.subtree_control",
							CGROUP2_SUPER_MAGIC, controllers, f) < 0)
			return -1;
		if (enter_child(dir_fd, name, path, f) < 0)
			return -1;
	}
	return 0;
}

int step_cgroup(struct apply_state *state, const struct step *step, struct failure *f)
{
	char available[CONTROLLERS_MAX], controllers[CONTROLLERS_MAX];
	AUTO_FD fd = -1;

	if (mount_hierarchy(&fd, f) < 0)
		return -1;
	if (sys_read_text(fd, "cgroup.controllers", available, sizeof(available)) < 0)
		return fail_sys(f, "read", "cgroup.controllers");
	list_controllers(step, available, controllers);
	if (enter_path(&fd, step->src, controllers, f) < 0)
		return -1;
	state->cgroup_fd = sys_take(&fd);
	return 0;
}

int step_cgroup_write(struct apply_state *state, const struct step *step, struct failure *f)
{
	return kernel_file_write(state->cgroup_fd, step->dst, CGROUP2_SUPER_MAGIC, step->src, f);
}
