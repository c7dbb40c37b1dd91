// SPDX-License-Identifier: Apache-2.0
/*
 * Directories, links, device nodes and small files inside the container's root. The last component
 * is never followed where something is made; what the image already has there stays, or is refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/sys.h"

int step_mkdir(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct failure ignored = {.stage = STAGE_NONE};
	AUTO_FD fd = -1;
	const char *name;

	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	state->has_made = !mkdirat(state->parent.fd, name, step->mode);
	if (state->has_made)
		return 0;
	if (errno != EEXIST)
		return fail_sys(f, "mkdir", step->dst);
	/* What a dangling link names is made, as for mounts. Of anything else chdir(2) has the word. */
	if (target_find(state->root_fd, step->dst, &fd, &ignored) || fd >= 0)
		return 0;
	return target_make_dir(state->root_fd, step->dst, step->mode, &fd, f);
}

int step_symlink(struct apply_state *state, const struct step *step, struct failure *f)
{
	const char *name;

	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	if (symlinkat(step->src, state->parent.fd, name) && errno != EEXIST)
		return fail_sys(f, "symlink", step->dst);
	return 0;
}

static int make_node(int parent_fd, const char *name, const struct step *step, struct failure *f)
{
	dev_t device = makedev(step->dev_major, step->dev_minor);
	struct stat present;

	if (!mknodat(parent_fd, name, step->mode, device)) {
		if ((step->uid || step->gid) &&
		    fchownat(parent_fd, name, step->uid, step->gid, AT_SYMLINK_NOFOLLOW))
			return fail_sys(f, "chown", step->dst);
		return 0;
	}
	if (errno != EEXIST || fstatat(parent_fd, name, &present, AT_SYMLINK_NOFOLLOW))
		return fail_sys(f, "mknod", step->dst);
	/* Without a mount on /dev the image may hold its own nodes; another device is a trap. */
	if ((present.st_mode ^ step->mode) & S_IFMT || present.st_rdev != device)
		return fail_err(f, EEXIST, "mknod", step->dst,
				"the image has something else there than device %u:%u",
				step->dev_major, step->dev_minor);
	/* Perhaps it is not the image's but a bind's, and so not ours to change. */
	if (step->field[0] == '/' && (present.st_mode != step->mode ||
				      present.st_uid != step->uid || present.st_gid != step->gid))
		console_warn("apply: %s: %s: is there, and keeps its mode and owner", step->field,
			     step->dst);
	return 0;
}

/* In the work tree there is only what init-oci has made. */
int step_mknod(struct apply_state *state, const struct step *step, struct failure *f)
{
	const char *name;

	if (step->flags & STEP_WORK) {
		if (mkdir("/" STEP_DEVICE_DIR, 0755) && errno != EEXIST)
			return fail_sys(f, "mkdir", "/" STEP_DEVICE_DIR);
		return make_node(state->early->work_fd, step->dst, step, f);
	}
	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	return make_node(state->parent.fd, name, step, f);
}

static int open_inside(int root_fd, const char *path, int flags)
{
	return sys_open_resolve(root_fd, path, flags | O_NONBLOCK | O_NOCTTY, 0,
				RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* A resolv.conf of the machine that made the image: what it asks listens there, and not here. */
static bool is_stub(int root_fd, const char *path)
{
	static const char server[] = "nameserver";
	AUTO_FD fd = open_inside(root_fd, path, O_RDONLY);
	char text[4096];
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (got < 0)
		return false;
	text[got] = '\0';
	for (char *word = strtok(text, "\n"); word; word = strtok(NULL, "\n")) {
		if (strncmp(word, server, strlen(server)) != 0)
			continue;
		word += strlen(server);
		word += strspn(word, " \t");
		if (strncmp(word, "127.", 4) != 0 && strcmp(word, "::1") != 0)
			return false;
	}
	return true;
}

/*
 * Links are followed inside the root (an image's resolv.conf often is one) and a missing file is
 * made where they lead. Only a regular file is ever written to.
 */
int step_file(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD place_fd = -1;
	AUTO_FD fd = -1;
	struct stat status;

	if (target_make_file(state->root_fd, step->dst, &place_fd, f))
		return -1;
	if (fstat(place_fd, &status))
		return fail_sys(f, "stat", step->dst);
	if (step->flags & STEP_IF_MISSING &&
	    (!S_ISREG(status.st_mode) ||
	     (status.st_size > 0 &&
	      !(step->flags & STEP_IF_STUB && is_stub(state->root_fd, step->dst)))))
		return 0;
	if (!S_ISREG(status.st_mode))
		return fail_err(f, EINVAL, "write", step->dst, "not a regular file");
	fd = open_inside(state->root_fd, step->dst, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fail_sys(f, "open", step->dst);
	if (sys_write_full(fd, step->src, strlen(step->src)))
		return fail_sys(f, "write", step->dst);
	return step->mode && fchmod(fd, step->mode) ? fail_sys(f, "chmod", step->dst) : 0;
}
