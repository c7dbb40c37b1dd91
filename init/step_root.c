// SPDX-License-Identifier: Apache-2.0
/*
 * From nothing to a container's root: layers and upper are mounted in the work tree, the overlay
 * (or the only layer) beside them. The child exchanges the work tree for it (enter.c), PID 1 goes on
 * seeing both.
 */
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/fs.h"
#include "init/sys.h"
#include "init/verity.h"

#define WORK_PATH_MAX  64
#define CONTAINER_PATH "/container"

/* How a 9p share is reached; the plan says what else a layer is mounted with. */
static const char *const share_options[] = {"trans=virtio", "version=9p2000.L", "msize=524288",
					    NULL};

static void work_path(char path[static WORK_PATH_MAX], const char *relative)
{
	snprintf(path, WORK_PATH_MAX, "/%s", relative);
}

/* Makes the directory of a work path (at most two levels deep) and opens it. */
static int open_work_dir(const char *path, int *ret_fd, struct failure *f)
{
	char parent[WORK_PATH_MAX];
	char *slash = strrchr(strcpy(parent, path), '/');
	int fd;

	*slash = '\0';
	if (parent[0] && mkdir(parent, 0755) && errno != EEXIST)
		return fail_sys(f, "mkdir", parent);
	if (mkdir(path, 0755) && errno != EEXIST)
		return fail_sys(f, "mkdir", path);
	fd = sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fail_sys(f, "open", path);
	*ret_fd = fd;
	return 0;
}

static int attach_work(int mount_fd, const char *path, struct failure *f)
{
	AUTO_FD target_fd = -1;

	if (open_work_dir(path, &target_fd, f))
		return -1;
	return sys_attach(mount_fd, target_fd) ? fail_sys(f, "move_mount", path) : 0;
}

/*
 * A mount of its own, for on the original lies the container's root by then, and a ".." at its top
 * would lead there.
 */
int step_open_boot(const struct early *early, struct failure *f)
{
	AUTO_FD mount_fd = sys_open_tree(early->boot_root_fd, "", OPEN_TREE_CLONE);

	if (mount_fd < 0)
		return fail_sys(f, "open_tree", STEP_BOOT_PATH);
	return attach_work(mount_fd, STEP_BOOT_PATH, f);
}

/*
 * A VMM should attach layers read-only. If it did not, who may make device nodes in the container could write
 * to the disk under the mount (CVE-2020-2023), but for this.
 */
static int protect_disk(const char *device, struct failure *f)
{
	AUTO_FD fd = sys_open(AT_FDCWD, device, O_RDONLY, 0);
	int is_readonly = 1;

	if (fd < 0)
		return fail_sys(f, "open", device);
	return ioctl(fd, BLKROSET, &is_readonly) ? fail_sys(f, "ioctl(BLKROSET)", device) : 0;
}

static int mount_layer(const struct apply_state *state, const struct step *step, const char *path,
		       int *ret_mount_fd, struct failure *f)
{
	/* The VMM may have mounted its root writable; without an upper layer it becomes the root as it is. */
	const struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
	char device[WORK_PATH_MAX];
	char verified[VERITY_DEVICE_MAX];
	struct fs_request request = {.fstype = step->fstype,
				     .source = step->src,
				     .where = path,
				     .is_readonly = true,
				     .options = (const char *const *)step->data.items};

	if (step->source == SOURCE_BOOT_ROOT) {
		*ret_mount_fd = sys_open_tree(state->early->boot_root_fd, "", OPEN_TREE_CLONE);
		if (*ret_mount_fd < 0)
			return fail_sys(f, "open_tree", "/");
		return sys_mount_setattr(*ret_mount_fd, 0, &readonly)
			       ? fail_sys(f, "mount_setattr", "/")
			       : 0;
	}
	if (step->source == SOURCE_BLOCK) {
		snprintf(device, sizeof(device), "/dev/%s", step->src);
		request.source = device;
		request.where = device;
		if (protect_disk(device, f))
			return -1;
		if (step->verity_blocks) {
			if (verity_open(step, device, verified, f))
				return -1;
			request.source = verified;
		}
	}
	if (step->source == SOURCE_9P)
		request.options = share_options;
	return fs_mount_request(&request, ret_mount_fd, f);
}

int step_layer(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD mount_fd = -1;
	char path[WORK_PATH_MAX];

	work_path(path, step->dst);
	if (mount_layer(state, step, path, &mount_fd, f))
		return -1;
	return attach_work(mount_fd, path, f);
}

static int mount_upper(const struct step *step, const char *path, int *ret_mount_fd,
		       struct failure *f)
{
	char device[WORK_PATH_MAX];
	struct fs_request request = {.fstype = step->fstype,
				     .source = step->src,
				     .where = path,
				     .options = (const char *const *)step->data.items};

	if (strcmp(step->fstype, "tmpfs")) {
		snprintf(device, sizeof(device), "/dev/%s", step->src);
		request.source = device;
		request.where = device;
	}
	return fs_mount_request(&request, ret_mount_fd, f);
}

