// SPDX-License-Identifier: Apache-2.0
/*
 * A new user namespace: PID 1 writes its ID maps, as only who has the capability outside may map
 * more than itself; then the child becomes root in it.
 *
 * Writes go through init-oci's own procfs, and only if it is one: a file system that an image or a
 * configuration put on /proc would take a value and make nothing of it (CVE-2019-16884).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/namespace.h"
#include "init/sys.h"

#define MAP_BYTES_MAX 4096 /* the kernel takes less than a page */

void proc_path(char path[static PROC_PATH_MAX], pid_t pid, const char *name)
{
	if (pid)
		snprintf(path, PROC_PATH_MAX, "%d/%s", pid, name);
	else
		snprintf(path, PROC_PATH_MAX, "self/%s", name);
}

int proc_write(int proc_fd, const char *path, const char *text, struct failure *f)
{
	AUTO_FD fd = sys_open(proc_fd, path, O_WRONLY | O_NOFOLLOW, 0);
	struct statfs fs;
	ssize_t length = (ssize_t)strlen(text);

	if (fd < 0)
		return fail_sys(f, "open", path);
	if (fstatfs(fd, &fs) < 0)
		return fail_sys(f, "fstatfs", path);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return fail_err(f, EINVAL, "fstatfs", path, "is not on procfs");
	return write(fd, text, (size_t)length) != length ? fail_sys(f, "write", path) : 0;
}

static int write_map(const struct oci_id_maps *maps, int proc_fd, pid_t pid, const char *name,
		     struct failure *f)
{
	char text[MAP_BYTES_MAX];
	char path[PROC_PATH_MAX];
	size_t used = 0;

	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_map *map = &maps->items[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u %u %u\n",
					 map->container_id, map->host_id, map->size);
		if (used >= sizeof(text))
			return fail_err(f, E2BIG, "write", name, "%s", "");
	}
	proc_path(path, pid, name);
	return proc_write(proc_fd, path, text, f);
}

int userns_map(const struct oci_id_maps *uids, const struct oci_id_maps *gids, int proc_fd,
	       pid_t pid, struct failure *f)
{
	if (write_map(uids, proc_fd, pid, "uid_map", f))
		return fail_at(f, STAGE_SPAWN, "/linux/uidMappings");
	if (write_map(gids, proc_fd, pid, "gid_map", f))
		return fail_at(f, STAGE_SPAWN, "/linux/gidMappings");
	return 0;
}

int userns_become_root(struct failure *f)
{
	if (syscall(SYS_setresgid, 0, 0, 0) < 0) {
		fail_err(f, errno, "setresgid", NULL, "gid 0");
		return fail_at(f, STAGE_SPAWN, "/linux/gidMappings");
	}
	if (syscall(SYS_setgroups, 0, NULL) < 0)
		return fail_sys(f, "setgroups", NULL);
	if (syscall(SYS_setresuid, 0, 0, 0) < 0) {
		fail_err(f, errno, "setresuid", NULL, "uid 0");
		return fail_at(f, STAGE_SPAWN, "/linux/uidMappings");
	}
	return 0;
}

uint32_t userns_outside(const struct oci_id_maps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_map *map = &maps->items[i];

		if (id >= map->container_id && id - map->container_id < map->size)
			return map->host_id + (id - map->container_id);
	}
	return maps->count ? UINT32_MAX : id;
}