int step_upper(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD mount_fd = -1;
	char path[WORK_PATH_MAX];

	work_path(path, step->dst);
	if (mount_upper(step, path, &mount_fd, f) || attach_work(mount_fd, path, f))
		return -1;
	state->is_upper_new = !mkdirat(mount_fd, "upper", 0755);
	if (!state->is_upper_new && errno != EEXIST)
		return fail_sys(f, "mkdir", "/upper/upper");
	if (mkdirat(mount_fd, "work", 0700) && errno != EEXIST)
		return fail_sys(f, "mkdir", "/upper/work");
	if (strcmp(step->fstype, "tmpfs"))
		state->upper_fd = sys_take(&mount_fd);
	return 0;
}

/* The container's / looks like the topmost layer's: an overlay takes the upper's owner and mode. */
static int copy_root_attributes(const char *from, const char *to, struct failure *f)
{
	struct stat status;

	if (stat(from, &status))
		return fail_sys(f, "stat", from);
	if ((status.st_uid || status.st_gid) && lchown(to, status.st_uid, status.st_gid))
		return fail_sys(f, "chown", to);
	if ((status.st_mode & 07777) != 0755 && chmod(to, status.st_mode & 07777))
		return fail_sys(f, "chmod", to);
	return 0;
}

static int set_overlay_options(const struct apply_state *state, const struct step *step,
			       struct fs *fs, struct failure *f)
{
	char layer[WORK_PATH_MAX];
	char upper[WORK_PATH_MAX + 8];
	char work[WORK_PATH_MAX + 8];

	/* The first one is the topmost. */
	for (size_t i = step->count; i > 0; i--) {
		snprintf(layer, sizeof(layer), "/layer/%03zu", i - 1);
		if (fs_set(fs, "lowerdir+", layer, f))
			return -1;
	}
	for (size_t i = 0; i < step->data.count; i++)
		if (fs_set_option(fs, step->data.items[i], f))
			return -1;
	if (!step->src)
		return 0;
	snprintf(layer, sizeof(layer), "/layer/%03zu", step->count - 1);
	snprintf(upper, sizeof(upper), "/%s/upper", step->src);
	snprintf(work, sizeof(work), "/%s/work", step->src);
	if (state->is_upper_new && copy_root_attributes(layer, upper, f))
		return -1;
	return fs_set(fs, "upperdir", upper, f) || fs_set(fs, "workdir", work, f) ? -1 : 0;
}

int step_overlay(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct fs fs;
	int status;

	if (fs_init(&fs, "overlay", "/", f))
		return -1;
	status = fs_set(&fs, "source", "overlay", f) || set_overlay_options(state, step, &fs, f)
			 ? -1
			 : fs_mount(&fs, 0, &state->root_mount_fd, f);
	fs_finish(&fs);
	return status;
}

int step_bind_work(struct apply_state *state, const struct step *step, struct failure *f)
{
	char path[WORK_PATH_MAX];

	work_path(path, step->src);
	state->root_mount_fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
	return state->root_mount_fd < 0 ? fail_sys(f, "open_tree", path) : 0;
}

/* root.path below the image's root: a mount of that directory takes the place of the whole. */
static int narrow_root(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD directory_fd = -1;
	int mount_fd;

	if (attach_work(state->root_mount_fd, "/root", f) ||
	    target_open(state->root_mount_fd, step->src, O_DIRECTORY, &directory_fd, f))
		return -1;
	mount_fd = sys_open_tree(directory_fd, "", OPEN_TREE_CLONE);
	if (mount_fd < 0)
		return fail_sys(f, "open_tree", step->src);
	sys_close(&state->root_mount_fd);
	state->root_mount_fd = mount_fd;
	return 0;
}

static bool has_new_user(const struct apply_state *state)
{
	const struct oci_namespace *user = &state->namespaces[OCI_NAMESPACE_USER];

	return user->present && !user->path;
}

int step_enter(struct apply_state *state, const struct step *step, struct failure *f)
{
	if (strcmp(step->src, "/") && narrow_root(state, step, f))
		return -1;
	if (attach_work(state->root_mount_fd, CONTAINER_PATH, f))
		return -1;
	state->root_fd = sys_take(&state->root_mount_fd);
	return 0;
}

int step_cover(struct apply_state *state, struct failure *f)
{
	AUTO_FD mount_fd = -1;

	if (!has_new_user(state))
		return 0;
	/* The mount itself is locked to its place, a copy is not. */
	mount_fd = sys_open_tree(state->root_fd, "", OPEN_TREE_CLONE);
	if (mount_fd < 0)
		return fail_sys(f, "open_tree", "/");
	if (sys_attach(mount_fd, state->root_fd))
		return fail_sys(f, "move_mount", "/");
	sys_close(&state->root_fd);
	state->root_fd = sys_take(&mount_fd);
	return fchdir(state->root_fd) ? fail_sys(f, "fchdir", "/") : 0;
}

int step_root_readonly(struct apply_state *state, const struct step *step, struct failure *f)
{
	const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	(void)step; /* it has no arguments */
	return sys_mount_setattr(state->root_fd, 0, &attr) ? fail_sys(f, "mount_setattr", "/") : 0;
}

int step_root_propagation(struct apply_state *state, const struct step *step, struct failure *f)
{
	return step_set_propagation(state->root_fd, step, "/", f);
}
